package check

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/llm-cli-gateway/gateway/engine/catalog"
	"github.com/llm-cli-gateway/gateway/engine/catalog/access"
	"github.com/llm-cli-gateway/gateway/engine/catalog/extract"
	"github.com/llm-cli-gateway/gateway/engine/catalog/mcpservers"
	"github.com/llm-cli-gateway/gateway/engine/lang"
	"github.com/llm-cli-gateway/gateway/engine/policy"
	"github.com/llm-cli-gateway/gateway/engine/text"
)

// Example returns the problems of one example of the CLI.
func Example(c *catalog.Catalog, cli *catalog.CLI, ex lang.ExampleSpec) []lang.Problem {
	ps := lang.NewProblems()
	exampleRun{catalog: c, ex: ex, ps: ps}.run(cli)
	return *ps.List
}

// exampleRun holds a CLI against one of its examples.
type exampleRun struct {
	catalog *catalog.Catalog
	ex      lang.ExampleSpec
	ps      lang.Problems
}

// run goes from arguments to command line, and from output to answer.
func (e exampleRun) run(cli *catalog.CLI) {
	call, violations := BindExample(e.catalog, cli, e.ex)
	if e.ex.Refused != "" {
		e.refused(violations)
		return
	}
	if e.wrong(violations) {
		return
	}
	cmd, violations := call.Command(catalog.Anywhere)
	if e.wrong(violations) {
		return
	}
	if e.ex.Mode != "" && e.ex.Mode != call.Mode {
		e.report(e.ps.At("mode"), string(e.ex.Mode), string(call.Mode))
	}
	e.argv(cmd.Args)
	if got := deref(cmd.Stdin); e.ex.Stdin != nil && *e.ex.Stdin != got {
		e.report(e.ps.At("stdin"), *e.ex.Stdin, got)
	}
	e.env(cmd.Env)
	e.files(cmd.Files)
	e.verdicts(call)
	if e.ex.Out != nil {
		e.decodes(call, e.ps.At("out"))
	}
}

// BindExample binds the call of an example, and decides what it may do in a directory that
// nobody trusts. An id that the gateway would make is {id}, the directory {cwd}.
func BindExample(cat *catalog.Catalog, c *catalog.CLI, ex lang.ExampleSpec) (*catalog.Call, catalog.Violations) {
	in, err := json.Marshal(ex.In)
	if err != nil {
		return nil, catalog.Violations{{Text: "cannot be written as JSON: " + err.Error()}}
	}
	call, violations := c.At(ex.Version).Bind(in, nil, func() string { return "{id}" })
	if violations != nil {
		return nil, violations
	}
	granted, violations := cat.Access(call, access.Ceiling{})
	if violations != nil {
		return nil, violations
	}
	call = call.WithAccess(granted, catalog.Place{Dir: "{cwd}"})
	if violations := call.SelectServers(exampleSurroundings(call)); violations != nil {
		return nil, violations
	}
	_, violations = call.Command(catalog.Anywhere)
	return call, violations
}

// exampleSurroundings are surroundings in which every server that a call names can be had: its
// program has its name.
func exampleSurroundings(call *catalog.Call) mcpservers.Sources {
	asked, _ := call.Value(catalog.ParamMCPServers)
	names, _ := asked.([]string)
	servers := lang.Map[lang.ServerSpec]{}
	for _, name := range names {
		servers.Set(name, lang.ServerSpec{Command: name})
	}
	return mcpservers.Sources{Servers: servers, Find: func(bin string) (string, error) { return bin, nil },
		Set: func(string) bool { return true }, Own: func([]lang.OwnSpec) ([]string, error) { return names, nil }}
}

// wrong reports that a call is refused which should not be.
func (e exampleRun) wrong(violations catalog.Violations) bool {
	for _, v := range violations {
		at := e.ps.At("in")
		if _, ok := e.ex.In[v.Param]; ok {
			at = at.At(v.Param)
		}
		at.Add("example", "%s", catalog.Violations{v}.Error())
	}
	return violations != nil
}

func (e exampleRun) refused(violations catalog.Violations) {
	at := e.ps.At("refused")
	switch said := violations.Error(); {
	case violations == nil:
		at.Add("example", "the call is not refused")
	case !strings.Contains(said, e.ex.Refused):
		at.Add("example", "the call is refused with another message: %s", strings.ReplaceAll(said, "\n", "; "))
	}
}

