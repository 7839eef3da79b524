package optimize

import (
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/llm-cli-gateway/gateway/engine/lang"
	"github.com/llm-cli-gateway/gateway/engine/text"
)

// optimizerOf compiles an optimizer that is written as JSON.
func optimizerOf(t testing.TB, text string) *Optimizer {
	t.Helper()
	var spec lang.OptimizerSpec
	if err := json.Unmarshal([]byte(text), &spec); err != nil {
		t.Fatal(err)
	}
	ps := lang.NewProblems()
	all := Compile(lang.MapOf("o", spec), false, ps)
	if len(*ps.List) > 0 {
		t.Fatal(*ps.List)
	}
	return all[0]
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
	for _, p := range codePassages(in) {
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
		ps := lang.NewProblems()
		all := Compile(lang.MapOf("o", lang.OptimizerSpec{Keep: lang.MapOf("k", keep),
			Rules: lang.MapOf("r", lang.RewriteSpec{Match: match, Replace: replace})}), false, ps)
		if len(*ps.List) == 0 {
			checkOptimized(t, all[0], text)
		}
	})
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
