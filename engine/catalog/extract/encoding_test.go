package extract

import (
	"io"
	"strings"
	"testing"
	"testing/iotest"
	"time"
	"unicode/utf16"

	"github.com/llm-cli-gateway/gateway/engine/lang"
)

// utf16Of writes a text in UTF-16, big-endian or not.
func utf16Of(s string, big bool) string {
	var b strings.Builder
	for _, unit := range utf16.Encode([]rune(s)) {
		pair := []byte{byte(unit), byte(unit >> 8)}
		if big {
			pair[0], pair[1] = pair[1], pair[0]
		}
		b.Write(pair)
	}
	return b.String()
}

func TestEncodings(t *testing.T) {
	const text = "grüße € 🙂\n"
	for name, c := range map[string]struct{ encoding, printed, want string }{
		"utf-8":                 {"", text, text},
		"said to be utf-8":      {"utf-8", text, text},
		"one byte":              {"", "\xff", "\xff"},
		"a mark, little":        {"", "\xff\xfe" + utf16Of(text, false), text},
		"a mark, big":           {"", "\xfe\xff" + utf16Of(text, true), text},
		"a mark beats the spec": {"utf-16le", "\xfe\xff" + utf16Of(text, true), text},
		"utf-16":                {"utf-16", utf16Of(text, false), text},
		"utf-16be":              {"utf-16be", utf16Of(text, true), text},
		"half a character":      {"utf-16le", utf16Of("a", false) + "b", "a\ufffd"},
		"half of two":           {"utf-16le", utf16Of("🙂", false)[:2] + utf16Of("a", false), "\ufffda"},
		"latin1":                {"latin1", "gr\xfc\xdfe", "grüße"},
		"windows-1252":          {"windows-1252", "gr\xfc\xdfe \x80 \x93a\x94", "grüße € “a”"},
		"none":                  {"utf-16", "", ""},
	} {
		out := &Output{spec: &lang.CLISpec{Output: lang.OutputSpec{Encoding: c.encoding}}}
		if got := out.decoded(c.printed); got != c.want {
			t.Errorf("%s: %q", name, got)
		}
		for _, r := range []io.Reader{strings.NewReader(c.printed), iotest.OneByteReader(strings.NewReader(c.printed)), iotest.DataErrReader(strings.NewReader(c.printed))} {
			got, err := io.ReadAll(&decodedReader{r: r, e: out.newEncoding()})
			if err != nil || string(got) != c.want {
				t.Errorf("%s: read %q %v", name, got, err)
			}
		}
	}
}

// TestEncodingOfAll: whatever looks at what a program prints reads its characters.
func TestEncodingOfAll(t *testing.T) {
	out := output(t, `,"encoding":"utf-16","watch":[{"line":"^Grüße","class":"auth"}],"warnings":[{"line":"^grün: (.*)"}]`)
	if a := decode(t, out, Run{Stderr: utf16Of("grün: ja\n", false)}, utf16Of(answered, false), ""); a.Text != "fine" || len(a.Warnings) != 1 || a.Warnings[0] != "ja" {
		t.Errorf("%+v", a)
	}
	progress, settle, watch := out.Progress(), out.Settle(), out.Watch()
	for i := range len(utf16Of(answered, false)) {
		b := []byte(utf16Of(answered, false)[i : i+1])
		progress.Write(Stdout, b)
		settle.Write(b, time.Unix(1, 0))
	}
	watch.Write(Stderr, []byte(utf16Of("Grüße: ", false)))
	if progress.Tail() != "fine" || !settle.Settled(time.Unix(100, 0)) || !watch.Hopeless() {
		t.Errorf("%q %v %v", progress.Tail(), settle.Settled(time.Unix(100, 0)), watch.Hopeless())
	}
}
