package catalog

import (
	"fmt"
	"slices"
	"strings"
)

// Uncovered tells what of each CLI no example shows, as warnings: parameters, values of
// enums, modes, and what is read out of the output.
func (c *Catalog) Uncovered() []Problem {
	ps := newProblems()
	for _, cli := range c.CLIs {
		seen := coverage{values: map[string]map[string]bool{}, modes: map[Mode]bool{}, out: map[string]bool{}}
		for _, ex := range cli.Examples {
			if call, violations := cli.pretend(ex); ex.Refused == "" && violations == nil {
				seen.add(call, ex)
			}
		}
		seen.report(cli, ps.at("cli", cli.Name))
	}
	for i := range *ps.list {
		(*ps.list)[i].Warning, (*ps.list)[i].Key = true, true
	}
	return *ps.list
}

// coverage is what the examples of a CLI show.
type coverage struct {
	values  map[string]map[string]bool // by parameter
	modes   map[Mode]bool
	out     map[string]bool // fields that are decoded
	servers bool            // MCP servers are handed over
	none    bool            // all MCP servers are taken away
	guard   bool            // a prompt begins with a slash
}

// add takes up an example. What it says nothing about it does not show: a parameter
// that becomes words needs the words, one that is a variable its name.
func (s *coverage) add(call *Call, ex ExampleSpec) {
	if ex.Argv != nil {
		s.modes[call.Mode] = true
		if e := call.equipment; e != nil {
			s.servers = s.servers || len(e.Enabled) > 0
			s.none = s.none || len(e.Requested) == 0
		}
	}
	s.guard = s.guard || strings.HasPrefix(call.Prompt, "/") && (ex.Stdin != nil || ex.Argv != nil)
	for _, p := range call.CLI.params {
		v, ok := call.values[p.Name]
		_, named := ex.Env.Values[p.Env]
		told := ex.Argv != nil
		switch {
		case p.role != "" || !ok || !call.given[p.Name]:
			continue
		case p.Show != nil:
			told = true
		case p.Env != "":
			// One that its condition leaves out has no name to be told by.
			told = named || slices.Contains(ex.Env.Names, p.Env) || told && !p.when.holds(call.scope())
		}
		if !told {
			continue
		}
		if s.values[p.Name] == nil {
			s.values[p.Name] = map[string]bool{}
		}
		for _, text := range asTexts(v) {
			s.values[p.Name][text] = true
		}
	}
	if ex.Out == nil {
		return
	}
	for _, f := range []struct {
		key string
		is  bool
	}{
		{"text", ex.Out.Text != nil}, {"model", ex.Out.Model != nil}, {"usage", ex.Out.Usage != nil}, {"cost", ex.Out.Cost != nil},
		{"session", ex.Out.Session != nil}, {"failure", ex.Out.Class != nil && *ex.Out.Class != ""},
	} {
		s.out[f.key] = s.out[f.key] || f.is
	}
}

// asTexts are the values, as an enum has them, of a bound value.
func asTexts(v any) []string {
	if list, ok := v.([]string); ok {
		return list
	}
	return []string{fmt.Sprint(v)}
}

func (s *coverage) report(cli *CLI, ps problems) {
	add := func(at problems, format string, args ...any) { at.add("coverage", "no example "+format, args...) }
	for _, mode := range modes {
		if _, ok := cli.argv[mode]; ok && !s.modes[mode] {
			add(ps.at("argv"), "shows the command line of mode %q", mode)
		}
	}
	for _, p := range cli.params {
		if p.role == "" {
			s.param(p, ps.at("params", p.Name), add)
		}
	}
	if !cli.MCP.isZero() && !s.servers {
		add(ps.at("mcp"), "hands MCP servers over")
	}
	if cli.MCP.None != nil && !s.none {
		add(ps.at("mcp", "none"), "takes all MCP servers away")
	}
	if cli.CLISpec.Prompt.Guard != "" && !s.guard {
		add(ps.at("prompt", "guard"), "has a prompt that begins with a slash")
	}
	out := ps.at("output")
	for _, f := range []struct {
		key string
		is  bool
		at  problems
	}{
		{"text", cli.Output.Format != "text", out.at("text")}, {"model", cli.out.model != nil, out.at("model")},
		{"usage", len(cli.out.usage) > 0, out.at("usage")}, {"cost", cli.out.cost != nil, out.at("cost")},
		{"session", cli.out.id != nil, ps.at("session", "capture")},
	} {
		if f.is && !s.out[f.key] {
			add(f.at, "reads it out of captured output")
		}
	}
	if len(cli.failure) > 0 && !s.out["failure"] {
		add(ps.at("failure"), "has the output of a failed run")
	}
}

func (s *coverage) param(p *Param, at problems, add func(problems, string, ...any)) {
	values, ok := s.values[p.Name]
	if !ok {
		add(at, "gives it")
		return
	}
	missing := []string{}
	for _, value := range p.Enum {
		if !values[value] {
			missing = append(missing, fmt.Sprintf("%q", value))
		}
	}
	if len(missing) > 0 {
		add(at.at("enum"), "gives %s", strings.Join(missing, ", "))
	}
	if p.Off != "" && !values["false"] {
		add(at.at("off"), "gives false")
	}
}
