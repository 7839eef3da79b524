package stdio

import (
	"bufio"
	"errors"
	"io"
)

// Reader reads lines of at most a number of bytes. Of a longer line only the two ends
// are kept.
type Reader struct {
	r   *bufio.Reader
	max int
	buf []byte
}

const (
	keepBuffer = 1 << 20 // bytes of a buffer that are kept for the next line
	endSize    = 4 << 10 // bytes that are kept of either end of a line that is too long
)

// NewReader reads from r lines of at most max bytes, without their ends.
func NewReader(r io.Reader, max int) *Reader {
	return &Reader{r: bufio.NewReaderSize(r, 64<<10), max: max}
}

// TooLongError is a line that exceeds the limit.
type TooLongError struct{ Head, Tail []byte }

func (*TooLongError) Error() string { return "line too long" }

// Next returns the next line without its end, valid until the call after. The error is
// a [*TooLongError], after which reading goes on, or final: [io.EOF] or what the
// underlying reader returned. A last line without an end is returned before that.
func (l *Reader) Next() ([]byte, error) {
	if cap(l.buf) > keepBuffer {
		l.buf = nil
	}
	l.buf = l.buf[:0]
	for {
		chunk, err := l.r.ReadSlice('\n')
		if len(l.buf)+len(chunk) > l.max+1 {
			return nil, l.skip(chunk, err)
		}
		l.buf = append(l.buf, chunk...)
		switch {
		case errors.Is(err, bufio.ErrBufferFull):
		case err == nil:
			return l.buf[:len(l.buf)-1], nil
		case len(l.buf) > 0 && errors.Is(err, io.EOF):
			return l.buf, nil
		default:
			return nil, err
		}
	}
}

// skip reads to the end of the line of which l.buf and chunk were read.
func (l *Reader) skip(chunk []byte, err error) error {
	long := &TooLongError{}
	add := func(b []byte) {
		if free := endSize - len(long.Head); free > 0 {
			long.Head = append(long.Head, b[:min(free, len(b))]...)
		}
		long.Tail = append(long.Tail, b[max(0, len(b)-endSize):]...)
		long.Tail = append(long.Tail[:0], long.Tail[max(0, len(long.Tail)-endSize):]...)
	}
	add(l.buf)
	l.buf = nil
	for {
		add(chunk)
		if !errors.Is(err, bufio.ErrBufferFull) {
			return long // a read error other than this is returned again for the next line
		}
		chunk, err = l.r.ReadSlice('\n')
	}
}
