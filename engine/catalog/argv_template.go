package catalog

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/llm-cli-gateway/gateway/engine/catalog/argvtemplate"
	"github.com/llm-cli-gateway/gateway/engine/lang"
	"github.com/llm-cli-gateway/gateway/engine/text"
)

// word is one element of a command line as the spec writes it.
type word struct {
	text string // literal, or for slotTemplate the text with {id}
	slot slot
	name string // group of slotParams, name of slotParam
	safe bool   // stands behind the literal "--" that ends the options: a leading dash means nothing
	from string // where the word stands in the spec, for explain
}

type slot int

const (
	slotNone     slot = iota
	slotParams        // {params} or {params.GROUP}
	slotSession       // {session}
	slotPrompt        // {prompt}
	slotMCP           // {mcp}
	slotParam         // {NAME}
	slotAccess        // {access}
	slotOutput        // {output}
	slotTemplate      // words of session: text around {id}
)

// argv reads the command line of every mode that the CLI has.
func (c compiler) argv(ps lang.Problems) {
	spec := c.cli.Argv
	perMode := spec.Resume != nil || spec.Latest != nil
	for _, m := range []struct {
		mode  lang.Mode
		words []string
	}{{lang.New, spec.New}, {lang.Resume, spec.Resume}, {lang.Latest, spec.Latest}} {
		at := ps
		words := m.words
		switch {
		case perMode && m.mode != lang.New && words == nil:
			continue
		case perMode:
			at = ps.At(string(m.mode))
		case m.mode == lang.New:
		default:
			words = spec.New
		}
		if m.mode != lang.New && c.cli.session[m.mode] == nil && !perMode {
			continue
		}
		// The list that serves every mode is reported once, for the first.
		if !perMode && m.mode != lang.New {
			at.List = &[]lang.Problem{}
		}
		if perMode && m.mode != lang.New && c.cli.session[m.mode] == nil {
			problem := at.Add("mode", "no call has mode %q, because session does not define it", m.mode)
			problem.Hint, problem.Key = "add session."+string(m.mode), true
		}
		c.cli.argv[m.mode] = c.words(words, at)
	}
}

func (c compiler) words(words []string, ps lang.Problems) []word {
	out := make([]word, 0, len(words))
	safe := false
	for i, text := range words {
		w := word{text: text, safe: safe, from: strings.Join(ps.At(i).Path, ".")}
		if !c.isSlot(&w, ps.At(i)) && text == "--" {
			safe = true
		}
		argvtemplate.NoNUL(text, ps.At(i))
		out = append(out, w)
	}
	c.checkSlots(out, ps)
	return c.place(slotAccess, c.place(slotOutput, out))
}

// checkSlots checks the slots of a command line against each other.
func (c compiler) checkSlots(words []word, ps lang.Problems) {
	type use struct {
		slot slot
		name string
	}
	seen := map[use]bool{}
	for i, w := range words {
		if w.slot == slotNone {
			continue
		}
		if seen[use{w.slot, w.name}] {
			ps.At(i).Add("slot", "%s is used twice", w.text)
		}
		seen[use{w.slot, w.name}] = true
		// Options behind "--" are for another program, which has
		// not seen that "--": nothing is safe there.
		if (w.slot == slotParams || w.slot == slotMCP || w.slot == slotAccess || w.slot == slotOutput) && w.safe {
			for k := range words {
				words[k].safe = false
			}
		}
	}
}

// misspelled reports whether the word was meant to be a slot. What it would have stood for
// is then missing for that reason, and need not be reported again for every parameter.
func (w word) misspelled() bool {
	return w.slot == slotNone && argvtemplate.Placeholder.FindString(w.text) == w.text
}

