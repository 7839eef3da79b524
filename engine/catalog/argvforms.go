package catalog

import (
	"maps"
	"slices"
	"strconv"

	"github.com/llm-cli-gateway/gateway/engine/lang"
)

// ArgvForm is a row of words that a command line can hold, one behind the other.
type ArgvForm []ArgvWord

// ArgvWord is a word that a spec can put on a command line.
type ArgvWord struct {
	Text  string   // what only a call knows stands in braces
	Path  []string // where the spec says it, from the root
	Fixed bool     // it stands in the command line itself, so that it may be a subcommand
	// Takes are the values that follow an option; Valued says that one does which is no
	// word of the phrase.
	Takes  []ArgvWord
	Valued bool
}

// ArgvForms are the command lines that the spec knows: one for each mode, then those that ask
// for the version and for an upgrade. Each slot holds all that it can become; what the
// installed version does not have is left out.
func (c *CLI) ArgvForms() (lines [][]ArgvForm) {
	for _, mode := range modes {
		words, ok := c.argv[mode]
		if !ok {
			continue
		}
		at := []string{"argv"}
		if c.Argv.Resume != nil || c.Argv.Latest != nil {
			at = append(at, string(mode))
		}
		lines = append(lines, c.formOf(mode, words, at))
	}
	own := func(words []string, path ...string) {
		if len(words) > 0 {
			lines = append(lines, []ArgvForm{c.row(words, true, path...)})
		}
	}
	own(c.CLISpec.Version.Argv, "version", "argv")
	steps := func(latest, target lang.StepSpec, path ...string) {
		if latest.Bin == "" {
			own(latest.Argv, append(slices.Clone(path), "latest")...)
		}
		if target.Bin == "" {
			own(target.Argv, append(slices.Clone(path), "target")...)
		}
	}
	up := c.CLISpec.Upgrade
	steps(up.Latest, up.Target, "upgrade")
	for name, place := range up.Where.All() {
		steps(place.Latest, place.Target, "upgrade", "where", name)
	}
	return lines
}

func (c *CLI) path(keys ...string) []string { return append([]string{"cli", c.Name}, keys...) }

// row is a list of words of the spec.
func (c *CLI) row(words []string, fixed bool, path ...string) (out ArgvForm) {
	for i, text := range words {
		out = append(out, ArgvWord{Text: text, Path: c.path(append(slices.Clone(path), strconv.Itoa(i))...), Fixed: fixed})
	}
	return out
}

func (c *CLI) formOf(mode lang.Mode, words []word, at []string) (line []ArgvForm) {
	var row ArgvForm
	add := func(more ...ArgvForm) {
		line = append(append(line, row), more...)
		row = nil
	}
	i := -1
	for _, w := range words {
		if w.from != "" { // the spec says it
			i++
		}
		switch w.slot {
		case slotNone:
			row = append(row, ArgvWord{Text: w.text, Path: c.path(append(slices.Clone(at), strconv.Itoa(i))...), Fixed: true})
		case slotSession:
			key := map[lang.Mode]string{lang.New: "create", lang.Resume: "resume", lang.Latest: "latest"}[mode]
			words := map[lang.Mode][]string{lang.New: c.Session.Create, lang.Resume: c.Session.Resume, lang.Latest: c.Session.Latest}[mode]
			add(c.row(words, false, "session", key))
		case slotPrompt:
			if flag := c.CLISpec.Prompt.Flag; flag != "" {
				add(ArgvForm{{Text: flag, Path: c.path("prompt", "flag"), Valued: true}})
			} else {
				add()
			}
		case slotMCP:
			m := c.MCP
			add(c.row(m.Words, false, "mcp", "words"), c.row(m.Each, false, "mcp", "each"), c.row(m.Trusted, false, "mcp", "trusted"), c.row(m.Strict, false, "mcp", "strict"), c.row(m.None, false, "mcp", "none"))
		case slotAccess:
			add(c.accessForms()...)
		case slotOutput:
			add(c.row(c.Output.File.Words, false, "output", "file", "words"))
		case slotParams:
			add()
			for _, p := range c.params {
				if p.role == "" && !p.bySlot && p.Group == w.name && p.Applies(mode) && p.versions.Has(c.installed) {
					line = append(line, c.option(p)...)
				}
			}
		default:
			add()
		}
	}
	add()
	return slices.DeleteFunc(line, func(p ArgvForm) bool { return len(p) == 0 })
}

// option is what a parameter can become.
func (c *CLI) option(p *Param) (out []ArgvForm) {
	path := func(keys ...string) []string { return c.path(append([]string{"params", p.Name}, keys...)...) }
	if p.Flag != "" {
		first := ArgvWord{Text: p.Flag, Path: path("flag"), Valued: p.Kind != Bool}
		if p.encoder == "" {
			for i, value := range p.Enum {
				first.Takes = append(first.Takes, ArgvWord{Text: value, Path: path("enum", strconv.Itoa(i))})
			}
		}
		out = append(out, ArgvForm{first})
	}
	if p.NoFlag != "" {
		out = append(out, ArgvForm{{Text: p.NoFlag, Path: path("noFlag")}})
	}
	out = append(out, c.row(p.Words, false, "params", p.Name, "words"))
	for _, value := range slices.Sorted(maps.Keys(p.Values)) {
		out = append(out, c.row(p.Values[value], false, "params", p.Name, "values", value))
	}
	return slices.DeleteFunc(out, func(p ArgvForm) bool { return len(p) == 0 })
}
