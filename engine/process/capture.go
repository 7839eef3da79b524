package process

import (
	"fmt"
	"io"
	"os"
	"strings"
	"unicode/utf8"
)

// Reader returns the captured bytes of f: all of them, or the head, one line
// that says how many bytes are left out, and the tail. No UTF-8 sequence is
// torn at the cuts. It reads by position and can run beside others.
func Reader(f *os.File, c Capture) io.Reader {
	if !c.Truncated {
		return io.NewSectionReader(f, 0, c.Size)
	}
	head, err := trimHead(f, c.Head)
	if err != nil {
		return failed{err}
	}
	from, err := trimTail(f, c.Size-c.Tail, c.Size)
	if err != nil {
		return failed{err}
	}
	mark := fmt.Sprintf("[... %d bytes left out ...]\n", from-head)
	if nl, err := endsLine(f, head); err != nil {
		return failed{err}
	} else if !nl {
		mark = "\n" + mark
	}
	return io.MultiReader(
		io.NewSectionReader(f, 0, head),
		strings.NewReader(mark),
		io.NewSectionReader(f, from, c.Size-from),
	)
}

// Tail returns at most the last n captured bytes of f, never beginning inside a
// UTF-8 sequence: the end of a long output, for an error message.
func Tail(f *os.File, c Capture, n int) ([]byte, error) {
	lowest := int64(0)
	if c.Truncated {
		lowest = c.Size - c.Tail
	}
	from := max(lowest, c.Size-int64(max(n, 0)))
	if from > 0 {
		var err error
		if from, err = trimTail(f, from, c.Size); err != nil {
			return nil, err
		}
	}
	b := make([]byte, c.Size-from)
	got, err := f.ReadAt(b, from)
	if err == io.EOF { // the file shrank under us
		err = nil
	}
	return b[:got], err
}

// trimHead moves a cut at offset cut back to the beginning of the UTF-8
// sequence that it tears.
func trimHead(f *os.File, cut int64) (int64, error) {
	b, err := around(f, cut-utf8.UTFMax, cut)
	for back := 1; back <= min(len(b), utf8.UTFMax-1); back++ {
		if i := len(b) - back; utf8.RuneStart(b[i]) {
			if !utf8.FullRune(b[i:]) {
				return cut - int64(back), err
			}
			break
		}
	}
	return cut, err
}

// trimTail moves a cut at offset cut forward to the end of the UTF-8 sequence
// that it tears, if what was before the cut may have been its beginning: at
// most three continuation bytes are skipped, and in other data none or some.
func trimTail(f *os.File, cut, size int64) (int64, error) {
	b, err := around(f, cut, min(cut+utf8.UTFMax, size))
	skip := 0
	for skip < len(b) && !utf8.RuneStart(b[skip]) {
		skip++
	}
	if skip == utf8.UTFMax { // no sequence is that long: not UTF-8
		skip = 0
	}
	return cut + int64(skip), err
}

func endsLine(f *os.File, end int64) (bool, error) {
	b, err := around(f, end-1, end)
	return len(b) == 0 || b[0] == '\n', err
}

func around(f *os.File, from, to int64) ([]byte, error) {
	from = max(from, 0)
	b := make([]byte, max(to-from, 0))
	n, err := f.ReadAt(b, from)
	if err == io.EOF {
		err = nil
	}
	return b[:n], err
}

type failed struct{ err error }

func (r failed) Read([]byte) (int, error) { return 0, r.err }
