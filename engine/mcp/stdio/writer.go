package stdio

import (
	"bufio"
	"errors"
	"io"
	"sync"
	"time"
)

// ErrNotRead is why a writer ends whose stream was not read for too long.
var ErrNotRead = errors.New("nobody reads")

// Writer writes whole lines, from any goroutine.
type Writer struct {
	turn    chan struct{} // has an element while a line is written
	w       *bufio.Writer
	out     *watched
	onError func(error)

	once sync.Once
	over chan struct{} // closed when no line is written any more
}

// NewWriter writes to w, and gives up when that takes none of it for as long as patience.
// onError is called once, with the error of the first failed write or [ErrNotRead]; later
// lines, and those that wait for their turn, are dropped.
func NewWriter(w io.Writer, patience time.Duration, onError func(error)) *Writer {
	out := &watched{w: w, patience: patience}
	writer := &Writer{turn: make(chan struct{}, 1), w: bufio.NewWriterSize(out, 32<<10), out: out, onError: onError, over: make(chan struct{})}
	out.impatient = func() { writer.fail(ErrNotRead) }
	return writer
}

// Line writes the line that body writes, without a line feed, and flushes it. Errors of
// single writes in body can be ignored.
func (w *Writer) Line(body func(*bufio.Writer)) {
	select {
	case w.turn <- struct{}{}:
	case <-w.over:
		return
	}
	defer func() { <-w.turn }()
	select {
	case <-w.over: // both were ready
		return
	default:
	}
	body(w.w)
	w.w.WriteByte('\n')
	if err := w.w.Flush(); err != nil {
		w.fail(err)
	}
}

// fail tells of the error first: who waits for its turn may begin something else once it is
// let go.
func (w *Writer) fail(err error) { w.once.Do(func() { w.onError(err); close(w.over) }) }

// Close drops all further lines. It does not wait for one that is being written.
func (w *Writer) Close() { w.once.Do(func() { close(w.over) }) }

// watched calls impatient when a write of a piece takes longer than patience. The write
// goes on: of a pipe it cannot be ended.
type watched struct {
	w         io.Writer
	patience  time.Duration
	impatient func()
	timer     *time.Timer
}

// piece is small enough that a reader who reads at all takes it in time.
const piece = 64 << 10

func (o *watched) Write(b []byte) (n int, err error) {
	if o.timer == nil {
		o.timer = time.AfterFunc(o.patience, o.impatient)
	} else {
		o.timer.Reset(o.patience)
	}
	defer o.timer.Stop()
	for n < len(b) && err == nil {
		var wrote int
		wrote, err = o.w.Write(b[n:min(len(b), n+piece)])
		n += wrote
		o.timer.Reset(o.patience)
	}
	return n, err
}
