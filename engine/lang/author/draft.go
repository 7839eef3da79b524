package author

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"
)

// Draft is what a spec of a new CLI begins with.
type Draft struct {
	Name    string
	Bin     string
	Command []string          // words of the subcommand that answers a prompt
	Help    *Help             // the help text of the program; nil: none
	YAML    bool              // CUE otherwise
	Schema  bool              // CUE that names the schema, where CUE's tools find it
	Without map[string]string // parameters that are left out, with why
}

// Write is the text of the draft. What it makes of a help text is a guess, and says so;
// options by which a program seems to stop asking are marked as dangerous.
func (d Draft) Write() []byte {
	w := &draftWriter{yaml: d.YAML}
	about := []string{
		"A draft: complete it where a comment says so, then try it:",
		"    gateway vet, gateway explain " + d.Name + "_request prompt=hi, gateway call " + d.Name + "_request prompt=hi",
		"`gateway help language` explains all fields.",
	}
	w.comment(about...)
	if d.YAML {
		w.open("cli")
		w.open(d.Name)
	} else {
		if d.Schema {
			w.line("package gateway", "", "import \"gateway.dev/schema\"")
			w.line("")
			w.open("cli: " + d.Name + ": schema.#CLI &")
		} else {
			w.line("")
			w.open("cli: " + d.Name)
		}
	}
	w.comment("Name for people, and what the agent is good at: the beginning of the tool's description.")
	w.field("title", strings.ToUpper(d.Name[:1])+d.Name[1:])
	w.field("doc", "A coding agent.")
	w.field("bin", d.Bin)
	w.comment("Command that installs the program, shown if it is missing.", `install: "npm install -g `+d.Name+`"`)
	argv := append(slices.Clone(d.Command), "{params}")
	w.comment("", "The command line: literal words and slots. The prompt is sent over standard",
		"input; to pass it as an argument: prompt: via: \"arg\", and \"{prompt}\" at its place.")
	if d.Help != nil && len(d.Help.Commands) > 0 {
		w.comment("Commands of the program: " + clipped(commandNames(d.Help), 200))
	}
	w.field("argv", argv)
	d.params(w)
	w.comment("", "How it is held to what a call may do (gateway help language cli.access):",
		`access: {read: ["--plan"], edit: ["--no-shell"], full: []}   with safe or access at each parameter`)
	w.inline("access", "default", "own")
	w.comment("", "How to continue a conversation, and where the output contains its id:",
		`session: {resume: ["--resume={id}"], capture: "event.session_id"}   and "{session}" in argv`)
	w.comment("", "How to find the answer in the output. If the program can print a record for each event:",
		`output: {format: "jsonl", end: "event.type == 'end'", text: "event.text"}`)
	w.inline("output", "format", "text")
	w.comment("", "Environment variables that the program needs: its own, and keys.")
	w.inline("env", "pass", []string{prefixOf(d.Name)})
	w.comment("", "How to ask for its version and its options (gateway vet --probe).")
	w.inline("version", "argv", []string{"--version"})
	help := [][]string{{"--help"}}
	if len(d.Command) > 0 {
		help = append(help, append(slices.Clone(d.Command), "--help"))
	}
	w.inline("probe", "help", help)
	w.comment("", "A test: the command line of a call.")
	w.line(fmt.Sprintf("examples: [{in: {prompt: \"hi\"}, argv: %s, stdin: \"hi\"}]", inJSON(append([]string{}, d.Command...))))
	w.close()
	if d.YAML {
		w.close()
	}
	return []byte(w.String())
}

func prefixOf(name string) string { return strings.ToUpper(name) + "_*" }

// params writes the parameter table.
func (d Draft) params(w *draftWriter) {
	if d.Help == nil {
		w.comment("", "Parameters of the tool, one per line. danger marks those that let the agent act without asking.",
			`model: {doc: "Model id or alias", flag: "--model"}`,
			`yolo: {doc: "Change files without asking", type: "bool", flag: "--yolo", danger: true}`)
		w.line("params: {}")
		return
	}
	var lines, left []string
	seen := map[string]bool{}
	for _, o := range d.Help.Options {
		if positive(d.Help, o) != nil {
			continue // it is the other half of another
		}
		name, line, why := param(d.Help, o)
		if why == "" && seen[name] {
			why = "another option has the same name: " + name
		}
		if why == "" {
			why = d.Without[name]
		}
		switch {
		case why != "":
			left = append(left, strings.Join(o.Names, ", ")+": "+why)
		default:
			seen[name] = true
			lines = append(lines, line)
		}
	}
	w.comment("", "Parameters of the tool, from the help text: remove those that no caller needs, mark those that are",
		"rarely used with advanced: true, and check that danger marks those that let the agent act without asking.")
	if len(lines) == 0 {
		w.line("params: {}")
	} else {
		w.open("params")
		w.line(lines...)
		w.close()
	}
	if len(left) > 0 {
		w.comment("Omitted:")
		for _, l := range left {
			w.comment("    " + clipped(l, 150))
		}
	}
}

// looks recognise kinds of options by their names. They are compiled at first use.
type looks struct {
	ours     []ourOption
	reckless *regexp.Regexp // of options by which a program stops asking
	careful  *regexp.Regexp // of options that take something away, whatever their text says
	flag     *regexp.Regexp // of options that a spec can have
	number   *regexp.Regexp // of what stands for a number
}

// ourOption is one that the gateway gives, or that has a field of its own.
type ourOption struct {
	option *regexp.Regexp
	why    string
}

