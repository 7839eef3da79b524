package text

import (
	"bytes"
	"strconv"
	"strings"
	"unicode/utf8"
)

// maxRows bounds how far up a text can move to write over what it wrote.
const maxRows = 1000

// WithoutControls is a line without control sequences, marks of byte order and control
// characters; tabs stay, and a carriage return becomes a space. It may return b itself.
func WithoutControls(b []byte) []byte {
	if bytes.IndexFunc(b, isControl) < 0 {
		return b
	}
	out := make([]byte, 0, len(b))
	for len(b) > 0 {
		r, n := utf8.DecodeRune(b)
		switch {
		case r == '\x1b':
			// No title holds a record; one without its end may seem to.
			if n = closed(b); bytes.Contains(b[:n], []byte(`{"`)) {
				n = 2
			}
		case r == '\r':
			out = append(out, ' ')
		case !isControl(r):
			out = append(out, b[:n]...)
		}
		b = b[n:]
	}
	return out
}

func isControl(r rune) bool {
	return r < ' ' && r != '\t' && r != '\n' || 0x7f <= r && r < 0xa0 || r == '\ufeff'
}

// closed is the length of the control sequence that b begins with. One whose terminator is
// missing has only its first two bytes: what follows it may be more than a title. A brace
// ends none: it is likelier to begin a record.
func closed[T string | []byte](b T) int {
	n := sequence(b)
	if n < 3 {
		return n
	}
	switch b[1] {
	case '[':
		if last := b[n-1]; last < 0x40 || last > 0x7e || last == '{' {
			return n - 1
		}
	case ']', 'P', 'X', '^', '_':
		if last := b[n-1]; last != '\a' && b[n-2] != '\x1b' {
			return 2
		}
	}
	return n
}

// Screen is a text as a terminal would show it in the end: without colours, titles and other
// control sequences, and without lines that were written over, as spinners do. A carriage
// return begins its line anew.
func Screen(s string) string {
	if strings.IndexFunc(s, isControl) < 0 {
		return s
	}
	t := terminal{rows: [][]byte{nil}}
	for len(s) > 0 {
		r, n := utf8.DecodeRuneInString(s)
		switch {
		case r == '\x1b':
			n = closed(s)
			t.sequence(s[:n])
		case r == '\n':
			t.down()
		case r == '\r':
			t.again = true
		case r == '\b':
			row := t.rows[t.at]
			_, last := utf8.DecodeLastRune(row)
			t.rows[t.at] = row[:len(row)-last]
		case !isControl(r):
			if t.again {
				t.clear()
			}
			t.rows[t.at] = append(t.rows[t.at], s[:n]...)
		}
		s = s[n:]
	}
	return string(bytes.Join(t.rows, []byte("\n")))
}

// terminal is what a text shows so far.
type terminal struct {
	rows  [][]byte
	at    int  // the row that is written to
	again bool // the next character begins the row anew
}

func (t *terminal) clear() { t.rows[t.at], t.again = t.rows[t.at][:0:0], false }

func (t *terminal) down() {
	t.at++
	t.again = t.at < len(t.rows)
	if !t.again {
		t.rows = append(t.rows, nil)
	}
}

// sequence does what a control sequence asks for, as far as it takes back what was written.
func (t *terminal) sequence(s string) {
	if len(s) < 3 || s[1] != '[' {
		return
	}
	argument := s[2 : len(s)-1]
	count, err := strconv.Atoi(argument)
	switch s[len(s)-1] {
	case 'K': // clear the line, or what follows
		if count > 0 || t.again {
			again := t.again
			t.clear()
			t.again = again
		}
	case 'G': // to a column
		t.again = t.again || count <= 1
	case 'A', 'F': // up
		if err != nil || count < 1 {
			count = 1
		}
		t.at = max(0, t.at-count, len(t.rows)-maxRows)
		t.again = true
	case 'J': // clear what follows, or all
		if count >= 2 {
			t.at, t.again = 0, true
		}
		if t.again {
			t.clear()
		}
		t.rows = t.rows[:t.at+1]
	}
}
