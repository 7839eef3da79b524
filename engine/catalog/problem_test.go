package catalog

import (
	"fmt"
	"strings"
	"testing"

	"github.com/llm-cli-gateway/gateway/engine/lang"
)

// TestProblems holds one case for each thing that can be wrong with a spec. What
// Compile passes is vetted as well.
func TestProblems(t *testing.T) {
	archives(t, "problems", func(t *testing.T, files map[string]string) string {
		catalog, problems := Compile(readSpec(t, []byte(files["spec.json"])))
		if catalog != nil {
			problems = append(problems, Vet(catalog, func(call *Call) map[string]string {
				if len(catalog.Risks(call)) > 0 {
					return map[string]string{"strict": "deny", "loose": "approve"}
				}
				return map[string]string{"strict": "approve", "loose": "approve"}
			})...)
		}
		return lines(t, problems)
	})
}

// TestUncovered holds what is told of examples that do not show all.
func TestUncovered(t *testing.T) {
	archives(t, "coverage", func(t *testing.T, files map[string]string) string {
		catalog, problems := Compile(readSpec(t, []byte(files["spec.json"])))
		if catalog == nil {
			t.Fatal(problems)
		}
		return lines(t, Uncovered(catalog))
	})
}

// lines are problems as a golden file has them.
func lines(t *testing.T, problems []lang.Problem) string {
	t.Helper()
	var b strings.Builder
	for _, p := range problems {
		if p.Warning {
			b.WriteString("warning ")
		}
		fmt.Fprintf(&b, "%s [%s]", p.Error(), p.Code)
		if len(p.Below) > 0 {
			fmt.Fprintf(&b, " below %s", strings.Join(p.Below, "."))
		}
		if p.Offset > 0 {
			fmt.Fprintf(&b, " at byte %d", p.Offset)
		}
		b.WriteByte('\n')
	}
	if strings.Count(b.String(), "\n") != len(problems) {
		t.Errorf("a problem takes more than a line:\n%s", b.String())
	}
	return b.String()
}
