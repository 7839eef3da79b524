package author

import (
	"regexp"
	"slices"
	"strings"
)

// Help is what the help text of a program says. It is a guess, since such texts are
// made for people: what does not look like an option or a command is left out.
type Help struct {
	Usage    []string // words of the first usage line, the name of the program included
	Options  []HelpOption
	Commands []HelpCommand
}

// HelpOption is an option that a help text lists.
type HelpOption struct {
	Names    []string // "-m", "--model", as they are typed; aliases too
	Value    string   // placeholder of its value, such as "<model>"; "" if it takes none
	Optional bool     // the value may be left out
	List     bool     // it takes several values, or can be repeated
	Doc      string   // on one line
	Values   []string // the values that are allowed; nil if the text has none
	Loose    bool     // the values were found in prose, and may be examples only
	Default  string   // as written; "" if there is none
}

// HelpCommand is a subcommand that a help text lists.
type HelpCommand struct {
	Names []string // its aliases too
	Doc   string   // on one line
}

// Option is the option of that name, nil if there is none.
func (h *Help) Option(name string) *HelpOption {
	for i := range h.Options {
		if slices.Contains(h.Options[i].Names, name) {
			return &h.Options[i]
		}
	}
	return nil
}

// Command is the subcommand of that name, nil if there is none.
func (h *Help) Command(name string) *HelpCommand {
	for i := range h.Commands {
		if slices.Contains(h.Commands[i].Names, name) {
			return &h.Commands[i]
		}
	}
	return nil
}

// Bounds of what is read of a help text.
const (
	maxHelp    = 1 << 20
	maxEntries = 5000 // options, and likewise commands
)

// ParseHelp reads a help text as the usual libraries print it: with a line for each
// option, its description behind it or below it, further in. It never fails.
func ParseHelp(text string) Help {
	p := helpParser{}
	text = escapes.ReplaceAllString(text[:min(len(text), maxHelp)], "")
	for _, line := range strings.Split(strings.ToValidUTF8(text, ""), "\n") {
		p.line(strings.TrimRight(tabs.Replace(line), " \r"))
	}
	p.end()
	if len(p.help.Options) == 0 {
		p.usageOptions()
	}
	return p.help
}

var (
	escapes = regexp.MustCompile("\x1b\\[[0-9;?]*[A-Za-z]|\x1b\\][^\x07\x1b]*\x07?|.\b")
	tabs    = strings.NewReplacer("\t", "    ")
)

// helpParser reads line by line. The entry that is being read is an option or a
// command; what stands further in than its first line describes it.
type helpParser struct {
	help    Help
	section section
	usages  []string // all usage lines
	begun   bool     // a line was read

	option  *HelpOption
	command *HelpCommand
	indent  int      // of the entry
	column  int      // where its description begins; 0 while unknown
	doc     []string // lines of its description
}

type section int

const (
	anywhere section = iota
	commands
	usage
	passed // nothing in it is an entry
)

// heading is a line that begins a section.
var (
	heading    = regexp.MustCompile(`^([A-Za-z][A-Za-z ()/&-]{0,60}):$|^([A-Z][A-Z ()/&-]{2,60}):?$`)
	firstUsage = regexp.MustCompile(`^[a-z][a-z0-9_-]*( [a-z][a-z0-9_-]*)* [\[<]`)
	usageLine  = regexp.MustCompile(`(?i)^\s*usage:\s*(.*)$`)
	quietTitle = regexp.MustCompile(`(?i)^(examples?|synopsis|environment( variables)?|learn more|help topics|(additional )?topics|exit (codes|status)|description|see also|notes?)$`)
)

func (p *helpParser) line(line string) {
	body := strings.TrimLeft(line, " ")
	indent := len(line) - len(body)
	if body == "" {
		p.blank()
		return
	}
	m := usageLine.FindStringSubmatch(line)
	if m == nil && !p.begun && firstUsage.MatchString(line) {
		m = []string{line, line}
	}
	p.begun = true
	if m != nil && indent <= 4 && p.option == nil {
		p.end()
		p.section = usage
		p.use(m[1])
		return
	}
	if m := heading.FindStringSubmatch(body); m != nil && indent <= 2 && !p.describes(indent) {
		p.end()
		p.section = sectionOf(m[1] + m[2])
		return
	}
	switch {
	case p.section == usage && (indent > 0 || len(p.usages) == 0):
		p.use(body)
	case p.section == passed && indent > 0:
	case p.describes(indent) && p.column > 0:
		p.doc = append(p.doc, body)
	case p.begins(body, indent):
	case p.describes(indent):
		p.column = indent
		p.doc = append(p.doc, body)
	case indent == 0:
		p.end()
		p.section = anywhere
	}
}

