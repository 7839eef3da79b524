package check

import (
	"testing"

	"github.com/llm-cli-gateway/gateway/engine/catalog"
	"github.com/llm-cli-gateway/gateway/engine/lang"
	"github.com/llm-cli-gateway/gateway/engine/lang/langtest"
)

// TestProblems holds one case for each thing that can be wrong with a spec. What
// Compile passes is vetted as well.
func TestProblems(t *testing.T) {
	langtest.Archives(t, "problems", func(t *testing.T, files map[string]string) string {
		spec := langtest.Read(t, []byte(files["spec.json"]))
		spec.Policy = lang.MapOf("strict", lang.PolicySpec{Human: "deny"})
		spec.Policy.Set("loose", lang.PolicySpec{Approve: 100})
		c, problems := catalog.Compile(spec)
		if c != nil {
			problems = append(problems, Vet(c)...)
		}
		return langtest.Lines(t, problems)
	})
}

// TestUncovered checks the reports about examples that do not show all.
func TestUncovered(t *testing.T) {
	langtest.Archives(t, "coverage", func(t *testing.T, files map[string]string) string {
		c, problems := catalog.Compile(langtest.Read(t, []byte(files["spec.json"])))
		if c == nil {
			t.Fatal(problems)
		}
		return langtest.Lines(t, Uncovered(c))
	})
}
