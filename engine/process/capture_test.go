package process

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"testing/iotest"
	"unicode/utf8"
)

func fileWith(t testing.TB, text string) *os.File {
	t.Helper()
	f, err := os.Create(filepath.Join(t.TempDir(), "out"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	if _, err := f.WriteString(text); err != nil {
		t.Fatal(err)
	}
	return f
}

func cut(size, head, tail int) Capture {
	return Capture{Size: int64(size), Head: int64(head), Tail: int64(tail), Truncated: true}
}

func TestReader(t *testing.T) {
	const rune4 = "\U0001F600"
	for _, tc := range []struct {
		name, text string
		c          Capture
		want       string
	}{
		{"whole", "abc", Capture{Size: 3, Head: 3}, "abc"},
		{"whole, torn by the program itself", "a\xf0\x9f", Capture{Size: 3, Head: 3}, "a\xf0\x9f"},
		{"empty", "", Capture{}, ""},
		{"what came after the end is not output", "abcdef", Capture{Size: 3, Head: 3}, "abc"},
		{"cut inside a line", "abcdefgh", cut(8, 3, 2), "abc\n[... 3 bytes left out ...]\ngh"},
		{"cut at a line", "ab\ndefgh", cut(8, 3, 2), "ab\n[... 3 bytes left out ...]\ngh"},
		{"no head", "abcdefgh", cut(8, 0, 2), "[... 6 bytes left out ...]\ngh"},
		{"no tail", "abcdefgh", cut(8, 2, 0), "ab\n[... 6 bytes left out ...]\n"},
		{"head tears after 1 of 4", "a" + rune4 + "xyz", cut(8, 2, 1), "a\n[... 6 bytes left out ...]\nz"},
		{"head tears after 3 of 4", "a" + rune4 + "xyz", cut(8, 4, 1), "a\n[... 6 bytes left out ...]\nz"},
		{"head ends with a rune", "a" + rune4 + "xyz", cut(8, 5, 1), "a" + rune4 + "\n[... 2 bytes left out ...]\nz"},
		{"tail tears after 1 of 4", "abc" + rune4 + "x", cut(8, 1, 4), "a\n[... 6 bytes left out ...]\nx"},
		{"tail tears after 3 of 4", "abc" + rune4 + "x", cut(8, 1, 2), "a\n[... 6 bytes left out ...]\nx"},
		{"tail begins with a rune", "abc" + rune4 + "x", cut(8, 1, 5), "a\n[... 2 bytes left out ...]\n" + rune4 + "x"},
		{"tail is a torn rune only", "abcd" + rune4, cut(8, 1, 2), "a\n[... 7 bytes left out ...]\n"},
		{"one rune on both sides", "€€", cut(6, 2, 2), "[... 6 bytes left out ...]\n"},
		{"not UTF-8", "\x80\x80\x80\x80\x80\x80\x80\x80", cut(8, 3, 4), "\x80\x80\x80\n[... 1 bytes left out ...]\n\x80\x80\x80\x80"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if err := iotest.TestReader(Reader(fileWith(t, tc.text), tc.c), []byte(tc.want)); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestReaderOfAClosedFile(t *testing.T) {
	f := fileWith(t, "abcdefgh")
	f.Close()
	for _, c := range []Capture{{Size: 8, Head: 8}, cut(8, 3, 2)} {
		if _, err := io.ReadAll(Reader(f, c)); !errors.Is(err, os.ErrClosed) {
			t.Errorf("%+v: error %v", c, err)
		}
		if _, err := Tail(f, c, 4); !errors.Is(err, os.ErrClosed) {
			t.Errorf("tail of %+v: error %v", c, err)
		}
	}
}

func TestTail(t *testing.T) {
	for _, tc := range []struct {
		text string
		c    Capture
		n    int
		want string
	}{
		{"abcdef", Capture{Size: 6, Head: 6}, 2, "ef"},
		{"abcdef", Capture{Size: 6, Head: 6}, 6, "abcdef"},
		{"abcdef", Capture{Size: 6, Head: 6}, 100, "abcdef"},
		{"abcdef", Capture{Size: 6, Head: 6}, 0, ""},
		{"abcdef", Capture{Size: 6, Head: 6}, -1, ""},
		{"", Capture{}, 5, ""},
		{"abcdef", cut(6, 1, 3), 100, "def"},
		{"abcdef", cut(6, 1, 3), 2, "ef"},
		{"a€b", Capture{Size: 5, Head: 5}, 3, "b"},
		{"a€b", Capture{Size: 5, Head: 5}, 4, "€b"},
		{"\x80bc", Capture{Size: 3, Head: 3}, 3, "\x80bc"},
		{"abc", Capture{Size: 6, Head: 6}, 4, "c"}, // the file shrank
	} {
		got, err := Tail(fileWith(t, tc.text), tc.c, tc.n)
		if err != nil || string(got) != tc.want {
			t.Errorf("Tail(%q, %+v, %d) = %q, %v; want %q", tc.text, tc.c, tc.n, got, err, tc.want)
		}
	}
}

// What was read and what was left out add up, and what was UTF-8 still is.
func FuzzReader(f *testing.F) {
	f.Add("héllo wörld", uint8(3), uint8(4))
	f.Add("\U0001F600\U0001F600\U0001F600", uint8(5), uint8(6))
	f.Add("\x80\xff\xf0\x9f", uint8(1), uint8(1))
	marker := regexp.MustCompile(`\n?\[\.\.\. (\d+) bytes left out \.\.\.\]\n`)
	f.Fuzz(func(t *testing.T, text string, head, tail uint8) {
		if int(head)+int(tail) >= len(text) || strings.Contains(text, "[") {
			t.Skip()
		}
		file := fileWith(t, text)
		got, err := io.ReadAll(Reader(file, cut(len(text), int(head), int(tail))))
		if err != nil {
			t.Fatal(err)
		}
		m := marker.FindSubmatchIndex(got)
		if m == nil {
			t.Fatalf("no marker in %q", got)
		}
		left, _ := strconv.Atoi(string(got[m[2]:m[3]]))
		before, after := got[:m[0]], got[m[1]:]
		if strings.HasPrefix(text[len(before):], "\n") && len(before) < int(head) {
			before = got[:m[0]+1] // the newline was the text's own
		}
		if !strings.HasPrefix(text, string(before)) || !strings.HasSuffix(text, string(after)) {
			t.Errorf("%q is not the two ends of %q", got, text)
		}
		if len(before)+left+len(after) != len(text) {
			t.Errorf("%d + %d + %d bytes are not %d", len(before), left, len(after), len(text))
		}
		if utf8.ValidString(text) && !utf8.Valid(got) {
			t.Errorf("%q is torn", got)
		}
		if lost := int(head) + int(tail) - len(before) - len(after); lost > 6 {
			t.Errorf("%d bytes lost to the cuts", lost)
		}
	})
}