// blank: a list of commands may end with an empty line; descriptions may hold some.
func (p *helpParser) blank() {
	if p.section == usage {
		p.section = anywhere
	}
	if p.option != nil {
		p.doc = append(p.doc, "")
	}
}

func sectionOf(title string) section {
	lower := strings.ToLower(title)
	switch {
	case quietTitle.MatchString(title), strings.Contains(lower, "positional"), lower == "arguments", lower == "args":
		return passed
	case lower == "usage":
		return usage
	case strings.Contains(lower, "command") && !strings.Contains(lower, "option") && !strings.Contains(lower, "flag"):
		return commands
	}
	return anywhere
}

// use keeps a usage line. The first one has the name of the program.
func (p *helpParser) use(text string) {
	if text == "" || len(p.usages) == 100 {
		return
	}
	p.usages = append(p.usages, text)
	if p.help.Usage == nil {
		for _, word := range strings.Fields(text) {
			if !name.MatchString(word) {
				break
			}
			p.help.Usage = append(p.help.Usage, word)
		}
	}
}

// describes reports whether a line so far in can belong to the entry that is read.
func (p *helpParser) describes(indent int) bool {
	if p.option == nil && p.command == nil {
		return false
	}
	if p.column == 0 {
		return indent > p.indent
	}
	return indent >= p.column || indent > p.indent+8 // what is aligned to the right
}

// begins starts an entry if the line is the first of one.
func (p *helpParser) begins(body string, indent int) bool {
	const deepest = 10 // further in no library lists anything
	if indent > deepest {
		return false
	}
	if body[0] == '-' {
		o, doc, ok := optionLine(body)
		// The long options of a list that has short ones stand four further in.
		if !ok || p.describes(indent) && indent != p.indent+len("-x, ") {
			return false
		}
		p.end()
		if len(p.help.Options) < maxEntries {
			p.option, p.indent = &o, indent
			p.describe(doc, len(body)-len(doc)+indent)
		}
		return true
	}
	if p.section != commands || indent == 0 || p.describes(indent) {
		return false
	}
	c, doc, ok := p.commandLine(body)
	p.end()
	if ok && len(p.help.Commands) < maxEntries {
		p.command, p.indent = &c, indent
		p.describe(doc, len(body)-len(doc)+indent)
	}
	return ok
}

func (p *helpParser) describe(doc string, column int) {
	p.doc, p.column = nil, 0
	if doc != "" {
		p.doc, p.column = []string{doc}, column
	}
}

// end takes up the entry that was read.
func (p *helpParser) end() {
	if o := p.option; o != nil {
		o.Doc = strings.Join(strings.Fields(strings.Join(p.doc, " ")), " ")
		o.annotations(p.doc)
		p.help.Options = append(p.help.Options, *o)
	}
	if c := p.command; c != nil {
		c.Doc = strings.Join(strings.Fields(strings.Join(p.doc, " ")), " ")
		if m := aliases.FindStringSubmatch(c.Doc); m != nil {
			c.Names = append(c.Names, split(m[1])...)
		}
		p.help.Commands = append(p.help.Commands, *c)
	}
	p.option, p.command, p.doc, p.column = nil, nil, nil, 0
}

var (
	gap  = regexp.MustCompile(`  +`)
	name = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_:.-]*$`)
)

// commandLine reads "name, alias <ARGUMENT>  What it does", with the words of the
// program before it or not.
func (p *helpParser) commandLine(body string) (c HelpCommand, doc string, ok bool) {
	head := body
	if at := gap.FindStringIndex(body); at != nil {
		head, doc = body[:at[0]], body[at[1]:]
	}
	words := strings.Fields(head)
	common := 0
	for common < min(len(words), len(p.help.Usage)) && words[common] == p.help.Usage[common] {
		common++
	}
	if common < len(words) {
		words = words[common:]
	}
	for _, word := range words {
		names := strings.FieldsFunc(word, func(r rune) bool { return r == '|' || r == ',' })
		for _, n := range names {
			if !name.MatchString(n) {
				return c, doc, len(c.Names) > 0
			}
			c.Names = append(c.Names, n)
		}
		if !strings.HasSuffix(word, ",") {
			break
		}
	}
	return c, doc, len(c.Names) > 0
}
