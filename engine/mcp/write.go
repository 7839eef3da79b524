package mcp

import (
	"bufio"
	"bytes"
	"encoding/json"
	"io"
	"time"
	"unicode/utf8"

	"github.com/llm-cli-gateway/gateway/engine/mcp/stdio"
)

// writer writes messages, from any goroutine.
type writer struct{ lines *stdio.Writer }

func newWriter(w io.Writer, patience time.Duration, onError func(error)) *writer {
	return &writer{stdio.NewWriter(w, patience, onError)}
}

// value writes v as JSON.
func (w *writer) value(v any) error {
	b, err := marshal(v)
	if err != nil {
		return err
	}
	w.lines.Line(func(out *bufio.Writer) { out.Write(b) })
	return nil
}

// fail responds to id, or to null when there is none, with an error.
func (w *writer) fail(id json.RawMessage, e *rpcError) {
	w.lines.Line(func(out *bufio.Writer) { writeError(out, id, e) })
}

func writeError(out *bufio.Writer, id json.RawMessage, e *rpcError) {
	if idKey(id) == "" {
		id = json.RawMessage("null")
	}
	b, err := marshal(e)
	if err != nil {
		panic(err) // code, message and strings
	}
	out.WriteString(`{"jsonrpc":"2.0","id":`)
	out.Write(id)
	out.WriteString(`,"error":`)
	out.Write(b)
	out.WriteByte('}')
}

// result responds to id with what body writes.
func (w *writer) result(id json.RawMessage, body func(*bufio.Writer)) {
	w.lines.Line(func(out *bufio.Writer) { writeResult(out, id, body) })
}

func writeResult(out *bufio.Writer, id json.RawMessage, body func(*bufio.Writer)) {
	out.WriteString(`{"jsonrpc":"2.0","id":`)
	out.Write(id)
	out.WriteString(`,"result":`)
	body(out)
	out.WriteByte('}')
}

// encoded responds to id with v as JSON, which is made when it is written: many responses
// may wait for a client that does not read. If v cannot be encoded, the response is the error
// that is returned.
func (w *writer) encoded(id json.RawMessage, v any) (err error) {
	w.lines.Line(func(out *bufio.Writer) {
		var b []byte
		if b, err = marshal(v); err != nil {
			writeError(out, id, newError(codeInternal, err.Error()))
			return
		}
		writeResult(out, id, func(out *bufio.Writer) { out.Write(b) })
	})
	return err
}

// toolResult writes r as the result of a tools/call; head has the members that
// the protocol adds to it. Nothing the size of the answer is copied.
func toolResult(head any, r Result) (func(*bufio.Writer), error) {
	h, err := marshal(head)
	if err != nil {
		return nil, err
	}
	return func(out *bufio.Writer) {
		out.Write(h[:len(h)-1])
		if len(h) > len("{}") {
			out.WriteByte(',')
		}
		if r.IsError {
			out.WriteString(`"isError":true,`)
		}
		out.WriteString(`"content":[`)
		for i, text := range r.Text {
			if i > 0 {
				out.WriteByte(',')
			}
			out.WriteString(`{"type":"text","text":`)
			writeString(out, text)
			out.WriteByte('}')
		}
		out.WriteByte(']')
		if r.Structured != nil || r.Tail.Name != "" {
			out.WriteString(`,"structuredContent":`)
			writeObject(out, r.Structured, r.Tail)
		}
		out.WriteByte('}')
	}, nil
}

// writeObject writes the object raw, or an empty one, tidied, with tail as its last member.
func writeObject(out *bufio.Writer, raw json.RawMessage, tail Member) {
	if raw == nil {
		raw = json.RawMessage("{}")
	}
	if tail.Name == "" {
		writeRaw(out, raw)
		return
	}
	members := bytes.TrimRight(raw[:len(raw)-1], " \t\r\n")
	writeRaw(out, members)
	if len(members) > 1 {
		out.WriteByte(',')
	}
	writeString(out, tail.Name)
	out.WriteByte(':')
	writeString(out, tail.Value)
	out.WriteByte('}')
}

// writeRaw writes valid JSON on one line. Line feeds in it stand between
// tokens only, so leaving them out changes nothing.
func writeRaw(out *bufio.Writer, raw []byte) {
	start := 0
	for i, c := range raw {
		if c == '\n' || c == '\r' {
			out.Write(raw[start:i])
			start = i + 1
		}
	}
	out.Write(raw[start:])
}

const hexDigits = "0123456789abcdef"

// writeString writes s as a JSON string, straight into out. Bytes that are not
// UTF-8 become U+FFFD. U+2028 and U+2029 are escaped: some line readers split there.
func writeString(out *bufio.Writer, s string) {
	out.WriteByte('"')
	start := 0
	for i := 0; i < len(s); {
		c := s[i]
		if c >= ' ' && c != '"' && c != '\\' && c < utf8.RuneSelf {
			i++
			continue
		}
		size := 1
		var r rune
		if c >= utf8.RuneSelf {
			r, size = utf8.DecodeRuneInString(s[i:])
			if r != '\u2028' && r != '\u2029' && (r != utf8.RuneError || size > 1) {
				i += size
				continue
			}
		}
		out.WriteString(s[start:i])
		switch {
		case c == '"' || c == '\\':
			out.WriteByte('\\')
			out.WriteByte(c)
		case c == '\n':
			out.WriteString(`\n`)
		case c == '\r':
			out.WriteString(`\r`)
		case c == '\t':
			out.WriteString(`\t`)
		case c < ' ':
			out.WriteString(`\u00`)
			out.WriteByte(hexDigits[c>>4])
			out.WriteByte(hexDigits[c&15])
		case r == '\u2028':
			out.WriteString(`\u2028`)
		case r == '\u2029':
			out.WriteString(`\u2029`)
		default:
			out.WriteString(`\ufffd`)
		}
		i += size
		start = i
	}
	out.WriteString(s[start:])
	out.WriteByte('"')
}
