package stdio

import (
	"bufio"
	"io"
	"sync"
	"sync/atomic"
)

// Writer writes whole lines, from any goroutine.
type Writer struct {
	mu      sync.Mutex
	w       *bufio.Writer
	onError func(error)
	closed  atomic.Bool // the stream no longer belongs to us
	failed  bool
}

// NewWriter writes to w. onError is called once, with the error of the first failed
// write; later lines are dropped.
func NewWriter(w io.Writer, onError func(error)) *Writer {
	return &Writer{w: bufio.NewWriterSize(w, 32<<10), onError: onError}
}

// Line writes the line that body writes, without a line feed, and flushes it. Errors of
// single writes in body can be ignored.
func (w *Writer) Line(body func(*bufio.Writer)) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.closed.Load() || w.failed {
		return
	}
	body(w.w)
	w.w.WriteByte('\n')
	if err := w.w.Flush(); err != nil {
		w.failed = true
		w.onError(err)
	}
}

// Close drops all further lines. It does not wait for one that is being written.
func (w *Writer) Close() { w.closed.Store(true) }
