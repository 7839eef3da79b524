package extract

import (
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/llm-cli-gateway/gateway/engine/text"
)

// Bounds of what warnings of a spec tell: how many there are, and of how many characters.
const (
	maxWarnings    = 10
	maxWarningText = 300
)

// told is what rules have found so far of what the caller should know.
type told struct {
	texts  []string
	denied []string // names of tools
	keys   []string // names of variables
}

func (t *told) add(w *warning, said string) {
	said = text.Head(text.OneLine(said), maxWarningText)
	list := &t.texts
	switch w.kind {
	case "denied":
		list = &t.denied
	case "key":
		list = &t.keys
	}
	if said != "" && len(*list) < maxWarnings && !slices.Contains(*list, said) {
		*list = append(*list, said)
	}
}

// noteRecord and noteLine look for what the caller should know, and for what says that
// there will be no answer.
func (d *decoder) noteRecord(env map[string]any, ends bool) {
	for _, w := range d.out.warnings {
		texts, _ := w.ofRecord(env)
		for _, said := range texts {
			d.told.add(w, said)
		}
	}
	if d.end == nil && !ends {
		d.seen.record(d.out, env)
	}
}

func (d *decoder) noteLine(line string) {
	for _, w := range d.out.warnings {
		if said, ok := w.ofLine(line); ok {
			d.told.add(w, said)
		}
	}
	if d.end == nil {
		d.seen.line(d.out, line)
	}
}

// looksAtLines reports whether a rule is for lines that are no records.
func (o *Output) looksAtLines() bool {
	return slices.ContainsFunc(o.warnings, func(w *warning) bool { return w.line != nil }) ||
		slices.ContainsFunc(o.watch, func(w *watchRule) bool { return w.line != nil })
}

// noteLines looks at the lines of a text that has no records.
func (d *decoder) noteLines(s string) {
	if d.out.looksAtLines() {
		for _, line := range shownLines(s) {
			d.noteLine(line)
		}
	}
}

// besides are the warnings about an answer that is there, or about a run that failed.
func (d *decoder) besides(a *Answer) (warnings []string) {
	name := d.out.name
	a.Denied, a.Keys = d.told.denied, d.told.keys
	if len(a.Denied) > 0 {
		warnings = append(warnings, fmt.Sprintf("%s did not allow its model to use: %s", name, strings.Join(a.Denied, ", ")))
	}
	warnings = append(append(warnings, d.told.texts...), d.fileNotes(a)...)
	if a.Failure == nil && otherModel(d.turn.Model, a.Model) {
		warnings = append(warnings, fmt.Sprintf("%s answered with the model %s, and was asked for %s", name, a.Model, d.turn.Model))
	}
	if n := mangled(a.Text); n > 0 {
		warnings = append(warnings, fmt.Sprintf("characters of the answer could not be read, %d of them: they are not UTF-8", n))
	}
	return warnings
}

// mangled counts the characters of a text that were not UTF-8 where it was written.
func mangled(s string) (n int) {
	if !strings.ContainsRune(s, utf8.RuneError) { // invalid bytes as well
		return 0
	}
	for _, c := range s {
		if c == utf8.RuneError {
			n++
		}
	}
	return n
}

// otherModel reports whether a model is surely another than the one that was asked for. A
// name without a number is taken for an alias, which may stand for any model; a program may
// add its vendor and a date to a name.
func otherModel(asked, got string) bool {
	if got == "" || !strings.ContainsFunc(asked, unicode.IsDigit) {
		return false
	}
	a, b := modelWords(asked), modelWords(got)
	return !strings.HasSuffix(a, b) && !strings.HasSuffix(b, a)
}

// modelWords are the words of the name of a model that tell it from others, as one text.
func modelWords(name string) string {
	name = strings.ToLower(name[strings.LastIndexByte(name, '/')+1:])
	if end := strings.IndexAny(name, "@["); end > 0 {
		name = name[:end]
	}
	var b strings.Builder
	date := false
	for _, word := range strings.FieldsFunc(name, func(c rune) bool { return !unicode.IsLetter(c) && !unicode.IsDigit(c) }) {
		number := strings.Trim(word, "0123456789") == ""
		switch {
		case number && (len(word) > 2 || date):
			date = true
		case slices.Contains([]string{"latest", "preview", "exp", "experimental", "beta"}, word):
		default:
			date = false
			b.WriteString(word)
		}
	}
	return b.String()
}
