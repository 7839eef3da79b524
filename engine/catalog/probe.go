package catalog

import (
	"maps"
	"slices"
	"strings"

	"github.com/llm-cli-gateway/gateway/engine/catalog/modelnames"
	"github.com/llm-cli-gateway/gateway/engine/lang"
	"github.com/llm-cli-gateway/gateway/engine/text"
)

// models checks aliases: they may point at each other, but not in a circle.
func (c compiler) models(ps lang.Problems) {
	c.declare()
	modelnames.CheckSources(c.cli.Models.Sources, ps.At("sources"))
	m := c.cli.Models
	p, ok := c.cli.byName[ParamModel]
	switch {
	case !ok && m.Default == "" && m.Aliases.Len() == 0 && m.Known.Len() == 0 && m.Sources.Len() == 0:
		return
	case !ok:
		ps.Add("model", "models are named, but there is no parameter %q to pass one", ParamModel).Key = true
		return
	case p.Kind != String:
		ps.Siblings("params", ParamModel).Add("model", "the model must be of type %q", String).Key = true
		return
	}
	for alias, to := range m.Aliases.All() {
		at := ps.At("aliases", alias)
		if c.cli.declared.LeadsBack(alias) {
			at.Add("cycle", "alias %q refers back to itself", alias)
			continue
		}
		if text := p.checkText(alias); text != "" {
			at.Add("model", "the alias can never be used: it %s", text)
		}
		if _, isAlias := m.Aliases.Get(to); !isAlias {
			c.model(p, to, at)
		}
	}
	for name := range m.Known.All() {
		c.model(p, name, ps.At("known", name))
	}
	if m.Default == "" {
		return
	}
	if p.Default != nil {
		ps.At("default").Add("default", "param %q has a default of its own", ParamModel).Key = true
	}
	if _, isAlias := m.Aliases.Get(m.Default); !isAlias {
		c.model(p, m.Default, ps.At("default"))
	}
}

// model checks a name that the spec passes on by itself.
func (c compiler) model(p *Param, name string, ps lang.Problems) {
	if name == "" {
		return
	}
	if text := p.checkText(name); text != "" {
		ps.Add("model", "the model %s", text)
		return
	}
	if strings.HasPrefix(name, "-") {
		ps.Add("dash", "%q would be read as an option", name)
		return
	}
	c.reportRefusal(p, name, ps)
}

// usable checks that the values which the spec itself names can be passed. One that
// Command refuses would make every call of it fail.
func (c compiler) usable(ps lang.Problems) {
	if c.vetted {
		return
	}
	for _, p := range c.cli.params {
		if p.Default != nil {
			c.reportRefusal(p, p.Default, ps.At(p.Name, "default"))
		}
		if p.Kind != String && p.Kind != List {
			continue
		}
		for i, value := range p.Enum {
			bound := any(value)
			if p.Kind == List {
				bound = []string{value}
			}
			if p.checkText(value) != "" {
				ps.At(p.Name, "enum", i).Add("enum", "%q can never be passed: %s", value, p.checkText(value))
				continue
			}
			c.reportRefusal(p, bound, ps.At(p.Name, "enum", i))
		}
	}
}

// reportRefusal reports what Command says against a value, once.
func (c compiler) reportRefusal(p *Param, value any, ps lang.Problems) {
	if body := c.cli.refusal(p, value); body != "" {
		ps.Add("value", "%q can never be passed: %s", text.Abbreviate(defaultText(value)), body)
	}
}

// refusal is what Command says against a value of a parameter, or "".
func (c *CLI) refusal(p *Param, value any) string {
	for _, mode := range modes {
		if _, ok := c.argv[mode]; !ok || !p.Applies(mode) {
			continue
		}
		_, refused := c.probe(p, mode, value).Command("")
		for _, v := range refused {
			if v.Param == p.Name {
				return v.Text
			}
		}
	}
	return ""
}

// probe is a call in which one parameter has a value, whatever its condition says.
func (c *CLI) probe(p *Param, mode lang.Mode, value any) *Call {
	shown := *p
	shown.when = nil
	return &Call{CLI: c.with(&shown), Mode: mode, Prompt: "hi", SessionID: "id",
		values: map[string]any{p.Name: value}, given: map[string]bool{p.Name: true}}
}

// with is the CLI with one parameter exchanged.
func (c *CLI) with(p *Param) *CLI {
	out := *c
	out.params, out.byName = slices.Clone(c.params), maps.Clone(c.byName)
	for i, old := range out.params {
		if old.Name == p.Name {
			out.params[i] = p
		}
	}
	out.byName[p.Name] = p
	return &out
}

// HostileValues are values that try to be read as an option, alone or out of a list or template.
var HostileValues = []string{"--evil", "-e", "--evil=x", `"--evil`, "x,--evil", "x --evil", "x\n--evil"}

// FreeText are the parameters whose value a caller words and that can reach the command
// line: the prompt, the session id, and those of the spec that are no numbers or switches.
func (c *CLI) FreeText() (free []*Param) {
	for _, p := range c.params {
		worded := p.Kind == String || p.Kind == List
		if worded && (p.role == "" || p.role == rolePrompt || p.role == roleSession) {
			free = append(free, p)
		}
	}
	return free
}

// Try renders a call in which one parameter of FreeText has a value, whatever its
// condition says. The mode is one of Modes.
func (c *CLI) Try(p *Param, mode lang.Mode, value string) (Command, Violations) {
	call := c.probe(p, mode, nil)
	switch body := p.checkText(value); {
	case p.role == rolePrompt:
		call.Prompt = value
	case p.role == roleSession && !c.AcceptsID(value):
		return Command{}, Violations{{Param: p.Name, Text: "not an id"}}
	case p.role == roleSession:
		call.SessionID = value
	case body != "":
		return Command{}, Violations{{Param: p.Name, Text: body}}
	case p.Kind == List:
		call.values[p.Name] = []string{value}
	default:
		call.values[p.Name] = value
	}
	return call.Command("/private")
}
