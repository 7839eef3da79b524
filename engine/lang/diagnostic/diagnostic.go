package diagnostic

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Severities of a diagnostic.
const (
	Error   = "error"
	Warning = "warning" // counts only for those who ask to be strict
	Note    = "note"    // never counts
)

// Diagnostic is one problem at one place. Line and Col count from 1, Col in bytes;
// both are 0 for what has no lines, such as an environment variable or a folder.
type Diagnostic struct {
	File     string `json:"file"`
	Line     int    `json:"line,omitempty"`
	Col      int    `json:"col,omitempty"`
	Path     string `json:"path,omitempty"` // in the spec, dotted; "" when it is the file itself
	Code     string `json:"code"`           // kebab-case name of the kind of problem
	Severity string `json:"severity"`       // Error, Warning or Note
	Message  string `json:"message"`
	Hint     string `json:"hint,omitempty"` // what to do, or where the other half is
}

// String is the diagnostic on one line: file:line:col: path: message (hint).
func (d Diagnostic) String() string {
	var b strings.Builder
	b.WriteString(oneLine(d.File))
	if d.Line > 0 {
		fmt.Fprintf(&b, ":%d:%d", d.Line, d.Col)
	}
	b.WriteString(": ")
	b.WriteString(d.Text())
	return b.String()
}

// Text is the line without its position.
func (d Diagnostic) Text() string {
	var b strings.Builder
	if d.Path != "" {
		b.WriteString(oneLine(d.Path) + ": ")
	}
	if d.Severity != Error && d.Severity != "" {
		b.WriteString(d.Severity + ": ")
	}
	b.WriteString(oneLine(d.Message))
	if d.Hint != "" {
		b.WriteString(" (" + oneLine(d.Hint) + ")")
	}
	return b.String()
}

// oneLine keeps a hostile name or value from forging a line of its own.
func oneLine(s string) string {
	if !strings.ContainsFunc(s, isControl) {
		return s
	}
	var b strings.Builder
	for _, r := range s {
		if isControl(r) {
			fmt.Fprintf(&b, `\x%02x`, r)
			continue
		}
		b.WriteRune(r)
	}
	return b.String()
}

func isControl(r rune) bool {
	return r < ' ' || r >= 0x7f && r < 0xa0 || r == '\u2028' || r == '\u2029'
}

// Failed reports whether any of them is an error.
func Failed(diags []Diagnostic) bool {
	return slices.ContainsFunc(diags, func(d Diagnostic) bool { return d.Severity == Error })
}

// Warned reports whether any of them is a warning.
func Warned(diags []Diagnostic) bool {
	return slices.ContainsFunc(diags, func(d Diagnostic) bool { return d.Severity == Warning })
}

// Sort orders by file, line and column and leaves repetitions out: the same words
// about the same place are one problem, even if it shows at several paths.
func Sort(diags []Diagnostic) []Diagnostic {
	slices.SortStableFunc(diags, func(a, b Diagnostic) int {
		return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Col, b.Col),
			cmp.Compare(a.Message, b.Message), cmp.Compare(a.Path, b.Path))
	})
	return slices.CompactFunc(diags, func(a, b Diagnostic) bool {
		return a.File == b.File && a.Line == b.Line && a.Col == b.Col && a.Message == b.Message && (a.Line > 0 || a.Path == b.Path)
	})
}