var look = sync.OnceValue(func() looks {
	return looks{
		ours: []ourOption{
			{regexp.MustCompile(`^-(h|-help)$|^--(help-.*|version|completions?)$|^-[vV]$`), "prints information instead of an answer"},
			{regexp.MustCompile(`^--(resume|continue|session|session-id|fork-session|last)$`), "see session"},
			{regexp.MustCompile(`^--(output-format|format|json|output|stream-json)$`), "see argv and output: the gateway always asks for the same format"},
			{regexp.MustCompile(`^--(prompt|prompt-file|prompt-interactive|print|interactive|input-format)$`), "see prompt"},
			{regexp.MustCompile(`^-C$|^--(cwd|cd|directory|dir|working-directory|workdir)$`), "calls have workingDir"},
			{regexp.MustCompile(`^--(mcp-config|mcp-servers?|strict-mcp-config)$`), "see mcp"},
		},
		reckless: regexp.MustCompile(`(?i)danger|yolo|bypass|unsafe|auto.?approv|approv\w*.?all|always.?approv|allow.?all|no.?sandbox|full.?access|full.?auto|skip.{0,12}(permission|approv|confirm|trust|check)|` +
			`without.{0,20}(ask|approv|confirm|permission|prompt)|(never|not).(ask|prompt)|no.?confirm|^--?(y|yes|force)$|^--(allow|trust)|accept.?edits|auto.?accept`),
		careful: regexp.MustCompile(`^--(deny|disallow|disable|exclude|safe|sandbox$)`),
		flag:    regexp.MustCompile(`^(-[A-Za-z0-9]|--[A-Za-z0-9][A-Za-z0-9-]*)$`),
		number:  regexp.MustCompile(`(?i)^[<\[]?(n|num|number|int|integer|count|seconds|ms|port|turns)[>\]]?$`),
	}
})

// positive is the option that another turns off, nil if it does not: --x of --no-x.
func positive(h *Help, o HelpOption) *HelpOption {
	for _, n := range o.Names {
		if rest, no := strings.CutPrefix(n, "--no-"); no && o.Value == "" {
			if other := h.Option("--" + rest); other != nil && other.Value == "" {
				return other
			}
		}
	}
	return nil
}

// param is a line of the table for an option, or why there is none.
func param(h *Help, o HelpOption) (name, line, why string) {
	flag := ""
	for _, n := range o.Names {
		for _, known := range look().ours {
			if known.option.MatchString(n) {
				return "", "", known.why
			}
		}
		if look().flag.MatchString(n) && len(n) > len(flag) {
			flag = n
		}
	}
	if flag == "" {
		return "", "", "not an option of the form -x or --long-name"
	}
	if name = camelCase(strings.TrimLeft(flag, "-")); name == "" {
		return "", "", "its name starts with a digit"
	}
	doc := strings.TrimSpace(strings.Join(strings.Fields(o.Doc), " "))
	if doc == "" {
		doc = "The option " + flag
	}
	fields := []string{"doc: " + inJSON(clipped(doc, 200))}
	add := func(key string, v any) { fields = append(fields, key+": "+inJSON(v)) }
	switch {
	case o.List:
		add("type", "list")
	case o.Value == "":
		add("type", "bool")
	case look().number.MatchString(o.Value):
		add("type", "int")
	}
	values := slices.DeleteFunc(slices.Clone(o.Values), func(v string) bool { return v == "" })
	if o.Loose || o.Value == "" || slices.Contains(fields, `type: "int"`) {
		values = nil
	}
	if len(values) > 0 {
		add("enum", values)
	}
	add("flag", flag)
	if off := h.Option("--no-" + strings.TrimPrefix(flag, "--")); off != nil && off.Value == "" && o.Value == "" && !o.List {
		add("noFlag", off.Names[slices.Index(off.Names, "--no-"+strings.TrimPrefix(flag, "--"))])
	}
	if o.List {
		add("each", true)
	}
	risky := slices.DeleteFunc(slices.Clone(values), func(v string) bool { return !look().reckless.MatchString(v) })
	switch {
	case len(risky) > 0:
		add("danger", risky)
	case look().careful.MatchString(flag):
	case look().reckless.MatchString(flag), len(values) == 0 && look().reckless.MatchString(doc):
		add("danger", true)
	}
	return name, name + ": {" + strings.Join(fields, ", ") + "}", ""
}

// camelCase makes the name of a parameter; "" if none can be made.
func camelCase(flag string) string {
	var b strings.Builder
	up := false
	for _, r := range flag {
		switch {
		case r == '-' || r == '_':
			up = b.Len() > 0
		case up:
			b.WriteRune(unicode.ToUpper(r))
			up = false
		default:
			b.WriteRune(r)
		}
	}
	name := b.String()
	if name == "" || name[0] >= '0' && name[0] <= '9' {
		return ""
	}
	if len(name) > 1 && name[1] >= 'a' && name[1] <= 'z' {
		name = strings.ToLower(name[:1]) + name[1:]
	}
	return name
}

func commandNames(h *Help) string {
	var names []string
	for _, c := range h.Commands {
		if len(c.Names) > 0 {
			names = append(names, c.Names[0])
		}
	}
	return strings.Join(names, ", ")
}

// clipped keeps the first characters of a text.
func clipped(s string, most int) string {
	if utf8.RuneCountInString(s) <= most {
		return s
	}
	return string([]rune(s)[:most-1]) + "…"
}
