package engine

import (
	"strings"
	"testing"

	"github.com/llm-cli-gateway/gateway/engine/tools"
)

// TestFactsStandOnTheirOwnLine: some clients join the texts of a result with nothing between.
// The answer is a text without anything added.
func TestFactsStandOnTheirOwnLine(t *testing.T) {
	for _, r := range []tools.Result{
		{Text: []string{"[status=failed]"}, Bare: true},
		{Text: []string{"the answer", "[status=completed]", "a note"}, Response: "the answer"},
		{Text: []string{"it failed", "the answer", "[status=failed]"}, Response: "the answer"},
		{Text: []string{"a job runs", "[status=running]"}, Bare: true},
	} {
		texts := onLines(r)
		if got, want := strings.Join(texts, ""), strings.Join(r.Text, "\n"); got != want {
			t.Errorf("%q, want %q", got, want)
		}
		for i, text := range r.Text {
			if text == r.Response && texts[i] != text {
				t.Errorf("the answer is %q", texts[i])
			}
		}
	}
}
