package check

import (
	"fmt"
	"slices"
	"strings"

	"github.com/llm-cli-gateway/gateway/engine/catalog"
	"github.com/llm-cli-gateway/gateway/engine/lang"
)

// Uncovered reports what of each CLI no example shows, as warnings: parameters, values of
// enums, modes, and what is read out of the output.
func Uncovered(c *catalog.Catalog) []lang.Problem {
	ps := lang.NewProblems()
	for _, cli := range c.CLIs {
		seen := coverage{values: map[string]map[string]bool{}, modes: map[lang.Mode]bool{}, out: map[string]bool{}}
		for _, ex := range cli.Examples {
			if call, violations := BindExample(c, cli, ex); ex.Refused == "" && violations == nil {
				seen.add(call, ex)
			}
		}
		seen.report(cli, ps.At("cli", cli.Name))
	}
	for i := range *ps.List {
		(*ps.List)[i].Warning, (*ps.List)[i].Key = true, true
	}
	return *ps.List
}

// coverage is what the examples of a CLI show.
type coverage struct {
	values  map[string]map[string]bool // by parameter
	modes   map[lang.Mode]bool
	out     map[string]bool // fields that are decoded
	servers bool            // MCP servers are passed
	none    bool            // all MCP servers are taken away
	guard   bool            // a prompt begins with a slash
}

// add records an example. What it does not name it does not show: a parameter
// that becomes words needs the words, one that is a variable its name.
func (s *coverage) add(call *catalog.Call, ex lang.ExampleSpec) {
	if ex.Argv != nil {
		s.modes[call.Mode] = true
		if e := call.Servers(); e != nil {
			s.servers = s.servers || len(e.Enabled) > 0
			s.none = s.none || len(e.Requested) == 0
		}
	}
	s.guard = s.guard || strings.HasPrefix(call.Prompt, "/") && (ex.Stdin != nil || ex.Argv != nil)
	for _, p := range call.CLI.Params() {
		v, ok := call.Value(p.Name)
		_, named := ex.Env.Values[p.Env]
		shown := ex.Argv != nil
		switch {
		case !p.InSpec() || !ok || !call.Given(p.Name):
			continue
		case p.Show != nil:
			shown = true
		case p.Env != "":
			// One that its condition leaves out has no name to report.
			shown = named || slices.Contains(ex.Env.Names, p.Env) || shown && !call.ConditionHolds(p)
		}
		if !shown {
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
		{"warnings", len(ex.Out.Warnings) > 0},
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

func (s *coverage) report(cli *catalog.CLI, ps lang.Problems) {
	add := func(at lang.Problems, format string, args ...any) { at.Add("coverage", "no example "+format, args...) }
	for _, mode := range cli.Modes() {
		if !s.modes[mode] {
			add(ps.At("argv"), "shows the command line of mode %q", mode)
		}
	}
	for _, p := range cli.Params() {
		if p.InSpec() {
			s.param(p, ps.At("params", p.Name), add)
		}
	}
	if !cli.MCP.IsZero() && !s.servers {
		add(ps.At("mcp"), "hands MCP servers over")
	}
	if cli.MCP.None != nil && !s.none {
		add(ps.At("mcp", "none"), "takes all MCP servers away")
	}
	if cli.CLISpec.Prompt.Guard != "" && !s.guard {
		add(ps.At("prompt", "guard"), "has a prompt that begins with a slash")
	}
	out, usage, file := ps.At("output"), cli.Output.Usage, cli.Output.File
	usage.Scope = ""
	for _, f := range []struct {
		key string
		is  bool
		at  lang.Problems
	}{
		{"text", cli.Output.Format != "text", out.At("text")}, {"model", cli.Output.Model.Take != "" || file.Model.Take != "", out.At("model")},
		{"usage", usage != (lang.UsageSpec{}) || file.Usage != (lang.UsageSpec{}), out.At("usage")}, {"cost", cli.Output.Cost.Take != "" || file.Cost.Take != "", out.At("cost")},
		{"session", cli.Session.Capture.Take != "", ps.At("session", "capture")},
		{"warnings", len(cli.Output.Warnings) > 0, out.At("warnings")},
	} {
		if f.is && !s.out[f.key] {
			add(f.at, "reads it out of captured output")
		}
	}
	if len(cli.Failure) > 0 && !s.out["failure"] {
		add(ps.At("failure"), "has the output of a failed run")
	}
}

func (s *coverage) param(p *catalog.Param, at lang.Problems, add func(lang.Problems, string, ...any)) {
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
		add(at.At("enum"), "gives %s", strings.Join(missing, ", "))
	}
	if p.NoFlag != "" && !values["false"] {
		add(at.At("noFlag"), "gives false")
	}
}
