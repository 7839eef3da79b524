package text_test

import (
	"strings"
	"testing"

	"github.com/llm-cli-gateway/gateway/engine/text"
)

func TestNearest(t *testing.T) {
	among := []string{"allowedTools", "model", "maxTurns", "sessionId", "on"}
	for word, want := range map[string]string{
		"allowed_tools": "allowedTools", "allowed-tools": "allowedTools", "ALLOWEDTOOLS": "allowedTools", "modle": "model", "mdoel": "model", "models": "model",
		"maxTruns": "maxTurns", "session": "sessionId", "sessionID": "sessionId", "xyzzy": "", "": "", "o": "", "no": "on", "turns": "", strings.Repeat("m", 1<<20): "",
	} {
		if got := text.Nearest(word, among); got != want {
			t.Errorf("Nearest(%.20q) = %q, want %q", word, got, want)
		}
	}
	if got := text.Nearest("model", nil); got != "" {
		t.Errorf("among none: %q", got)
	}
}

func TestDistance(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want int
	}{{"", "", 0}, {"a", "", 1}, {"", "ab", 2}, {"abc", "acb", 1}, {"kitten", "sitting", 3}, {"ab", "ba", 1}, {"abcd", "abcd", 0}} {
		if got := text.Distance(c.a, c.b); got != c.want {
			t.Errorf("distance(%q, %q) = %d, want %d", c.a, c.b, got, c.want)
		}
	}
}

func TestTexts(t *testing.T) {
	for f, want := range map[float64]string{0: "0", 999: "999", 1000: "1,000", -1234567: "-1,234,567", 0.5: "0.5", 12345.25: "12,345.25"} {
		if got := text.Number(f); got != want {
			t.Errorf("number(%v) = %q, want %q", f, got, want)
		}
	}
	if got := text.OneOf([]string{"a"}); got != `"a"` {
		t.Errorf("oneOf one = %s", got)
	}
	if got := text.Kind(struct{}{}); got != "a struct {}" {
		t.Errorf("describe = %s", got)
	}
}