// report points to the first byte that differs, and shows it where both are long.
func (e exampleRun) report(at lang.Problems, want, got string) {
	const before, few = 20, 60
	offset := 0
	for offset < min(len(want), len(got)) && want[offset] == got[offset] {
		offset++
	}
	for offset > 0 && offset < len(want) && !utf8.RuneStart(want[offset]) {
		offset--
	}
	w, g := want, got
	if cut := strings.LastIndexAny(want[:offset], " \n\t") + 1; offset > before && max(len(want), len(got)) > few {
		cut = max(cut, offset-before)
		for !utf8.RuneStart(want[cut]) {
			cut--
		}
		w, g = "…"+want[cut:], "…"+got[cut:]
	}
	at.Add("example", "want %q, got %q", text.Abbreviate(w), text.Abbreviate(g)).Offset = offset
}

// argv points to the first word that differs.
func (e exampleRun) argv(got []string) {
	want := e.ex.Argv
	if want == nil {
		return
	}
	for i := range max(len(want), len(got)) {
		text := ""
		switch {
		case i >= len(want):
			text = fmt.Sprintf("argv has more words than wanted: word %d is %q", i+1, got[i])
		case i >= len(got):
			text = fmt.Sprintf("argv ends early: want word %d %q", i+1, want[i])
		case want[i] != got[i]:
			text = fmt.Sprintf("argv differs at word %d: want %q, got %q", i+1, want[i], got[i])
		default:
			continue
		}
		e.ps.Add("example", "%s", text).Below = []string{"argv", strconv.Itoa(i)}
		return
	}
}

