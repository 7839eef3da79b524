package extract

import (
	"bytes"
	"io"
	"unicode/utf16"
	"unicode/utf8"
)

// encoding makes UTF-8 of what a program prints, part by part. It is for one stream.
type encoding struct {
	name    string // as the spec has it
	begun   bool   // the first bytes were seen, which may tell which it is
	pending []byte // the beginning of a character, or of the stream
	high    rune   // first half of a character of two halves, 0 if there is none
}

// newEncoding begins a stream of the CLI.
func (o *Output) newEncoding() encoding { return encoding{name: o.spec.Output.Encoding} }

// Marks of byte order, by which a stream says what it is.
var (
	markLittle = []byte{0xff, 0xfe}
	markBig    = []byte{0xfe, 0xff}
)

// text is the next part of the stream as UTF-8. What ends inside of a character is kept for
// the next part. It may return b.
func (e *encoding) text(b []byte) []byte {
	if !e.begun {
		if b = e.begin(b); !e.begun {
			return nil
		}
	}
	switch e.name {
	case "latin1", "windows-1252":
		return e.single(b)
	case "utf-16", "utf-16le", "utf-16be":
		return e.double(b)
	}
	return b
}

// begin looks at the first two bytes, and leaves out the mark that they are.
func (e *encoding) begin(b []byte) []byte {
	b = append(e.pending, b...)
	e.pending = nil
	if len(b) == 0 || len(b) == 1 && b[0] >= 0xfe && (e.name == "" || e.name[0] == 'u') {
		e.pending = b
		return nil
	}
	e.begun = true
	switch {
	case e.name == "latin1" || e.name == "windows-1252":
	case bytes.HasPrefix(b, markLittle):
		e.name, b = "utf-16le", b[2:]
	case bytes.HasPrefix(b, markBig):
		e.name, b = "utf-16be", b[2:]
	}
	return b
}

func (e *encoding) double(b []byte) []byte {
	b = append(e.pending, b...)
	out := make([]byte, 0, len(b))
	for ; len(b) >= 2; b = b[2:] {
		low, high := b[0], b[1]
		if e.name == "utf-16be" {
			low, high = high, low
		}
		c := rune(high)<<8 | rune(low)
		if e.high != 0 {
			both := utf16.DecodeRune(e.high, c)
			out = utf8.AppendRune(out, both)
			if e.high = 0; both != utf8.RuneError {
				continue
			}
		}
		if c >= 0xd800 && c < 0xdc00 {
			e.high = c
			continue
		}
		out = utf8.AppendRune(out, c)
	}
	e.pending = bytes.Clone(b)
	return out
}

func (e *encoding) single(b []byte) []byte {
	out := make([]byte, 0, len(b)+len(b)/4)
	for _, c := range b {
		r := rune(c)
		if e.name == "windows-1252" && c >= 0x80 && c < 0xa0 {
			r = windows1252[c-0x80]
		}
		out = utf8.AppendRune(out, r)
	}
	return out
}

// windows1252 are its characters from 0x80 to 0x9f. Of the others it has those of Latin-1.
var windows1252 = []rune("€\u0081‚ƒ„…†‡ˆ‰Š‹Œ\u008dŽ\u008f\u0090‘’“”•–—˜™š›œ\u009džŸ")

// end is what is left at the end of the stream: a character that is not whole.
func (e *encoding) end() []byte {
	if !e.begun {
		return e.pending
	}
	if len(e.pending) > 0 || e.high != 0 {
		return []byte(string(utf8.RuneError))
	}
	return nil
}

// decodedReader reads a stream as UTF-8.
type decodedReader struct {
	r    io.Reader
	e    encoding
	buf  []byte
	left []byte // that was read and not returned
	err  error
}

func (d *decodedReader) Read(p []byte) (int, error) {
	for len(d.left) == 0 {
		if d.err != nil {
			return 0, d.err
		}
		if d.e.begun && (d.e.name == "" || d.e.name == "utf-8") { // nothing is to be done
			return d.r.Read(p)
		}
		if d.buf == nil {
			d.buf = make([]byte, 64<<10)
		}
		n, err := d.r.Read(d.buf)
		d.left = d.e.text(d.buf[:n])
		if d.err = err; err == io.EOF {
			d.left = append(bytes.Clone(d.left), d.e.end()...)
		}
	}
	n := copy(p, d.left)
	d.left = d.left[n:]
	return n, nil
}

// decoded is a text of the CLI as UTF-8.
func (o *Output) decoded(s string) string {
	e := o.newEncoding()
	if e.name == "" && len(s) > 0 && s[0] < 0xfe || e.name == "utf-8" {
		return s
	}
	return string(append(bytes.Clone(e.text([]byte(s))), e.end()...))
}