// isSlot finds out which slot a word is. Placeholders stand alone: a value inside
// a longer word would need an encoder.
func (c compiler) isSlot(w *word, ps lang.Problems) bool {
	found := argvtemplate.Placeholder.FindString(w.text)
	if found == "" {
		return false
	}
	name := strings.Trim(found, "{}")
	if found != w.text {
		problem := ps.Add("slot", "a slot must be a word of its own, not part of %q", w.text)
		if p, ok := c.cli.byName[name]; ok && p.role == "" {
			problem.Hint = "give param " + name + " a flag"
		}
		return false
	}
	group, isGroup := strings.CutPrefix(name, "params.")
	switch {
	case name == "params" || isGroup:
		w.slot = slotParams
		if isGroup {
			w.name = group
		}
	case name == "session":
		w.slot = slotSession
	case name == "prompt":
		w.slot = slotPrompt
	case name == "access":
		w.slot = slotAccess
	case name == "output" && c.cli.byName[name] == nil: // without a file it is nothing
		w.slot = slotOutput
	case name == "mcp":
		w.slot = slotMCP
		if c.cli.MCP.IsZero() {
			ps.Add("slot", "{mcp} has no words").Hint = "say in mcp how the CLI takes MCP servers"
		}
	default:
		p, ok := c.cli.byName[name]
		if !ok || p.role != "" {
			ps.Add("slot", "unknown slot %s", found).Hint = text.DidYouMean(name, append(c.cli.names(), "params", "session", "prompt", "mcp", "access"))
			return false
		}
		w.slot, w.name, p.bySlot = slotParam, name, true
	}
	return true
}

// sessions reads the words that start and continue conversations.
func (c compiler) sessions(ps lang.Problems) {
	s := c.cli.Session
	for _, list := range []struct {
		key   string
		mode  lang.Mode
		words []string
		id    bool
	}{{"create", lang.New, s.Create, true}, {"resume", lang.Resume, s.Resume, true}, {"latest", lang.Latest, s.Latest, false}} {
		if list.words == nil {
			continue
		}
		words, has := []word{}, false
		for i, text := range list.words {
			at := ps.At(list.key, i)
			for _, found := range argvtemplate.Placeholder.FindAllString(text, -1) {
				switch {
				case found != "{id}":
					at.Add("slot", "unknown slot %s", found).Hint = "use {id}"
				case !list.id:
					at.Add("slot", "{id} has no value here").Hint = "the CLI finds its newest conversation by itself"
				}
				has = true
			}
			argvtemplate.NoNUL(text, at)
			words = append(words, word{text: text, slot: slotTemplate, from: strings.Join(at.Path, ".")})
		}
		if list.id && !has {
			ps.At(list.key).Add("slot", "the id is not used").Hint = "write {id} where it belongs"
		}
		c.cli.session[list.mode] = words
	}
	id := s.ID
	if id == "" {
		id = `^[A-Za-z0-9][A-Za-z0-9._:-]{0,127}$`
	}
	re, err := regexp.Compile(id)
	switch {
	case err != nil:
		ps.At("id").Add("regexp", "%s", strings.TrimPrefix(err.Error(), "regexp: "))
	case re.MatchString("--evil") || re.MatchString("-e"):
		ps.At("id").Add("dash", "%q admits an id that would be read as an option", id).Hint = "begin it with ^[A-Za-z0-9]"
	}
	c.cli.id = re
	if s.Resume != nil && s.Create == nil && s.Capture.Take == "" {
		problem := ps.Add("session", "no call can be continued: ids are neither created nor captured")
		problem.Hint, problem.Key = "add create or capture", true
	}
}

// prompt checks that the prompt reaches the CLI in exactly the way that via says.
func (c compiler) prompt(ps lang.Problems) {
	p := c.cli.CLISpec.Prompt
	if p.Flag != "" && p.Via != "arg" && p.Via != "file" {
		ps.At("flag").Add("prompt", `a flag needs via "arg" or "file"`).Key = true
	}
	if least, most := p.Bounds(); least > most {
		ps.At("min").Add("bounds", "min %d is above max %d", least, most)
	}
	for _, mode := range modes {
		words, ok := c.cli.argv[mode]
		if !ok {
			continue
		}
		count, bare := 0, false
		for _, w := range words {
			if w.slot == slotPrompt {
				count++
				bare = bare || (p.Flag == "" && !w.safe)
			}
		}
		at := ps.Siblings("argv")
		if c.cli.Argv.Resume != nil || c.cli.Argv.Latest != nil {
			at = at.At(string(mode))
		}
		switch carried := p.Via == "arg" || p.Via == "file"; {
		case slices.ContainsFunc(words, word.misspelled):
		case carried && count == 0:
			at.Add("prompt", "the prompt is not used").Hint = "write {prompt} where it belongs"
		case !carried && count > 0:
			at.Add("prompt", "{prompt} has no value: the prompt goes over standard input").Hint = `prompt: via: "arg" changes that`
		case carried && bare && p.Via == "arg":
			problem := at.Add("prompt", "a prompt that begins with a dash will be refused")
			problem.Hint, problem.Warning = `put "--" before {prompt}, or give prompt a flag`, true
		}
	}
}

