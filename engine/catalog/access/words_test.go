package access

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/llm-cli-gateway/gateway/engine/catalog/extract"
	"github.com/llm-cli-gateway/gateway/engine/lang"
)

var scope = map[string]any{"given": map[string]bool{"tools": false}, "trusted": false, "access": ""}

func compiled(t *testing.T, spec string) (*Words, []lang.Problem) {
	t.Helper()
	var s lang.AccessSpec
	if err := json.Unmarshal([]byte(spec), &s); err != nil {
		t.Fatal(err)
	}
	ps := lang.NewProblems("cli", "acme", "access")
	return Compile(s, extract.ScopeOf(scope), []string{"tools"}, false, ps), *ps.List
}

func TestRender(t *testing.T) {
	w, problems := compiled(t, `{
		"read": ["--sandbox=read-only", "--tools={names.tools}"],
		"edit": {"reach": "all files", "words": ["--dir={cwd}", "--files={file.p.toml}:{file.q.json}", "-c", "projects={{json}={trust=\"no\"}}", {"when": "!given.tools", "words": ["--few", "--less"]}],
			"env": {"set": {"ACME": "{\"a\":{list.tools}}"}, "drop": ["ACME_*"]}, "files": {"p.toml": "tools = {list.tools}\nplain = {plain.tools}\ninner = {inner.tools}\nre = \"{cwd.re}\"", "unused": "x", "q.json": {"x": "{cwd}", "y": ["{names.tools}"]}}, "servers": ["-c", "off.{name}=true"]},
		"full": [],
		"untrusted": ["--alone", "--policy={file.p}"]}`)
	if len(problems) != 1 || !strings.Contains(problems[0].Text, "{file.p}") {
		t.Fatal(problems)
	}
	run := func(words string, trusted, given bool, servers ...string) string {
		out, wrong := w.Render(Run{Words: words, Trusted: trusted, Dir: `/a "b"`, Scope: map[string]any{"given": map[string]bool{"tools": given}, "trusted": trusted, "access": words},
			List: func(string) []string { return []string{"Read", "Bash(git *)", "Bash(ls)"} }, Path: func(f string) string { return "/private/" + f }, Servers: servers})
		return fmt.Sprint(out.Words, out.Set, out.Drop, out.Files, wrong)
	}
	for _, c := range []struct{ got, want string }{
		{run("read", true, false), "[{--sandbox=read-only read.words.0} {--tools=Read,Bash read.words.1}] [] [] [] []"},
		{run("edit", true, true, "docs", "a_b"), `[{--dir=/a "b" edit.words.0} {--files=/private/p.toml:/private/q.json edit.words.1} {-c edit.words.2} {projects={"/a \"b\""={trust="no"}} edit.words.3} {-c edit.servers.0} {off.docs=true edit.servers.1} {-c edit.servers.0} {off.a_b=true edit.servers.1}] ` +
			`[{ACME {"a":["Read","Bash(git *)","Bash(ls)"]} edit.env.set.ACME}] [ACME_*] [{p.toml tools = ["Read","Bash(git *)","Bash(ls)"]` + "\n" + `plain = ["Read"]` + "\n" + `inner = ["git *","ls"]` + "\n" + `re = "/a \"b\""} {q.json {"x":"/a \"b\"","y":[["Read","Bash"]]}}] []`},
		{run("full", true, false), "[] [] [] [] []"},
		{run(Own, true, false), "[] [] [] [] []"},
		{run(Own, false, false), "[{--alone untrusted.words.0} {--policy=/private/p untrusted.words.1}] [] [] [] []"},
	} {
		if c.got != c.want {
			t.Errorf("\ngot  %s\nwant %s", c.got, c.want)
		}
	}
	if got := run("edit", true, false, "a.b"); !strings.Contains(got, "--few") || !strings.Contains(got, `its own MCP server "a.b" cannot be switched off`) {
		t.Error(got)
	}
	if w.Has(None) || !w.Has(Full) || w.Reach(Edit) != "all files" || !w.NamesServers("edit", true) || w.NamesServers("read", true) {
		t.Error("what the spec has")
	}
}

// TestProblemsOfWords: what can never be right is said when the spec is read.
func TestProblemsOfWords(t *testing.T) {
	for spec, want := range map[string]string{
		`{"read": ["{cwds}"]}`:                                     "unknown slot {cwds}",
		`{"read": ["{list.tools}"]}`:                               "could begin with a dash",
		`{"read": ["--tools={list.other}"]}`:                       "no parameter of that name is a list",
		`{"read": ["--f={file.x}"]}`:                               "the level has no file of that name",
		`{"read": {"words": [{"when": "yes", "words": ["--x"]}]}}`: "unknown name yes",
		`{"read": {"env": {"set": {"LLM_GATEWAY_X": "1"}}}}`:       "reserved",
		`{"read": ["a\u0000b"]}`:                                   "NUL",
	} {
		if _, problems := compiled(t, spec); len(problems) != 1 || !strings.Contains(problems[0].Text, want) {
			t.Errorf("%s: %v, want %s", spec, problems, want)
		}
	}
}
