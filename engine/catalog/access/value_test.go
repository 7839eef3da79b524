package access

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/llm-cli-gateway/gateway/engine/lang"
)

func TestSplit(t *testing.T) {
	for element, want := range map[string]string{
		"Read":                        "Read",
		"Read,Bash":                   "Read|Bash",
		"Read Bash":                   "Read|Bash",
		" Bash ":                      "Bash",
		"\tBash\n":                    "Bash",
		"\u00a0Bash\ufeff":            "Bash",
		"Read, ,Bash,":                "Read|Bash",
		"Bash(git add *, x)":          "Bash(git add *, x)",
		"Bash(git *),Read(./a b)":     "Bash(git *)|Read(./a b)",
		"Read(a":                      "Read(a",
		"Read(a,Bash":                 "Read(a,Bash",
		"Read),Bash(":                 "Read),Bash(",
		"Bash((a),(b)) Write":         "Bash((a),(b))|Write",
		"":                            "",
		" , ":                         "",
		"Read\u200b":                  "Read",
		"Read\u2003Bash":              "Read\u2003Bash", // the spec says at what the program divides
		"mcp__docs__find,mcp__docs__": "mcp__docs__find|mcp__docs__",
	} {
		if got := strings.Join(Split(element, ", "), "|"); got != want {
			t.Errorf("%q: %q, want %q", element, got, want)
		}
	}
}

func values(t *testing.T, spec string) Values {
	t.Helper()
	var p lang.ParamSpec
	if err := json.Unmarshal([]byte(spec), &p); err != nil {
		t.Fatal(err)
	}
	ps := lang.NewProblems()
	v := CompileValues(p, ps)
	if len(*ps.List) > 0 {
		t.Fatal(*ps.List)
	}
	return v
}

// TestAsk: what nobody has said to be harmless asks for everything.
func TestAsk(t *testing.T) {
	tools := `{"split": ", ", "access": {"Read(\\(\\./[^(), ]*\\))?|Grep": "read", "Edit|Write": "edit", "mcp__([a-z]+)__.*": "server"}}`
	servers := func(name string) Level {
		if name == "docs" {
			return Read
		}
		return Full
	}
	for _, c := range []struct {
		spec  string
		value any
		want  string
	}{
		{tools, []string{"Read", "Grep"}, `read n "Read"`},
		{tools, []string{"Read", "Write"}, `edit n "Write"`},
		{tools, []string{"Read,Bash"}, `full n "Bash"`},
		{tools, []string{"Read Bash"}, `full n "Bash"`},
		{tools, []string{" Bash"}, `full n "Bash"`},
		{tools, []string{"bash"}, `full n "bash"`},
		{tools, []string{"*"}, `full n "*"`},
		{tools, []string{"Read\nBash"}, "full n \"Read\\nBash\""},
		{tools, []string{"Read(./a)"}, `read n "Read(./a)"`},
		{tools, []string{"Read(/etc/passwd)"}, `full n "Read(/etc/passwd)"`},
		{tools, []string{"Read(./a,Bash"}, `full n "Read(./a,Bash"`},
		{tools, []string{"mcp__docs__find"}, `read n "mcp__docs__find"`},
		{tools, []string{"mcp__other__find"}, `full n "mcp__other__find"`},
		{tools, []string{" , "}, " "},
		{`{}`, "x", `full n "x"`},
		{`{"safe": true}`, "x", ` n "x"`},
		{`{"safe": ["a|b"]}`, "b", ` n "b"`},
		{`{"safe": ["a|b"]}`, "ab", `full n "ab"`},
		{`{"safe": ["[a-z]+"]}`, "a\n--evil", "full n \"a\\n--evil\""},
		{`{"access": "edit"}`, true, "edit n"},
		{`{"access": {"plan|default": "read", "acceptEdits": "edit"}}`, "plan", `read n "plan"`},
		{`{"access": {"plan|default": "read", "acceptEdits": "edit"}}`, "acceptEdits", `edit n "acceptEdits"`},
		{`{"access": {"plan|default": "read", "acceptEdits": "edit"}}`, "bypass", `full n "bypass"`},
		{`{"safe": ["3"]}`, 3, ` n "3"`},
	} {
		ask := values(t, c.spec).Ask("n", c.value, servers)
		if got := fmt.Sprintf("%s %s", ask.Level, ask.By); got != c.want {
			t.Errorf("%s %q: %q, want %q", c.spec, c.value, got, c.want)
		}
	}
}

func FuzzSplit(f *testing.F) {
	f.Add("Read,Bash(git *)")
	f.Fuzz(func(t *testing.T, element string) {
		for _, part := range Split(element, ", ") {
			if part == "" && element != "" && strings.TrimSpace(element) != "" && !strings.ContainsAny(element, "()") {
				t.Errorf("%q has an empty part", element)
			}
			// What is divided once is not divided again: the program reads what was judged.
			if again := Split(part, ", "); len(again) > 1 {
				t.Errorf("%q: %q is divided again: %q", element, part, again)
			}
		}
	})
}