// checkPlacement checks that every parameter and session word reaches the command line of
// each mode that it applies to.
func (c compiler) checkPlacement(ps lang.Problems) {
	for _, mode := range modes {
		words, ok := c.cli.argv[mode]
		if !ok {
			if c.cli.session[mode] != nil {
				ps.Siblings("argv").Add("mode", "no command line for mode %q, which session has", mode)
			}
			continue
		}
		if len(c.cli.session[mode]) > 0 && !slices.ContainsFunc(words, func(w word) bool { return w.slot == slotSession || w.misspelled() }) {
			ps.Siblings("argv").Add("slot", "no {session} for the words of mode %q", mode)
		}
	}
	for _, mode := range modes {
		words, ok := c.cli.argv[mode]
		if ok && !c.cli.MCP.IsZero() && !slices.ContainsFunc(words, func(w word) bool { return w.slot == slotMCP || w.misspelled() }) {
			ps.Siblings("argv").Add("slot", "no {mcp} for the words of mcp")
			break
		}
	}
	for _, p := range c.cli.params {
		if p.role != "" {
			continue
		}
		at := ps.At(p.Name)
		for i, m := range p.Modes {
			if _, ok := c.cli.argv[m]; !ok {
				at.At("modes", i).Add("mode", "the CLI has no mode %q", m).Hint = "session says which modes there are"
			}
		}
		if p.ParamSpec.Required {
			for _, mode := range modes {
				if _, ok := c.cli.argv[mode]; ok && !p.Applies(mode) {
					at.At("required").Add("mode", "no call of mode %q could be valid, because this required parameter does not apply", mode).Key = true
				}
			}
		}
		c.reaches(p, at)
	}
}

// modes in the order in which problems are reported.
var modes = []lang.Mode{lang.New, lang.Resume, lang.Latest}

// Modes are those in which the CLI can be called.
func (c *CLI) Modes() (has []lang.Mode) {
	for _, mode := range modes {
		if _, ok := c.argv[mode]; ok {
			has = append(has, mode)
		}
	}
	return has
}

func (c compiler) reaches(p *Param, at lang.Problems) {
	option, beside := p.Flag != "" || p.Words != nil || p.Values != nil, p.Env != "" || p.Show != nil
	if p.bySlot && (option || beside) {
		at.Add("carrier", "argv names {%s}, and it has a carrier of its own", p.Name).Hint = "keep one of them"
	}
	if p.bySlot && p.Kind == Bool {
		at.Add("carrier", "argv names {%s}, but a bool has no value to write", p.Name).Hint = "give it a flag or words"
	}
	if beside {
		return
	}
	if !p.bySlot && !option {
		at.Add("carrier", "is not passed to the CLI").Hint = fmt.Sprintf("give it a flag, words, values, env or show, or name {%s} in argv", p.Name)
		return
	}
	for _, mode := range modes {
		words, ok := c.cli.argv[mode]
		if !ok || !p.Applies(mode) || slices.ContainsFunc(words, word.misspelled) {
			continue
		}
		has := slices.ContainsFunc(words, func(w word) bool {
			return p.bySlot && w.slot == slotParam && w.name == p.Name || !p.bySlot && w.slot == slotParams && w.name == p.Group
		})
		if has {
			continue
		}
		want := "{params}"
		switch {
		case p.bySlot:
			want = "{" + p.Name + "}"
		case p.Group != "":
			want = "{params." + p.Group + "}"
		}
		at.Add("slot", "argv of mode %q has no %s for it", mode, want).Hint = "add the slot, or say modes"
		return
	}
}
