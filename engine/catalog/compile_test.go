package catalog

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/llm-cli-gateway/gateway/engine/lang"
	"github.com/llm-cli-gateway/gateway/engine/lang/langtest"
)

func TestDigest(t *testing.T) {
	base := catalogOf(t, `{"cli":{"a":{"bin":"x","argv":["{params}"],"params":{"p":{"doc":"d","flag":"--p"},"q":{"doc":"d","flag":"--q"}},"exits":{"1":"a","2":"b"}}}}`)
	same := catalogOf(t, ` {"cli":{"a":{"exits":{"2":"b","1":"a"},"argv":["{params}"],"bin":"x","params":{"p":{"flag":"--p","doc":"d"},"q":{"doc":"d","flag":"--q"}}}}}`)
	if base.Digest() != same.Digest() || len(base.Digest()) != 32 {
		t.Errorf("equal specs: %s and %s", base.Digest(), same.Digest())
	}
	for what, text := range map[string]string{
		"order of params": `{"cli":{"a":{"bin":"x","argv":["{params}"],"params":{"q":{"doc":"d","flag":"--q"},"p":{"doc":"d","flag":"--p"}},"exits":{"1":"a","2":"b"}}}}`,
		"a doc":           `{"cli":{"a":{"bin":"x","argv":["{params}"],"params":{"p":{"doc":"e","flag":"--p"},"q":{"doc":"d","flag":"--q"}},"exits":{"1":"a","2":"b"}}}}`,
	} {
		if catalogOf(t, text).Digest() == base.Digest() {
			t.Errorf("%s does not change the digest", what)
		}
	}
}

// TestVettedMeansTheSame renders with expressions compiled early and at first use.
func TestVettedMeansTheSame(t *testing.T) {
	text := langtest.Spec(t, "acme")
	early := compiled(t, text)
	vetted, problems := compileVetted(langtest.Read(t, text))
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	late, ok := vetted.CLI("acme")
	if !ok {
		t.Fatal("no acme")
	}
	args := json.RawMessage(`{"prompt":"hi","deep":true,"turns":3,"level":"low"}`)
	var words [2][]string
	for i, cli := range []*CLI{early, late} {
		call, violations := cli.Bind(args, nil, langtest.IDs())
		if violations != nil {
			t.Fatal(violations)
		}
		cmd, violations := call.Command("")
		if violations != nil {
			t.Fatal(violations)
		}
		words[i] = cmd.Args
	}
	if !slices.Equal(words[0], words[1]) || !slices.Contains(words[0], "--deep") {
		t.Errorf("got %q and %q", words[0], words[1])
	}
	if p, ok := late.Param("deep"); !ok || p.Kind != Bool || len(late.Params()) != len(early.Params()) {
		t.Errorf("deep: %+v", p)
	}
}

// TestDefaultsInGo compiles a spec that no JSON has passed through.
func TestDefaultsInGo(t *testing.T) {
	for _, c := range []struct {
		kind  Kind
		value any
		want  string
	}{
		{Int, 5, ""}, {Int, int64(5), ""}, {Number, 5, ""}, {List, []string{"a"}, ""}, {Int, 1 << 60, "must be an integer"},
		{String, "a\xffb", "is not valid UTF-8"}, {List, []string{"a\xff"}, "element 1 is not valid UTF-8"}, {Bool, struct{}{}, "not a struct {}"},
	} {
		cli := lang.CLISpec{Bin: "acme", Argv: lang.ArgvSpec{New: []string{"{params}"}}, Params: lang.MapOf("one",
			lang.ParamSpec{Doc: "x", Type: string(c.kind), Flag: "--one", Default: c.value})}
		_, problems := Compile(&lang.Spec{CLI: lang.MapOf("acme", cli)})
		switch {
		case c.want == "" && len(problems) > 0:
			t.Errorf("%v: %v", c.value, problems)
		case c.want != "" && (len(problems) != 1 || !strings.Contains(problems[0].Text, c.want)):
			t.Errorf("%v: got %v, want %q", c.value, problems, c.want)
		}
	}
}

// compileVetted leaves expressions to their first use.
func compileVetted(s *lang.Spec) (*Catalog, []lang.Problem) {
	return Recompile(s, Known{Vetted: func(string, string) bool { return true }})
}
