package catalog

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/llm-cli-gateway/gateway/engine/lang"
	"github.com/llm-cli-gateway/gateway/engine/lang/langtest"
	"github.com/llm-cli-gateway/gateway/engine/text"
)

// optimizerOf compiles an optimizer that is written as JSON.
func optimizerOf(t testing.TB, text string) *Optimizer {
	t.Helper()
	return catalogOf(t, `{"optimizer": {"o": `+text+`}}`).Optimizers[0]
}

func TestOptimize(t *testing.T) {
	for name, c := range map[string]struct{ spec, in, want string }{
		"rules in their order":       {`{"rules": {"a": {"match": "aa", "replace": "b"}, "b": {"match": "bb"}}}`, "xaaaay", "xy"},
		"until nothing gets shorter": {`{"rules": {"a": {"match": "ab"}}}`, "xaaabbby", "xy"},
		"groups":                     {`{"rules": {"a": {"match": "(?P<x>[a-z])(\\d)\\d+", "replace": "${x}$2$$"}}}`, "a1234", "a1$"},
		"never empty":                {`{"rules": {"a": {"match": "x"}}}`, "xx", "xx"},
		"nor blank":                  {`{"rules": {"a": {"match": "x"}}}`, "xx \n", "xx \n"},
		"never longer":               {`{"rules": {"a": {"match": "x", "replace": "xx"}}}`, "axb", "axb"},
		"nor as long":                {`{"rules": {"a": {"match": "x", "replace": "y"}}}`, "axb", "axb"},
		"longer and then shorter":    {`{"rules": {"a": {"match": "x", "replace": "yyy"}, "b": {"match": "y+"}}}`, "axb", "ab"},
		"never settles":              {`{"rules": {"a": {"match": "^x(y*)y", "replace": "x$1"}}}`, "x" + strings.Repeat("y", 99), "x" + strings.Repeat("y", 99)},
		"between fences":             {`{"rules": {"a": {"match": "x"}}}`, "x1\n```go\nx\n````x\n```\nx2\n", "1\n```go\nx\n````x\n```\n2\n"},
		"a fence that is not closed": {`{"rules": {"a": {"match": "x"}}}`, "x1\n  ~~~\nx\n```\n~~\nx", "1\n  ~~~\nx\n```\n~~\nx"},
		"a fence in a list":          {`{"rules": {"a": {"match": "x"}}}`, "- ```\n  x\n  ```\nx2", "- ```\n  x\n  ```\n2"},
		"a fence in a quotation":     {`{"rules": {"a": {"match": "x"}}}`, "> ```\n> x\n> ```\nx2", "> ```\n> x\n> ```\n2"},
		"with lines that end in \\r": {`{"rules": {"a": {"match": "x"}}}`, "```\r\nx\r\n```\r\nx2", "```\r\nx\r\n```\r\n2"},
		"between backticks":          {`{"rules": {"a": {"match": "x"}}}`, "x1 `x` ``x`x`` x2 ` x3", "1 `x` ``x`x`` 2 ` 3"},
		"three backticks in a line":  {`{"rules": {"a": {"match": "x"}}}`, "```x``` x2", "```x``` 2"},
		"what is kept":               {`{"keep": {"k": "<.*?>"}, "rules": {"a": {"match": "x"}}}`, "x1<x>x2<x>", "1<x>2<x>"},
		"kept by two":                {`{"keep": {"k": "<.*>", "l": ">.*?]"}, "rules": {"a": {"match": "x"}}}`, "x1<x>x]x2", "1<x>x]2"},
		"across what is kept":        {`{"keep": {"k": "k"}, "rules": {"a": {"match": "x.x"}}}`, "1xkx2xyx3", "1xkx23"},
		"beside what is kept":        {`{"keep": {"k": "k"}, "rules": {"a": {"match": "^x|x$"}}}`, "kx1xk", "kx1xk"},
		"the mark itself":            {`{"keep": {"k": "k"}, "rules": {"a": {"match": "x.?"}}}`, "\ufdd0x\ufdd0kxx1", "\ufdd0x\ufdd0k1"},
		"bytes that are no text":     {`{"rules": {"a": {"match": "x"}}}`, "\xffx\xfe", "\xff\xfe"},
		"a text that is needed":      {`{"rules": {"a": {"match": "(?:x|yy)+?z"}, "b": {"match": "(?i)uv"}, "c": {"match": "(?:pp)*q|r{2,3}"}}}`, "1xz2yyz3z4UV5uv6q7ppq8rr9r", "123z456789r"},
		"much":                       {`{"rules": {"a": {"match": "x"}}}`, strings.Repeat("yx", maxOptimized), strings.Repeat("yx", maxOptimized)},
	} {
		t.Run(name, func(t *testing.T) {
			o := optimizerOf(t, c.spec)
			if got := o.Apply(c.in); got != c.want {
				t.Errorf("%q became %q, want %q", text.Abbreviate(c.in), text.Abbreviate(got), text.Abbreviate(c.want))
			}
			checkOptimized(t, o, c.in)
		})
	}
}

