package extract

import "bytes"

// maxPiece bounds what is kept of a line that is no record and of a string in one
// that is; maxRecord bounds a record whose strings were cut so.
const (
	maxPiece  = 8 << 10
	maxRecord = 64 << 10
)

// What is known of a line that has not ended.
const (
	blank  = iota // nothing but white space so far
	plain         // no record
	record        // begins like one
	torn          // its beginning is missing, or it is beyond all bounds: it says nothing
)

// line is the beginning of a line, in bounded memory however long the line becomes:
// of a record its strings lose their ends, so that it still can be parsed; of another
// line the end is kept.
type line struct {
	kind int
	buf  []byte

	// Where a record stands.
	quoted  bool // in a string
	size    int  // bytes of that string that were kept
	escape  int  // bytes of an escape sequence to come
	letter  bool // the next byte says which escape it is
	clipped bool // the rest of the string is left out
}

// reset begins another line, of which so much is known.
func (l *line) reset(kind int) { *l = line{buf: l.buf[:0], kind: kind} }

// add takes more of the line; records says that it may be one.
func (l *line) add(b []byte, records bool) {
	if l.kind == blank {
		b = trimLeft(b)
		l.kind = kindOf(b, records)
	}
	switch l.kind {
	case plain:
		l.buf = append(l.buf, b[max(0, len(b)-maxPiece):]...)
		if len(l.buf) > 2*maxPiece {
			l.buf = l.buf[:copy(l.buf, l.end())]
		}
	case record:
		l.shorten(b)
	}
}

// end is the last part of a line that is no record.
func (l *line) end() []byte { return l.buf[max(0, len(l.buf)-maxPiece):] }

// shorten keeps more of a record but what is too long of its strings. A string is
// never cut inside an escape sequence.
func (l *line) shorten(b []byte) {
	for _, c := range b {
		switch {
		case !l.quoted:
			l.quoted, l.size, l.clipped = c == '"', 0, false
		case l.letter:
			if l.letter = false; c == 'u' {
				l.escape = 4
			}
		case l.escape > 0:
			l.escape--
		case c == '"':
			l.quoted, l.clipped = false, false
		default:
			l.letter = c == '\\'
			l.clipped = l.clipped || l.size >= maxPiece
		}
		if l.clipped {
			continue
		}
		l.size++
		if l.buf = append(l.buf, c); len(l.buf) > maxRecord {
			l.kind, l.buf = torn, l.buf[:0]
			return
		}
	}
}

// kindOf tells a line by how it begins.
func kindOf(b []byte, records bool) int {
	switch {
	case len(b) == 0:
		return blank
	case records && b[0] == '{':
		return record
	}
	return plain
}

func trimLeft(b []byte) []byte { return bytes.TrimLeft(b, " \t") }
