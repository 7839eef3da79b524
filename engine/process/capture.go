package process

import (
	"fmt"
	"io"
	"os"
	"strings"
	"unicode/utf8"
)

// Capture says which bytes of an output file are output that was kept.
type Capture struct {
	// Size is the number of bytes that were written.
	Size int64
	// Head and Tail are the numbers of bytes kept from the beginning and from the
	// end; without truncation Head is Size and Tail is 0.
	Head, Tail int64
	// Truncated reports that what lies between Head and Tail is lost.
	Truncated bool
}

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

// puncher gives the bytes [from, to) of f back to the file system and leaves
// its size alone. The error is errors.ErrUnsupported if the file system cannot.
type puncher func(f *os.File, from, to int64) error

// block is the alignment of holes. A hole that does not begin and end with a
// block frees nothing at its edges and costs a write there.
const block = 4096

// spool watches one output file.
type spool struct {
	f       *os.File
	max     int64
	punch   puncher
	size    int64
	punched int64 // end of the hole
}

func newSpool(f *os.File, max int64, punch puncher) *spool {
	return &spool{f: f, max: max, punch: punch}
}

// head and tail are what is kept when the output exceeds the cap.
func (s *spool) head() int64 { return s.max / 2 }
func (s *spool) tail() int64 { return s.max - s.max/2 }

// look reports whether the output grew since the last look.
func (s *spool) look() (grew bool, err error) {
	st, err := s.f.Stat()
	if err != nil {
		return false, err
	}
	grew = st.Size() != s.size
	if st.Size() < s.size { // truncated by the child: the hole is gone
		s.punched = 0
	}
	s.size = st.Size()
	return grew, nil
}

// trim makes the hole as large as the cap allows.
func (s *spool) trim() error {
	if s.size <= s.max {
		return nil
	}
	from := max(s.punched, (s.head()+block-1)/block*block)
	to := (s.size - s.tail()) / block * block
	if to <= from {
		return nil
	}
	if err := s.punch(s.f, from, to); err != nil {
		return err
	}
	s.punched = to
	return nil
}

func (s *spool) capture() Capture {
	if s.size <= s.max {
		return Capture{Size: s.size, Head: s.size}
	}
	return Capture{Size: s.size, Head: s.head(), Tail: s.tail(), Truncated: true}
}
