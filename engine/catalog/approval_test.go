package catalog

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/llm-cli-gateway/gateway/engine/lang"
	"github.com/llm-cli-gateway/gateway/engine/lang/langtest"
)

// catalogOf compiles specs that must be without problems.
func catalogOf(t testing.TB, text string) *Catalog {
	t.Helper()
	var s lang.Spec
	if err := json.Unmarshal([]byte(text), &s); err != nil {
		t.Fatal(err)
	}
	c, problems := Compile(&s)
	if c == nil {
		t.Fatal(problems)
	}
	return c
}

func TestDangers(t *testing.T) {
	c := catalogOf(t, `{"cli": {"acme": {"bin": "acme", "argv": ["{params}"], "params": {
		"yolo": {"doc": "d", "type": "bool", "flag": "--yolo", "danger": true},
		"box": {"doc": "d", "type": "bool", "flag": "--box", "noFlag": "--no-box", "danger": true},
		"style": {"doc": "d", "flag": "--style", "enum": ["ask", "all"], "danger": ["all"]},
		"do": {"doc": "d", "flag": "--do", "each": true, "enum": ["read", "rm"], "danger": ["rm"]},
		"dirs": {"doc": "d", "flag": "--dir", "each": true, "danger": true},
		"level": {"doc": "d", "flag": "--level", "enum": ["low", "high"], "default": "high", "danger": ["high"]},
		"calm": {"doc": "d", "flag": "--calm"}}}}}`)
	for args, want := range map[string]string{
		`{}`:                               "level:",
		`{"level":"low"}`:                  ":",
		`{"level":"high","calm":"all"}`:    "level:level",
		`{"level":"low","yolo":true}`:      "yolo:yolo",
		`{"level":"low","yolo":false}`:     ":",
		`{"level":"low","box":false}`:      "box:box",
		`{"level":"low","style":"ask"}`:    ":",
		`{"level":"low","style":"all"}`:    "style:style",
		`{"level":"low","do":["read"]}`:    ":",
		`{"do":["read","rm"],"dirs":[]}`:   "do level:do",
		`{"dirs":["/"],"style":null}`:      "dirs level:dirs",
		`{"yolo":true,"approvalPolicy":1}`: "refused",
	} {
		args = strings.Replace(args, "{", `{"prompt":"x",`, 1)
		args = strings.Replace(args, ",}", "}", 1)
		call, violations := c.CLIs[0].Bind(json.RawMessage(args), nil, langtest.IDs())
		got := "refused" // without policies there are no parameters of approval
		if violations == nil {
			got = strings.Join(call.Dangers(), " ") + ":" + strings.Join(call.DangersGiven(), " ")
		}
		if got != want {
			t.Errorf("%s: %s, want %s (%v)", args, got, want, violations)
		}
	}
}

func TestRulesForAllCLIs(t *testing.T) {
	c := catalogOf(t, `{"cli": {"acme": {"bin": "acme", "argv": ["{params}"], "params": {"yolo": {"doc": "d", "type": "bool", "flag": "-y", "danger": true}}}, "zeta": {"bin": "z", "argv": []}},
		"risk": {"danger": {"when": "'yolo' in danger", "score": 7, "reason": "r"}, "zeta": {"when": "cli == 'zeta' && mode == 'new'", "score": 1},
			"words": {"when": "prompt matches '(?i)secret'", "score": 2}, "broken": {"when": "len(danger) > 0 && danger[5] == ''", "score": 3}}}`)
	for args, want := range map[string]string{
		`acme {"prompt":"x"}`:                       "[]",
		`acme {"prompt":"SECRET"}`:                  "[{words 2 }]",
		`acme {"prompt":"x","yolo":true}`:           "[{danger 7 r} {broken 3 }]",
		`zeta {"prompt":"a secret"}`:                "[{zeta 1 } {words 2 }]",
		`acme {"prompt":"the secret","yolo":false}`: "[{words 2 }]",
	} {
		name, raw, _ := strings.Cut(args, " ")
		cli, _ := c.CLI(name)
		call, violations := cli.Bind(json.RawMessage(raw), nil, langtest.IDs())
		if violations != nil {
			t.Fatal(violations)
		}
		if got := fmt.Sprint(c.Risks(call)); got != want {
			t.Errorf("%s: %s, want %s", args, got, want)
		}
	}
	if digest := catalogOf(t, `{"risk": {"a": {"when": "true", "score": 1}}}`).Digest(); digest == catalogOf(t, `{"risk": {"a": {"when": "true", "score": 2}}}`).Digest() {
		t.Error("another rule, the same digest")
	}
}
