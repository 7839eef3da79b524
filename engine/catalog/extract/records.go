package extract

import (
	"bytes"
	"encoding/json"
	"fmt"

	"github.com/llm-cli-gateway/gateway/engine/text"
)

// line takes one line. Most lines are exactly one record. In another one whatever is
// readable counts: programs put control sequences, marks and words of others around their
// records, and two of them on a line.
func (d *decoder) line(line []byte) {
	line = bytes.TrimSpace(line)
	var v any
	switch {
	case len(line) == 0:
	case line[0] == '{' && json.Unmarshal(line, &v) == nil:
		d.torn = false
		d.record(v, line)
	default:
		d.glued(text.WithoutControls(line))
	}
}

// glued finds the records in a text that holds other things as well.
func (d *decoder) glued(b []byte) {
	// What begins like a record and is none is looked at in vain, maybe to the end.
	patience := 4*len(b) + maxKept
	rest, broken, found := 0, false, false
	for at := 0; patience > 0; {
		next := bytes.IndexByte(b[at:], '{')
		if next < 0 {
			break
		}
		at += next
		if !begins(b[rest:at], b[at+1:]) {
			at++
			continue
		}
		end := objectEnd(b[at:])
		v, ok := object(b[at : at+end])
		if !ok {
			patience -= end
			broken = true
			at++
			continue
		}
		d.between(b[rest:at], broken)
		d.torn = false
		d.record(v, b[at:at+end])
		at += end
		rest, broken, found = at, false, true
	}
	if len(bytes.TrimSpace(b[rest:])) > 0 || !found {
		d.torn = d.between(b[rest:], broken)
	}
}

// begins reports whether a brace may begin a record, by what stands before and behind it.
// An object inside of a record whose beginning is missing is none.
func begins(before, behind []byte) bool {
	behind = bytes.TrimLeft(behind, " \t\n")
	if len(behind) == 0 || behind[0] != '"' {
		return false
	}
	before = bytes.TrimSpace(before)
	switch n := len(before); {
	case n < 2:
		return true
	case before[n-1] == ',' || before[n-1] == '[':
		return !bytes.Contains(before, []byte(`"`))
	case before[n-1] == ':':
		before = bytes.TrimSpace(before[:n-1])
		return len(before) == 0 || before[len(before)-1] != '"'
	}
	return true
}

// objectEnd is the length of the object that b begins with, or of b if that does not end.
func objectEnd(b []byte) int {
	depth, quoted := 0, false
	for i := 0; i < len(b); i++ {
		switch c := b[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '{':
			depth++
		case c == '}':
			if depth--; depth == 0 {
				return i + 1
			}
		}
	}
	return len(b)
}

// object reads an object, also one with numbers that JSON does not have.
func object(b []byte) (v map[string]any, ok bool) {
	if json.Unmarshal(b, &v) == nil {
		return v, true
	}
	return v, json.Unmarshal(withoutNaN(b), &v) == nil
}

// withoutNaN writes null for numbers that JSON does not have.
func withoutNaN(b []byte) []byte {
	var out []byte
	quoted := false
	for i := 0; i < len(b); i++ {
		switch c := b[i]; {
		case quoted && c == '\\' && i+1 < len(b):
			out = append(out, c)
			i++
		case c == '"':
			quoted = !quoted
		case quoted:
		default:
			if n := notNumber(b[i:]); n > 0 {
				out = append(out, "null"...)
				i += n - 1
				continue
			}
		}
		out = append(out, b[i])
	}
	return out
}

func notNumber(b []byte) int {
	for _, word := range []string{"NaN", "Infinity", "-Infinity", "-NaN"} {
		if bytes.HasPrefix(b, []byte(word)) {
			return len(word)
		}
	}
	return 0
}

// between keeps aside what stands beside records, and reports whether it looks like a
// record, or part of one, that cannot be read. Such a one is lost.
func (d *decoder) between(b []byte, broken bool) (lost bool) {
	b = bytes.TrimSpace(b)
	d.strayLine(b)
	start := bytes.HasPrefix(b, []byte("{")) && (len(b) == 1 || begins(nil, b[1:]))
	end := bytes.HasSuffix(b, []byte("}")) && bytes.Contains(b, []byte(`":`))
	if lost = broken || start || end; lost && d.out.spec.Output.Format == "jsonl" {
		d.lost++
		d.gap(d.out.text)
		d.gap(d.out.stream)
	}
	return lost
}

// gap notes that what cannot be read may have been part of what an extraction takes.
func (d *decoder) gap(t *take) {
	switch {
	case t == nil:
	case t.fold == "concat" && d.records == 0: // what comes before everything else is no answer
	case t.fold == "first" && d.folds[t] != nil:
	default:
		d.gaps[t] = true
	}
}

// noGap notes that an extraction has read a record: of what cannot be read only that counts
// which comes later, or stands between the parts of a text.
func (d *decoder) noGap(t *take) {
	if t != nil && t.fold != "concat" {
		delete(d.gaps, t)
	}
}

// gapped reports whether what cannot be read may have been part of the answer.
func (d *decoder) gapped() bool {
	if d.fromStream() {
		return d.gaps[d.out.stream]
	}
	return d.gaps[d.out.text]
}

// notes are what the caller should know of records that cannot be read.
func (d *decoder) notes() []string {
	if d.lost == 0 {
		return nil
	}
	return []string{fmt.Sprintf("%s could not be read in what %s printed", d.lostLines(), d.out.name)}
}

func (d *decoder) lostLines() string {
	if d.lost == 1 {
		return "a line that looks like a record"
	}
	return fmt.Sprintf("%d lines that look like records", d.lost)
}
