package mcp

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"regexp"
)

// lineReader reads lines of at most max bytes. A longer line is passed over
// without being held, except for its ends.
type lineReader struct {
	r   *bufio.Reader
	max int
	buf []byte
}

// keep is how much of a buffer survives a line, and endSize how much of either
// end of an over-long line is kept.
const (
	keep    = 1 << 20
	endSize = 4 << 10
)

func newLineReader(r io.Reader, max int) *lineReader {
	return &lineReader{r: bufio.NewReaderSize(r, 64<<10), max: max}
}

// tooLong is a line that exceeds the limit.
type tooLong struct{ head, tail []byte }

func (*tooLong) Error() string { return "line too long" }

// next returns the next line without its end, valid until the call after. The
// error is a [*tooLong], after which reading goes on, or final; a final
// unterminated line comes first.
func (l *lineReader) next() ([]byte, error) {
	if cap(l.buf) > keep {
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
func (l *lineReader) skip(chunk []byte, err error) error {
	long := &tooLong{}
	add := func(b []byte) {
		if room := endSize - len(long.head); room > 0 {
			long.head = append(long.head, b[:min(room, len(b))]...)
		}
		long.tail = append(long.tail, b[max(0, len(b)-endSize):]...)
		long.tail = append(long.tail[:0], long.tail[max(0, len(long.tail)-endSize):]...)
	}
	add(l.buf)
	l.buf = nil
	for {
		add(chunk)
		if !errors.Is(err, bufio.ErrBufferFull) {
			return long // a read error other than this shows up again at the next line
		}
		chunk, err = l.r.ReadSlice('\n')
	}
}

// tailID finds an id that stands at the very end of a message, where the
// TypeScript SDK writes it, alone or before other short members. In valid JSON
// it cannot match inside a string or a nested object.
var tailID = regexp.MustCompile(
	`"id"\s*:\s*("(?:[^"\\]|\\.)*"|-?[0-9][0-9.eE+-]*)\s*(?:,\s*"(?:jsonrpc|method)"\s*:\s*"[^"\\]*"\s*)*\}\s*$`)

// id recovers the request's id from what is left of the message, or nil.
func (t *tooLong) id() json.RawMessage {
	id, answer := headID(t.head)
	if answer {
		return nil
	}
	if id == nil {
		if m := tailID.FindSubmatch(t.tail); m != nil {
			id = m[1]
		}
	}
	if !json.Valid(id) || idKey(id) == "" {
		return nil
	}
	return id
}

// headID looks for the id among the members at the head of a truncated
// message. answer is set when the message is no request but an answer.
func headID(head []byte) (id json.RawMessage, answer bool) {
	dec := json.NewDecoder(bytes.NewReader(head))
	if t, err := dec.Token(); err != nil || t != json.Delim('{') {
		return nil, false
	}
	for dec.More() {
		name, err := dec.Token()
		if err != nil {
			return id, false
		}
		if name == "result" || name == "error" {
			return nil, true
		}
		var value json.RawMessage
		if dec.Decode(&value) != nil {
			return id, false
		}
		if name == "id" {
			id = value
		}
	}
	return id, false
}
