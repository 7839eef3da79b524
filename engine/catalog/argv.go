package catalog

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/llm-cli-gateway/gateway/engine/text"
)

// MaxWordBytes is the greatest length of one word of a command line in bytes, its final
// NUL included: Linux refuses longer ones (MAX_ARG_STRLEN).
const MaxWordBytes = 128 << 10

// Command is a call as a command line. It does not name the program file yet: where Bin is
// installed is a matter of the machine.
type Command struct {
	Bin   string
	Args  []string          // without the program itself
	Stdin *string           // nil: nothing is written to standard input
	Env   map[string]string // set for this run, over whatever is passed on
	Drop  []string          // patterns of variables that are not passed on
	Files []File            // that its words name by their paths
	// Writes is the name of the file in the folder that the program is told to write; "" for none.
	Writes string
	Steps  []Step // where each word came from, and how the model was found
}

// Command renders the call. Its files will lie in the folder, a path.
//
// This is the one place where a value becomes part of a command line. It gets there
// joined to its option, or as a word that does not begin with a dash, or after a
// literal "--"; everything else is refused.
func (c *Call) Command(folder string) (Command, Violations) {
	r := renderer{call: c, folder: folder}
	r.cmd = Command{Bin: c.CLI.Bin, Env: map[string]string{}, Args: []string{}, Steps: slices.Clone(c.steps)}
	for name, value := range c.CLI.Env.Set.All() {
		r.cmd.Env[name] = value
	}
	if via := c.CLI.CLISpec.Prompt.Via; via == "" || via == "stdin" {
		sent := c.Sent()
		r.cmd.Stdin = &sent
	}
	for _, w := range c.CLI.argv[c.Mode] {
		r.word(w)
	}
	r.variables()
	for i, arg := range r.cmd.Args {
		if len(arg) >= MaxWordBytes {
			r.refuse(r.owner(i), "is too long for a command line: %s bytes, at most %s fit", text.Number(float64(len(arg))), text.Number(MaxWordBytes-1))
		}
	}
	if len(r.wrong) > 0 {
		return Command{}, r.wrong
	}
	return r.cmd, nil
}

// Sent is the prompt as the CLI is given it.
func (c *Call) Sent() string {
	if strings.HasPrefix(c.Prompt, "/") {
		return c.CLI.CLISpec.Prompt.Guard + c.Prompt
	}
	return c.Prompt
}

type renderer struct {
	call   *Call
	folder string // of its files
	cmd    Command
	owners []string // parameter of each word, "" for a literal
	wrong  Violations
}

func (r *renderer) put(word, owner, from string) {
	r.cmd.Args = append(r.cmd.Args, word)
	r.owners = append(r.owners, owner)
	r.cmd.Steps = append(r.cmd.Steps, Step{Word: word, From: from})
}

func (r *renderer) owner(i int) string { return r.owners[i] }

func (r *renderer) refuse(param, format string, args ...any) {
	r.wrong = append(r.wrong, Violation{Param: param, Text: fmt.Sprintf(format, args...)})
}

func (r *renderer) word(w word) {
	switch w.slot {
	case slotNone:
		r.put(w.text, "", w.from)
	case slotSession:
		for _, s := range r.call.CLI.session[r.call.Mode] {
			r.session(s, w.safe)
		}
	case slotPrompt:
		r.prompt(w)
	case slotMCP:
		r.servers()
	case slotAccess:
		r.access()
	case slotOutput:
		r.outputFile()
	case slotParam:
		r.positional(w)
	case slotParams:
		for _, p := range r.call.CLI.params {
			if p.role == "" && p.Group == w.name && !p.bySlot {
				r.param(p)
			}
		}
	}
}

func (r *renderer) session(w word, safe bool) {
	if r.call.own {
		r.refuse(ParamSessionID, "there is no such session of %s", r.call.CLI.DisplayName())
		return
	}
	text := strings.ReplaceAll(w.text, "{id}", r.call.SessionID)
	if strings.HasPrefix(w.text, "{id}") && !safe && strings.HasPrefix(text, "-") {
		r.refuse(ParamSessionID, "begins with a dash and would be read as an option")
		return
	}
	owner := ""
	if text != w.text {
		owner = ParamSessionID
	}
	r.put(text, owner, w.from)
}

func (r *renderer) prompt(w word) {
	spec := r.call.CLI.CLISpec.Prompt
	text := r.call.Sent()
	if spec.Via == "file" {
		r.cmd.Files = append(r.cmd.Files, File{Name: PromptFile, Text: text})
		text = r.file(PromptFile)
	}
	from := "argument " + ParamPrompt
	if spec.Flag == "" {
		r.bare(text, ParamPrompt, from, w.safe)
		return
	}
	r.option(spec.Flag, !strings.HasPrefix(spec.Flag, "--"), text, ParamPrompt, from)
}

