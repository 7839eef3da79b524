package text

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// OneLine is text as a terminal or a client can show it safely in one line: without
// control sequences, marks of direction and what is not UTF-8, and with one space for
// every run of white space.
func OneLine[T string | []byte](text T) string { return strings.Trim(Clean(text), " ") }

// Clean is oneLine for a part of a text: a space at its ends is kept.
func Clean[T string | []byte](text T) string {
	var b strings.Builder
	gap := false
	for len(text) > 0 {
		shown, n := glyph(text)
		text = text[n:]
		if shown != 0 && !(gap && shown == ' ') {
			b.WriteRune(shown)
			gap = shown == ' '
		}
	}
	return b.String()
}

// Visible reports whether anything is left of text in oneLine.
func Visible[T string | []byte](text T) bool {
	for len(text) > 0 {
		shown, n := glyph(text)
		if shown != 0 && shown != ' ' {
			return true
		}
		text = text[n:]
	}
	return false
}

// Head keeps at most so many characters of the beginning.
func Head(s string, most int) string {
	if utf8.RuneCountInString(s) <= most {
		return s
	}
	return strings.TrimRight(string([]rune(s)[:most-1]), " ") + "…"
}

// Tail keeps at most so many characters of the end.
func Tail(s string, most int) string {
	n := utf8.RuneCountInString(s)
	if n <= most {
		return s
	}
	return "…" + strings.TrimLeft(string([]rune(s)[n-most+1:]), " ")
}

// glyph takes a character or a control sequence off b: what shows of it, a space for
// white space, or 0 for nothing, and how many bytes it has.
func glyph[T string | []byte](b T) (shown rune, n int) {
	if c := b[0]; ' ' <= c && c < 0x7f {
		return rune(c), 1
	}
	var r rune
	switch b := any(b).(type) {
	case string:
		r, n = utf8.DecodeRuneInString(b)
	case []byte:
		r, n = utf8.DecodeRune(b)
	}
	switch {
	case r == '\x1b':
		return 0, sequence(b)
	case unicode.IsSpace(r):
		return ' ', n
	case r == utf8.RuneError || !unicode.IsPrint(r):
		return 0, n
	}
	return r, n
}

// sequence is the length of the control sequence that b begins with.
func sequence[T string | []byte](b T) int {
	if len(b) < 2 {
		return len(b)
	}
	i := 2
	switch b[1] {
	case '[': // parameters up to a letter
		for i < len(b) && 0x20 <= b[i] && b[i] < 0x40 {
			i++
		}
		return min(i+1, len(b))
	case ']', 'P', 'X', '^', '_': // a text up to its terminator
		for ; i < len(b); i++ {
			if b[i] == '\a' {
				return i + 1
			}
			if b[i] == '\x1b' {
				return min(i+2, len(b))
			}
		}
		return i
	}
	for i = 1; i < len(b) && 0x20 <= b[i] && b[i] < 0x30; i++ {
	}
	return min(i+1, len(b))
}
