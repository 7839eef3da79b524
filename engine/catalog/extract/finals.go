package extract

import (
	"bytes"
	"fmt"
	"strings"
)

// final is a record that ends the output, with what was read since the one before. A program
// that goes on by itself after its answer, because a command in the background ended or a
// time came, ends its output again.
type final struct {
	text, error string
	end         any  // the record; nil for what came behind the last one
	gap         bool // what could not be read may have been part of the text
}

// empty reports whether nothing came of it.
func (f final) empty() bool { return f.error == "" && strings.TrimSpace(f.text) == "" }

// repeated reports whether a record that ends the output was printed twice.
func (d *decoder) repeated(raw []byte) bool { return d.end != nil && bytes.Equal(raw, d.endRaw) }

// close ends what is read for one final record.
func (d *decoder) close(end any, raw []byte) {
	d.end, d.endRaw = end, append(d.endRaw[:0], raw...)
	d.finals = append(d.finals, d.sinceLast(end))
	for _, t := range []*take{d.out.text, d.out.stream, d.out.error} {
		delete(d.folds, t)
		delete(d.gaps, t)
	}
}

func (d *decoder) sinceLast(end any) final {
	return final{text: d.text(), error: d.taken(d.out.error), end: end, gap: d.gapped()}
}

// conclude makes one of all final records: the one by which the run is judged, with the
// texts of the good ones, and what is to be told of the others. good says whether one is,
// exit is the exit code of the program.
func (d *decoder) conclude(exit int, good func(f final, exit int) bool) (all final, exitNow int, notes []string) {
	rest := d.sinceLast(nil)
	if len(d.finals) == 0 {
		if rest.end = d.last; d.file.text != "" {
			rest.text, rest.gap = d.file.text, false
		}
		return rest, exit, nil
	}
	finals := append(d.finals, rest)
	var well, ill []final
	for _, f := range finals {
		switch {
		case f.empty():
		case f.end != nil && good(f, 0):
			well = append(well, f)
		default:
			ill = append(ill, f)
		}
	}
	last := d.finals[len(d.finals)-1]
	if len(well) == 0 {
		return last, exit, nil
	}
	all = well[len(well)-1]
	all.text, all.gap = "", false
	for i, f := range well {
		if i > 0 && f.text != well[i-1].text {
			all.text += fmt.Sprintf("\n\n[%s went on by itself, and added:]\n\n", d.out.name)
		}
		if i == 0 || f.text != well[i-1].text {
			all.text += f.text
		}
		all.gap = all.gap || f.gap
	}
	for _, f := range ill {
		said := f.error
		if said == "" {
			said = f.text
		}
		notes = append(notes, fmt.Sprintf("%s also tried something by itself, which failed or did not end: %s", d.out.name, lastLines(said, 6)))
		exit = 0 // it tells of the failure
	}
	return all, exit, notes
}