// option writes flag and value, joined unless the CLI wants two words.
func (r *renderer) option(flag string, twoWords bool, value, owner, from string) {
	if !twoWords {
		r.put(flag+"="+value, owner, from)
		return
	}
	if strings.HasPrefix(value, "-") {
		r.refuse(owner, "begins with a dash and would be read as an option")
		return
	}
	r.put(flag, owner, from)
	r.put(value, owner, from)
}

// bare writes a value as a word of its own.
func (r *renderer) bare(value, owner, from string, safe bool) {
	if strings.HasPrefix(value, "-") && !safe {
		r.refuse(owner, "begins with a dash and would be read as an option")
		return
	}
	r.put(value, owner, from)
}

func (r *renderer) positional(w word) {
	p := r.call.CLI.byName[w.name]
	v, ok := r.call.values[p.Name]
	if !ok || !r.call.ConditionHolds(p) {
		return
	}
	for _, text := range r.texts(p, v) {
		r.bare(text, p.Name, r.origin(p), w.safe)
	}
}

// origin says who chose the value of a parameter.
func (r *renderer) origin(p *Param) string {
	if r.call.given[p.Name] {
		return "argument " + p.Name
	}
	return "default of " + p.Name
}

func (r *renderer) param(p *Param) {
	v, ok := r.call.values[p.Name]
	if !ok || !r.call.ConditionHolds(p) {
		return
	}
	from := r.origin(p)
	switch {
	case p.Kind == Bool:
		r.boolean(p, v.(bool), from)
	case p.Values != nil:
		for _, value := range r.texts(p, v) {
			for _, word := range p.Values[value] {
				r.put(word, "", from)
			}
		}
	case p.Flag != "":
		for _, text := range r.texts(p, v) {
			r.option(p.Flag, p.dash(), text, p.Name, from)
		}
	}
}

func (r *renderer) boolean(p *Param, on bool, from string) {
	switch {
	case on && p.Words != nil:
		for _, word := range p.Words {
			r.put(word, "", from)
		}
	case on && p.Flag != "":
		r.put(p.Flag, "", from)
	case !on && p.NoFlag != "":
		r.put(p.NoFlag, "", from)
	}
}

// texts are the values as they stand in the command line: one, or one for each
// element of a list that repeats its flag. An empty list writes nothing.
func (r *renderer) texts(p *Param, v any) []string {
	switch v := v.(type) {
	case []string:
		if p.Each || p.bySlot || p.Values != nil {
			out := make([]string, 0, len(v))
			for _, item := range v {
				out = append(out, r.encode(p, item))
			}
			return out
		}
		for _, item := range v {
			// With the separator behind it, so that an end like the separator's
			// beginning is found too.
			if sep := p.separator(); strings.Index(item+sep, sep) < len(item) {
				r.refuse(p.Name, "element %q contains %q or ends like it, and that separates the elements", text.Abbreviate(item), sep)
				return nil
			}
		}
		if len(v) == 0 {
			return nil
		}
		return []string{r.encode(p, strings.Join(v, p.separator()))}
	case int:
		return []string{r.encode(p, strconv.Itoa(v))}
	case float64:
		return []string{r.encode(p, strconv.FormatFloat(v, 'f', -1, 64))}
	case string:
		return []string{r.encode(p, v)}
	}
	return nil
}

// encode puts the value into the template of the parameter.
func (r *renderer) encode(p *Param, value string) string {
	switch p.encoder {
	case "":
		return value
	case "json":
		// The string is read back by other parsers than JSON's (TOML), which refuse
		// control characters and U+007F even when they are escaped.
		if strings.ContainsFunc(value, func(c rune) bool { return c < ' ' || c == 0x7f }) {
			r.refuse(p.Name, "contains a control character")
			return ""
		}
		if p.Kind == Int || p.Kind == Number {
			return p.pre + value + p.post
		}
		return p.pre + quote(value) + p.post
	}
	return p.pre + value + p.post
}

// quote is a JSON string without the escapes that only HTML needs.
func quote(s string) string {
	var b strings.Builder
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(s); err != nil {
		panic("plan: a string always encodes: " + err.Error())
	}
	return strings.TrimSuffix(b.String(), "\n")
}

// variables sets what travels in the environment.
func (r *renderer) variables() {
	for _, p := range r.call.CLI.params {
		v, ok := r.call.values[p.Name]
		if p.Env == "" || !ok || !r.call.ConditionHolds(p) {
			continue
		}
		for _, text := range r.texts(p, v) {
			r.variable(p.Env, text, p.Name, r.origin(p))
		}
	}
}

// variable sets one. Two that are JSON objects become one. Its value is not shown: it may contain a key.
func (r *renderer) variable(name, body, owner, from string) {
	if entry := len(name) + len("=") + len(body); entry >= MaxWordBytes {
		r.refuse(owner, "is too long for the environment: %s bytes with its name, at most %s fit", text.Number(float64(entry)), text.Number(MaxWordBytes-1))
	}
	r.cmd.Env[name] = text.MergeJSON(r.cmd.Env[name], body)
	r.cmd.Steps = append(r.cmd.Steps, Step{Word: name, From: from + " (environment)"})
}
