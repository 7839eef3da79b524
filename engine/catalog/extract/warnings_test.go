package extract

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/llm-cli-gateway/gateway/engine/lang"
)

// output compiles a spec of format jsonl with more fields of its section output.
func output(t *testing.T, more string) *Output {
	t.Helper()
	spec := lang.CLISpec{}
	text := `{"output":{"format":"jsonl","end":"event.type == 'end'","text":{"when":"event.type == 'text'","take":"event.text"},"model":"event.model"` + more + `}}`
	if err := json.Unmarshal([]byte(text), &spec); err != nil {
		t.Fatal(err)
	}
	var problems []lang.Problem
	out := Compile(&spec, "acme", "Acme", false, lang.Problems{List: &problems})
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	return out
}

func decode(t *testing.T, out *Output, run Run, stdout, model string) Answer {
	t.Helper()
	run.Stdout = strings.NewReader(stdout)
	a, err := out.Decode(run, Turn{Mode: lang.New, Show: "answer", Model: model})
	if err != nil {
		t.Fatal(err)
	}
	return a
}

const answered = "{\"type\":\"text\",\"text\":\"fine\"}\n{\"type\":\"end\"}\n"

func TestWarningsOfSpec(t *testing.T) {
	out := output(t, `,"warnings":[
		{"kind":"denied","take":"map(event.denied ?? [], .tool)"},
		{"when":"event.type == 'note'","take":"event.text"},
		{"line":"^(?i)warning: (.*)"}]`)
	for name, c := range map[string]struct {
		stdout, stderr string
		warnings       []string
		denied         []string
	}{
		"none":            {stdout: answered},
		"denied":          {stdout: `{"denied":[{"tool":"Write"},{"tool":"Bash"}]}` + "\n" + `{"denied":[{"tool":"Write"}]}` + "\n" + answered, warnings: []string{"Acme did not allow its model to use: Write, Bash"}, denied: []string{"Write", "Bash"}},
		"a record":        {stdout: `{"type":"note","text":"by the key\nof the environment"}` + "\n" + answered, warnings: []string{"by the key of the environment"}},
		"a line":          {stdout: "Warning: cut at 8 MiB\n" + answered, stderr: "x\n\x1b[33mwarning: slow\x1b[0m\nno warning: here\n", warnings: []string{"cut at 8 MiB", "slow"}},
		"a line and more": {stdout: answered + "warning: late", warnings: []string{"late"}},
		"of a failed run": {stdout: "warning: slow\n", warnings: []string{"slow"}},
		"in a record":     {stdout: `{"type":"text","text":"warning: fire"}` + "\n" + answered},
		"too many":        {stdout: strings.Join(strings.Split("abcdefghijklmnopqrstuvwxyz", ""), "\n"), stderr: "warning: a\nwarning: b\nwarning: c\nwarning: d\nwarning: e\nwarning: f\nwarning: g\nwarning: h\nwarning: i\nwarning: j\nwarning: k", warnings: strings.Split("abcdefghij", "")},
		"too long":        {stdout: "warning: " + strings.Repeat("a", 400) + "\n" + answered, warnings: []string{strings.Repeat("a", maxWarningText-1) + "…"}},
	} {
		a := decode(t, out, Run{Stderr: c.stderr}, c.stdout, "")
		if !slices.Equal(a.Warnings, c.warnings) || !slices.Equal(a.Denied, c.denied) {
			t.Errorf("%s: %q %q", name, a.Warnings, a.Denied)
		}
	}
}

// TestWarningsOfText: an answer that is all that was printed is read line by line.
func TestWarningsOfText(t *testing.T) {
	spec := lang.CLISpec{Output: lang.OutputSpec{Format: "text", Warnings: []lang.WarningSpec{{Line: "^note: (.*)"}}}}
	out := Compile(&spec, "acme", "Acme", false, lang.Problems{List: new([]lang.Problem)})
	if a := decode(t, out, Run{}, "fine\nnote: slow\n", ""); !slices.Equal(a.Warnings, []string{"slow"}) {
		t.Errorf("%q", a.Warnings)
	}
}

func TestOtherModel(t *testing.T) {
	for _, c := range []struct {
		asked, got string
		want       bool
	}{
		{"", "gpt-5", false},
		{"gpt-5", "", false},
		{"opus", "acme-opus-5-5", false},
		{"opus", "acme-sonnet-5-5", false}, // an alias may stand for any
		{"acme-opus-5-5", "acme-opus-5-5", false},
		{"acme-opus-5-5", "acme-opus-5-5-20261001", false},
		{"acme-opus-5-5[1m]", "acme-opus-5-5", false},
		{"vendor/acme-opus-5-5", "acme-opus-5-5@20261001", false},
		{"Opus-5-5", "acme-opus-5-5", false},
		{"o3", "o3-2025-04-16", false},
		{"juno-3.1-pro", "models/juno-3.1-pro-preview", false},
		{"acme-opus-5-5", "acme-sonnet-5-5", true},
		{"acme-opus-5-5", "acme-opus-5-4", true},
		{"gpt-5", "gpt-5-mini", true},
		{"juno-3.1-pro", "juno-3.8-flash", true},
	} {
		if got := otherModel(c.asked, c.got); got != c.want {
			t.Errorf("asked for %q, got %q: %v", c.asked, c.got, got)
		}
	}
	a := decode(t, output(t, ""), Run{}, `{"model":"gpt-5-mini"}`+"\n"+answered, "gpt-5")
	if !slices.Equal(a.Warnings, []string{"Acme answered with the model gpt-5-mini, and was asked for gpt-5"}) {
		t.Errorf("%q", a.Warnings)
	}
}

func TestMangledAnswer(t *testing.T) {
	a := decode(t, output(t, ""), Run{}, "{\"type\":\"text\",\"text\":\"gr\xfc\xdfe\"}\n{\"type\":\"end\"}\n", "")
	if len(a.Warnings) != 1 || !strings.Contains(a.Warnings[0], "2 of them") {
		t.Errorf("%q", a.Warnings)
	}
}
