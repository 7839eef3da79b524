package plan

import (
	"fmt"
	"strings"
	"testing"
)

// TestProblems holds one case for each thing that can be wrong with a spec. What
// Compile passes is vetted as well.
func TestProblems(t *testing.T) {
	archives(t, "problems", func(t *testing.T, files map[string]string) string {
		catalog, problems := Compile(readSpec(t, []byte(files["spec.json"])))
		if catalog != nil {
			problems = append(problems, catalog.Vet()...)
		}
		var b strings.Builder
		for _, p := range problems {
			if p.Warning {
				b.WriteString("warning ")
			}
			fmt.Fprintf(&b, "%s [%s]", p.Error(), p.Code)
			if p.Offset > 0 {
				fmt.Fprintf(&b, " at byte %d", p.Offset)
			}
			b.WriteByte('\n')
		}
		if strings.Count(b.String(), "\n") != len(problems) {
			t.Errorf("a problem takes more than a line:\n%s", b.String())
		}
		return b.String()
	})
}
