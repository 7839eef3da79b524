package check

import (
	"testing"

	"github.com/llm-cli-gateway/gateway/engine/catalog"
	"github.com/llm-cli-gateway/gateway/engine/lang/langtest"
)

// TestProblems holds one case for each thing that can be wrong with a spec. What
// Compile passes is vetted as well.
func TestProblems(t *testing.T) {
	langtest.Archives(t, "problems", func(t *testing.T, files map[string]string) string {
		c, problems := catalog.Compile(langtest.Read(t, []byte(files["spec.json"])))
		if c != nil {
			problems = append(problems, Vet(c, func(call *catalog.Call) map[string]string {
				if len(c.Risks(call)) > 0 {
					return map[string]string{"strict": "deny", "loose": "approve"}
				}
				return map[string]string{"strict": "approve", "loose": "approve"}
			})...)
		}
		return langtest.Lines(t, problems)
	})
}

// TestUncovered holds what is told of examples that do not show all.
func TestUncovered(t *testing.T) {
	langtest.Archives(t, "coverage", func(t *testing.T, files map[string]string) string {
		c, problems := catalog.Compile(langtest.Read(t, []byte(files["spec.json"])))
		if c == nil {
			t.Fatal(problems)
		}
		return langtest.Lines(t, Uncovered(c))
	})
}
