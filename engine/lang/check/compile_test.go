package check

import (
	"encoding/json"
	"path/filepath"
	"slices"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"

	"github.com/llm-cli-gateway/gateway/engine/catalog"
	"github.com/llm-cli-gateway/gateway/engine/lang"
	"github.com/llm-cli-gateway/gateway/engine/lang/langtest"
)

// FuzzCompile gives broken specs to the compiler: it must find problems or make a
// catalog that can be vetted and called, and do the same again.
func FuzzCompile(f *testing.F) {
	for _, name := range []string{"acme", "zeta", "lines", "object"} {
		f.Add(langtest.Text(f, map[string]string{"spec": name}))
	}
	names, err := filepath.Glob("testdata/problems/*.txtar")
	if err != nil || len(names) == 0 {
		f.Fatal("no seeds", err)
	}
	for _, name := range names {
		a, err := txtar.ParseFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(a.Files[0].Data)
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		var cli lang.CLISpec
		if len(text) > 1<<14 || json.Unmarshal(text, &cli) != nil {
			return
		}
		spec := &lang.Spec{CLI: lang.MapOf("acme", cli)}
		c, problems := catalog.Compile(spec)
		again, same := catalog.Compile(spec)
		if (c == nil) != (again == nil) || !slices.EqualFunc(problems, same, func(a, b lang.Problem) bool { return a.Error() == b.Error() && a.Offset == b.Offset }) {
			t.Fatalf("once: %v\nand then: %v", problems, same)
		}
		if c == nil {
			if len(problems) == 0 {
				t.Fatal("neither a catalog nor a problem")
			}
			return
		}
		Vet(c)
		call, violations := c.CLIs[0].Bind(json.RawMessage(`{"prompt":"hi"}`), nil, langtest.IDs())
		if violations == nil {
			call.Command("")
			c.Risks(call)
		}
	})
}
