package stdio

import (
	"bufio"
	"errors"
	"io"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// line writes n bytes as a line.
func line(w *Writer, n int) {
	w.Line(func(out *bufio.Writer) { out.WriteString(strings.Repeat("x", n)) })
}

// TestAPipeThatNobodyReads: the writer gives up, and so do those who wait behind it.
func TestAPipeThatNobodyReads(t *testing.T) {
	r, out, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	gaveUp := make(chan error, 2)
	w := NewWriter(out, time.Millisecond, func(err error) { gaveUp <- err })
	stuck := make(chan struct{})
	go func() { defer close(stuck); line(w, 4<<20) }()
	if err := <-gaveUp; !errors.Is(err, ErrNotRead) {
		t.Errorf("%v", err)
	}
	line(w, 1) // returns, although the first one is still being written
	r.Close()
	<-stuck
	out.Close()
	if len(gaveUp) > 0 {
		t.Errorf("told again: %v", <-gaveUp)
	}
}

// TestASlowReader: whoever takes a piece from time to time gets the whole line.
func TestASlowReader(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, out := io.Pipe()
		defer r.Close()
		w := NewWriter(out, time.Minute, func(err error) { t.Error(err) })
		const size = 10 * piece
		go func() { line(w, size); line(w, size); out.Close() }()
		buf, n := make([]byte, piece), 0
		for {
			time.Sleep(59 * time.Second) // of a clock that is not real
			got, err := r.Read(buf)
			if n += got; err != nil {
				break
			}
		}
		if n != 2*(size+1) {
			t.Errorf("%d bytes", n)
		}
	})
}
