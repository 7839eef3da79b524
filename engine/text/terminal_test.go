package text_test

import (
	"testing"
	"unicode/utf8"

	"github.com/llm-cli-gateway/gateway/engine/text"
)

func TestScreen(t *testing.T) {
	for in, want := range map[string]string{
		"plain\n":                                    "plain\n",
		"\x1b[32mAll \x1b[1mpass\x1b[0m.\r\n":        "All pass.\n",
		"\x1b]8;;http://x\x07link\x1b]8;;\x07":       "link",
		"\x1b]0;title\x1b\\text":                     "text",
		"50%\r100%\n":                                "100%\n",
		"\x1b[2K\r⠋ wait\x1b[2K\r⠙ wait\x1b[2K\rOK":  "OK",
		"⠋ wait\x1b[1G\x1b[0KOK":                     "OK",
		"a\nspin\nspin\x1b[1A\x1b[2K\x1b[GOK\x1b[0J": "a\nOK",
		"\ufeffabd\bc\x00":                           "abc",
		"\x1b[?25l\x1b[?25h":                         "",
		"\x1b]never ended":                           "never ended",
		"one\x1b[2J\x1b[Htwo":                        "two",
		"Zeile: ä\xff\n":                             "Zeile: ä\xff\n",
	} {
		if got := text.Screen(in); got != want {
			t.Errorf("%q: got %q, want %q", in, got, want)
		}
	}
}

func FuzzScreen(f *testing.F) {
	f.Add("a\x1b[2K\r\x1b[3Ab\b\x1b[J\n")
	f.Fuzz(func(t *testing.T, s string) {
		if !utf8.ValidString(s) {
			t.Skip("what is left out may join bytes to a character")
		}
		once := text.Screen(s)
		if again := text.Screen(once); again != once {
			t.Errorf("%q: %q, and then %q", s, once, again)
		}
		text.WithoutControls([]byte(s))
	})
}