func (e exampleRun) env(set map[string]string) {
	names := e.ex.Env.Names
	for i, name := range names {
		if _, ok := set[name]; !ok {
			e.ps.At("env", i).Add("example", "%s is not set; set variables: %s", name, strings.Join(slices.Sorted(maps.Keys(set)), ", "))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(e.ex.Env.Values)) {
		got, ok := set[name]
		switch want := e.ex.Env.Values[name]; {
		case !ok:
			e.ps.At("env", name).Add("example", "%s is not set; set variables: %s", name, strings.Join(slices.Sorted(maps.Keys(set)), ", "))
		case got != want:
			e.report(e.ps.At("env", name), want, got)
		}
	}
}

// files compares the files that are made: as text, or as the JSON that stands in it.
func (e exampleRun) files(made []catalog.File) {
	if !e.ex.Files.Given() {
		return
	}
	byName := map[string]string{}
	for _, f := range made {
		byName[f.Name] = f.Text
		if _, ok := e.ex.Files.Get(f.Name); !ok {
			e.ps.At("files").Add("example", "unexpected file %s", f.Name).Key = true
		}
	}
	for name, want := range e.ex.Files.All() {
		at := e.ps.At("files", name)
		body, ok := byName[name]
		if !ok {
			names := strings.Join(slices.Sorted(maps.Keys(byName)), ", ")
			at.Add("example", "no such file; files: %s", cmp.Or(names, "none")).Key = true
			continue
		}
		if want, plain := want.(string); plain {
			if want != body {
				e.report(at, want, body)
			}
			continue
		}
		first, last := strings.Index(body, "{"), strings.LastIndex(body, "}")
		var got any
		if first < 0 || last < first || json.Unmarshal([]byte(body[first:last+1]), &got) != nil {
			at.Add("example", "it is not JSON: %q", text.Abbreviate(body)).Key = true
			continue
		}
		if path, want, got, same := unlike(want, got); !same {
			at.At(path...).Add("example", "want %s, got %s", text.Abbreviate(want), text.Abbreviate(got))
		}
	}
}

// unlike finds the first place at which two JSON values differ.
func unlike(want, got any) (path []any, wantText, gotText string, same bool) {
	w, okW := want.(map[string]any)
	g, okG := got.(map[string]any)
	if okW && okG {
		for _, key := range slices.Sorted(maps.Keys(w)) {
			other, ok := g[key]
			if !ok {
				return []any{key}, string(text.MustJSON(w[key])), "nothing", false
			}
			if path, wantText, gotText, same := unlike(w[key], other); !same {
				return append([]any{key}, path...), wantText, gotText, false
			}
		}
		for _, key := range slices.Sorted(maps.Keys(g)) {
			if _, ok := w[key]; !ok {
				return []any{}, "no " + strconv.Quote(key), string(text.MustJSON(g[key])), false
			}
		}
		return nil, "", "", true
	}
	if reflect.DeepEqual(want, got) {
		return nil, "", "", true
	}
	return []any{}, string(text.MustJSON(want)), string(text.MustJSON(got)), false
}

// Verdicts are the decisions of each policy about a call, by its name; nil without policies.
func Verdicts(c *catalog.Catalog, call *catalog.Call) (said map[string]string) {
	for _, d := range policy.Each(c.Approval, c.Settings.Approvals, c.Question(call)) {
		if d.Policy == "" {
			continue
		}
		if said == nil {
			said = map[string]string{}
		}
		said[d.Policy] = string(d.Verdict)
	}
	return said
}

// verdicts compares the risk rules that hold, and what policies say of them.
func (e exampleRun) verdicts(call *catalog.Call) {
	if e.ex.Risk != nil {
		got := []string{}
		for _, hit := range e.catalog.Risks(call) {
			got = append(got, hit.ID)
		}
		for i, id := range e.ex.Risk {
			if !slices.Contains(got, id) {
				e.ps.At("risk", i).Add("example", "rule %q does not match; matching rules: %s", id, cmp.Or(strings.Join(got, ", "), "none"))
			}
		}
		for _, id := range got {
			if !slices.Contains(e.ex.Risk, id) {
				e.ps.At("risk").Add("example", "rule %q matches too", id).Key = true
			}
		}
	}
	if len(e.ex.Verdict) == 0 {
		return
	}
	said := Verdicts(e.catalog, call)
	for _, name := range slices.Sorted(maps.Keys(e.ex.Verdict)) {
		at := e.ps.At("verdict", name)
		switch got, ok := said[name]; {
		case !ok:
			problem := at.Add("example", "unknown policy %q", name)
			problem.Hint, problem.Key = text.DidYouMean(name, slices.Sorted(maps.Keys(said))), true
		case got != e.ex.Verdict[name]:
			e.report(at, e.ex.Verdict[name], got)
		}
	}
}

func deref(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

// decodes compares what captured output decodes to.
func (e exampleRun) decodes(call *catalog.Call, ps lang.Problems) {
	ex := e.ex
	run := extract.Run{Stdout: strings.NewReader(ex.Stdout), Stderr: ex.Stderr, Exit: ex.Exit}
	if ex.File != nil {
		run.File = func(string) (extract.File, error) {
			return extract.File{Text: io.NopCloser(strings.NewReader(*ex.File)), Size: int64(len(*ex.File))}, nil
		}
	}
	answer, err := call.Decode(run)
	if err != nil {
		ps.Add("example", "cannot be read: %v", err)
		return
	}
	watched := call.CLI.Progress()
	watched.Write(extract.Stderr, []byte(ex.Stderr))
	watched.Write(extract.Stdout, []byte(ex.Stdout))
	class, message := "", ""
	if answer.Failure != nil {
		class, message = answer.Failure.Class, answer.Failure.Message
	}
	for _, f := range []struct {
		key  string
		want *string
		got  string
	}{{"progress", ex.Out.Progress, watched.Tail()}, {"text", ex.Out.Text, answer.Text}, {"session", ex.Out.Session, answer.SessionID}, {"model", ex.Out.Model, answer.Model}, {"class", ex.Out.Class, class}, {"error", ex.Out.Error, message}} {
		if f.want != nil && *f.want != f.got {
			e.report(ps.At(f.key), *f.want, f.got)
		}
	}
	if want, got := slices.Sorted(slices.Values(ex.Out.Warnings)), slices.Sorted(slices.Values(answer.Warnings)); ex.Out.Warnings != nil && !slices.Equal(want, got) {
		e.report(ps.At("warnings"), strings.Join(want, "\n"), strings.Join(got, "\n"))
	}
	for _, name := range slices.Sorted(maps.Keys(ex.Out.Usage)) {
		if want, got := ex.Out.Usage[name], answer.Usage[name]; want != got {
			ps.At("usage", name).Add("example", "want %d, got %d", want, got)
		}
	}
	if ex.Out.Cost != nil && (answer.CostUSD == nil || *ex.Out.Cost != *answer.CostUSD) {
		got := "none"
		if answer.CostUSD != nil {
			got = fmt.Sprint(*answer.CostUSD)
		}
		ps.At("cost").Add("example", "want %v, got %s", *ex.Out.Cost, got)
	}
}
