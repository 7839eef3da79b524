package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"
	"text/tabwriter"
)

// page writes what a person reads from top to bottom. The first error of its
// writer is kept, and nothing is written after it.
type page struct {
	w    io.Writer
	bold bool
	err  error
}

// newPage prints headings bold where that is known to work.
func newPage(w io.Writer) *page {
	return &page{w: w, bold: terminal(w) && os.Getenv("NO_COLOR") == ""}
}

// terminal reports whether w is one that understands more than lines.
func terminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok || os.Getenv("TERM") == "dumb" || os.Getenv("TERM") == "" {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

func (p *page) print(text string) {
	if p.err == nil {
		_, p.err = io.WriteString(p.w, text)
	}
}

func (p *page) strong(text string) string {
	if p.bold {
		return "\x1b[1m" + text + "\x1b[0m"
	}
	return text
}

func (p *page) heading(n int, title string) {
	if n > 1 {
		p.print("\n")
	}
	p.print(p.strong(fmt.Sprintf("%d  %s", n, title)) + "\n\n")
}

func (p *page) label(text string) { p.print("   " + p.strong(text) + "\n") }

// block writes text, indented.
func (p *page) block(text string) {
	for line := range strings.Lines(strings.TrimSuffix(text, "\n") + "\n") {
		p.print("     " + line)
	}
}

// table writes rows in columns.
func (p *page) table(rows [][]string) {
	var b bytes.Buffer
	w := tabwriter.NewWriter(&b, 0, 4, 2, ' ', 0)
	for _, row := range rows {
		fmt.Fprintln(w, strings.Join(row, "\t"))
	}
	if p.err == nil {
		p.err = w.Flush()
	}
	p.block(b.String())
}

// object writes a JSON object, a member a line.
func (p *page) object(raw json.RawMessage) {
	var b bytes.Buffer
	if json.Indent(&b, raw, "", "  ") != nil {
		b.Reset()
		b.Write(raw)
	}
	p.block(b.String())
}
