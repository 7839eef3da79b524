package catalog

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/llm-cli-gateway/gateway/engine/catalog/extract"
	"github.com/llm-cli-gateway/gateway/engine/lang"
	"github.com/llm-cli-gateway/gateway/engine/lang/langtest"
	"github.com/llm-cli-gateway/gateway/engine/text"
)

const polite = `"optimizer": {"p": {"doc": "Less.", "rules": {"please": {"match": "please ?"}, "slash": {"match": "^=>"}}}, "r": {"rules": {"hm": {"match": "hm, "}}}},
	"gateway": {"optimizers": {"prompt": "p", "response": "r"}}`

func TestShorten(t *testing.T) {
	c := catalogOf(t, `{`+polite+`, "cli": {
		"acme": {"bin": "acme", "argv": [], "prompt": {"min": 4, "expands": ["/command"]}},
		"echo": {"bin": "echo", "argv": ["{session}"], "session": {"create": ["--new={id}"], "resume": ["--id={id}"]}}}}`)
	for name, x := range map[string]struct{ cli, args, prompt, saved string }{
		"not asked for":  {"acme", `{"prompt": "please go on"}`, "please go on", "null"},
		"said to be not": {"acme", `{"prompt": "please go on", "optimizePrompt": false}`, "please go on", "null"},
		"asked for":      {"acme", `{"prompt": "please go on", "optimizePrompt": true}`, "go on", `{"before":12,"after":5}`},
		"nothing to do":  {"acme", `{"prompt": "go on", "optimizePrompt": true}`, "go on", `{"before":5,"after":5}`},
		"nothing left":   {"echo", `{"prompt": "please", "optimizePrompt": true}`, "please", `{"before":6,"after":6}`},
		"too little left": {"acme", `{"prompt": "please go", "optimizePrompt": true}`, "please go",
			`{"before":9,"after":9,"note":"it was left as it is: shortened it would have fewer than the 4 characters that acme needs"}`},
		"a command":         {"acme", `{"prompt": "=> /help me", "optimizePrompt": true}`, "=> /help me", `{"before":11,"after":11,"note":"it was left as it is: shortened it would be a command of acme"}`},
		"was a command":     {"acme", `{"prompt": "/help please me", "optimizePrompt": true}`, "/help me", `{"before":15,"after":8}`},
		"has no commands":   {"echo", `{"prompt": "=>/help me", "optimizePrompt": true}`, "/help me", `{"before":10,"after":8}`},
		"in a conversation": {"echo", `{"prompt": "please go on", "optimizePrompt": true, "sessionId": "x"}`, "go on", `{"before":12,"after":5}`},
	} {
		t.Run(name, func(t *testing.T) {
			cli, _ := c.CLI(x.cli)
			call, wrong := cli.Bind(json.RawMessage(x.args), nil, langtest.IDs())
			if wrong != nil {
				t.Fatal(wrong)
			}
			if x.cli == "echo" {
				if call, wrong = call.InConversation("s", lang.Resume, "x", Kept{}); wrong != nil {
					t.Fatal(wrong)
				}
			}
			if got := string(text.MustJSON(call.Saved)); call.Prompt != x.prompt || got != x.saved {
				t.Errorf("%q, %s", call.Prompt, got)
			}
			if cmd, wrong := call.Command(""); wrong != nil || *cmd.Stdin != x.prompt {
				t.Errorf("%v, %v", cmd, wrong)
			}
		})
	}
}

func TestShortenFindsWhatIsWrongFirst(t *testing.T) {
	cli := catalogOf(t, `{`+polite+`, "cli": {"acme": {"bin": "acme", "argv": [], "prompt": {"max": 10}}}}`).CLIs[0]
	for args, want := range map[string]string{
		`{"prompt": "please please go", "optimizePrompt": true}`: "prompt: Prompt too long (max 10 chars)",
		`{"prompt": 5, "optimizePrompt": true}`:                  "prompt: must be a string, not 5",
		`{"optimizePrompt": true}`:                               "prompt: missing required parameter",
		`{"prompt": "go", "optimizePrompt": "yes"}`:              `optimizePrompt: must be true or false, not "yes"`,
	} {
		if _, wrong := cli.Bind(json.RawMessage(args), nil, langtest.IDs()); wrong.Error() != want {
			t.Errorf("%s: %q", args, wrong.Error())
		}
	}
}

// TestSameWhenShortened: calls differ by what is sent, and by what is shown.
func TestSameWhenShortened(t *testing.T) {
	cli := catalogOf(t, `{`+polite+`, "cli": {"acme": {"bin": "acme", "argv": []}}}`).CLIs[0]
	alike := func(args string) string {
		call, wrong := cli.Bind(json.RawMessage(args), nil, langtest.IDs())
		if wrong != nil {
			t.Fatal(wrong)
		}
		mark, cmd, wrong := call.Canonical()
		if wrong != nil {
			t.Fatal(wrong)
		}
		return string(text.MustJSON([]any{mark, cmd.Args, *cmd.Stdin}))
	}
	plain := alike(`{"prompt": "go on"}`)
	if got := alike(`{"prompt": "please go on", "optimizePrompt": true}`); got != plain {
		t.Errorf("%s is not %s", got, plain)
	}
	if got := alike(`{"prompt": "go on", "optimizeResponse": true}`); got == plain {
		t.Errorf("%s is %s", got, plain)
	}
}

func TestBuiltinTexts(t *testing.T) {
	cli := catalogOf(t, `{`+polite+`, "cli": {"acme": {"bin": "acme", "argv": [], "params": {"show": {"doc": "d", "enum": ["a", "r"], "default": "a", "show": {"a": "answer", "r": "record"}}},
		"output": {"format": "json", "text": "event.t"}}}}`).CLIs[0]
	const printed = `{"t": "hm, yes"}`
	for name, x := range map[string]struct {
		args, shown, saved string
		exit               int
	}{
		"not asked for":   {`{"prompt": "x"}`, "hm, yes", "null", 0},
		"asked for":       {`{"prompt": "x", "optimizeResponse": true}`, "yes", `{"before":7,"after":3}`, 0},
		"shown as record": {`{"prompt": "x", "optimizeResponse": true, "show": "r"}`, printed, "null", 0},
		"of a failure":    {`{"prompt": "x", "optimizeResponse": true}`, "hm, yes", "null", 1},
	} {
		t.Run(name, func(t *testing.T) {
			bound, wrong := cli.Bind(json.RawMessage(x.args), nil, langtest.IDs())
			if wrong != nil {
				t.Fatal(wrong)
			}
			// By what was recorded, a later gateway makes the same of it.
			for _, call := range []*Call{bound, cli.RestoreCall(lang.New, "", bound.Arguments())} {
				a, err := call.Decode(extract.Run{Stdout: strings.NewReader(printed), Exit: x.exit})
				if got := string(text.MustJSON(a.Saved)); err != nil || a.Text != "hm, yes" || a.Shown != x.shown || got != x.saved {
					t.Errorf("%+v, %s, %v", a, got, err)
				}
			}
		})
	}
}