// checkOptimized holds what is true of every optimizer and every text.
func checkOptimized(t testing.TB, o *Optimizer, in string) {
	t.Helper()
	out := o.Apply(in)
	switch {
	case o.Apply(out) != out:
		t.Errorf("%q became %q, and that %q", in, out, o.Apply(out))
	case out != in && utf8.RuneCountInString(out) >= utf8.RuneCountInString(in):
		t.Errorf("%q became %q, which is not shorter", in, out)
	case out != in && strings.TrimSpace(out) == "":
		t.Errorf("%q became %q", in, out)
	}
	for _, p := range code(in) {
		if !strings.Contains(out, in[p.from:p.to]) {
			t.Errorf("%q became %q: code is gone", in, out)
		}
	}
}

// FuzzOptimizer lets any rule loose on any text.
func FuzzOptimizer(f *testing.F) {
	f.Add("a b", "x?`", "$0", "see `a b` and\n\n```\na b\n``\na b")
	f.Add("(?s).*", "\"[^\"]*\"", "$$$0", "\ufdd0 a \"b\ufdd0\"")
	f.Fuzz(func(t *testing.T, match, keep, replace, text string) {
		if len(match)+len(keep)+len(replace)+len(text) > 1<<12 {
			return
		}
		spec, err := json.Marshal(lang.OptimizerSpec{Keep: lang.MapOf("k", keep),
			Rules: lang.MapOf("r", lang.RewriteSpec{Match: match, Replace: replace})})
		var s lang.Spec
		if err != nil || json.Unmarshal(fmt.Appendf(nil, `{"optimizer": {"o": %s}}`, spec), &s) != nil {
			return
		}
		if c, _ := Compile(&s); c != nil {
			checkOptimized(t, c.Optimizers[0], text)
		}
	})
}

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
				if call, wrong = call.In("s", lang.Resume, "x"); wrong != nil {
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

// TestSameWhenShortened: by what is sent calls are told apart, and by what is shown.
func TestSameWhenShortened(t *testing.T) {
	cli := catalogOf(t, `{`+polite+`, "cli": {"acme": {"bin": "acme", "argv": []}}}`).CLIs[0]
	alike := func(args string) string {
		call, wrong := cli.Bind(json.RawMessage(args), nil, langtest.IDs())
		if wrong != nil {
			t.Fatal(wrong)
		}
		mark, cmd, wrong := call.Alike()
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

func TestTidy(t *testing.T) {
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
			for _, call := range []*Call{bound, cli.Revive(lang.New, "", bound.Arguments())} {
				a, err := call.Decode(Run{Stdout: strings.NewReader(printed), Exit: x.exit})
				if got := string(text.MustJSON(a.Saved)); err != nil || a.Text != "hm, yes" || a.Shown != x.shown || got != x.saved {
					t.Errorf("%+v, %s, %v", a, got, err)
				}
			}
		})
	}
}

// BenchmarkOptimize is the worst that a prompt of the greatest length can do.
func BenchmarkOptimize(b *testing.B) {
	o := optimizerOf(b, `{"keep": {"q": "\"(?:[^\\n]|\\n[^\\n])*\""}, "rules": {"a": {"match": "(?m)(^|[.!?] )(?:[Cc]an|[Cc]ould) you please (\\pL)", "replace": "$1$2"}, "b": {"match": "\\n{3,}", "replace": "\n\n"}}}`)
	for name, text := range map[string]string{"words": "the a ", "quotes": "\"\n", "ticks": "` `` ", "lines": "\n", "phrases": ". Could you please x"} {
		text = strings.Repeat(text, 100_000/len(text))
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				o.Apply(text)
			}
		})
	}
}
