package modelserver

import (
	"strings"
	"testing"
	"unicode/utf8"
)

func TestPrompt(t *testing.T) {
	for _, c := range []struct {
		name  string
		users [][]string
		turns int
		text  string
	}{
		{"nothing", nil, 0, ""},
		{"plain", [][]string{{"hi"}}, 1, "hi"},
		{"last part of the last message", [][]string{{"a"}, {"reminder", "-x"}}, 2, "-x"},
		{"element taken off", [][]string{{"<user_query>\n--help\n</user_query>\n"}}, 1, "--help"},
		{"markers win over surroundings", [][]string{{"environment"}, {"<<<hi>>> and more"}}, 1, "hi"},
		{"markers count turns", [][]string{{"env"}, {"<<<a>>>"}, {"env"}, {"<<<b\n\nb>>>"}, {"env"}}, 2, "b\n\nb"},
		{"outermost pair", [][]string{{"<<<a <<<b>>> c>>>"}}, 1, "a <<<b>>> c"},
		{"a pair that does not close", [][]string{{"<<<a"}}, 1, "<<<a"},
	} {
		turns, text := turn{users: c.users}.prompt()
		if turns != c.turns || text != c.text {
			t.Errorf("%s: %d %q, want %d %q", c.name, turns, text, c.turns, c.text)
		}
	}
}

func TestScenarioErrors(t *testing.T) {
	for _, segment := range []string{"", "nope", "e99", "e200", "e600", "slow", "big1once", "tool:(", "held:nope", "e429twice"} {
		if _, err := parseScenario(segment); err == nil {
			t.Errorf("%q was accepted", segment)
		}
	}
}

func TestPiecesAndTailKeepCharactersWhole(t *testing.T) {
	text := strings.Repeat("漢字🙂a", 50)
	joined := ""
	for _, piece := range pieces(text, 7) {
		if !utf8.ValidString(piece) || len(piece) > 7 {
			t.Errorf("piece %q", piece)
		}
		joined += piece
	}
	if joined != text {
		t.Error("pieces do not make up the text")
	}
	for size := range 12 {
		if end := tail(text, size); !utf8.ValidString(end) || len(end) > size || !strings.HasSuffix(text, end) {
			t.Errorf("tail(%d) = %q", size, end)
		}
	}
}

func TestMadeUpArguments(t *testing.T) {
	offered := tool{name: "t", schema: []byte(`{"required":["kind","list","map","flag","s"],"properties":{
		"kind":{"type":"string","enum":["one","two"]},"list":{"type":"array"},"map":{"type":"object"},"flag":{"type":"boolean"},
		"s":{"type":"string"},"optional":{"type":"string"}}}`)}
	want := `{"flag":true,"kind":"one","list":[],"map":{},"s":"hi-from-model"}`
	if got := offered.madeUpArguments(); got != want {
		t.Errorf("got %s", got)
	}
	if got := (tool{}).madeUpArguments(); got != "{}" {
		t.Errorf("without a schema: %s", got)
	}
}
