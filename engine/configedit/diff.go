package configedit

import (
	"bytes"
	"fmt"
	"strings"
)

// context is how many equal lines are shown around what differs.
const context = 3

// unified shows two texts as the diff command does.
func unified(name string, old, new []byte, exists bool) string {
	if bytes.Equal(old, new) {
		return ""
	}
	a, b := split(old), split(new)
	from := name
	if !exists {
		from = "/dev/null"
	}
	var out strings.Builder
	fmt.Fprintf(&out, "--- %s\n+++ %s\n", from, name)
	for _, h := range hunks(edits(a, b)) {
		h.write(&out, a, b)
	}
	return out.String()
}

// split takes a text apart at its line ends, which stay.
func split(text []byte) (lines []string) {
	for line := range bytes.Lines(text) {
		lines = append(lines, string(line))
	}
	return lines
}

// edit is a step from one text to the other: lines [a0,a1) become lines [b0,b1).
type edit struct{ a0, a1, b0, b1 int }

// edits are the differences, by a longest common subsequence of what lies between the
// equal beginning and the equal end. Long texts that have little in common are told as
// one.
func edits(a, b []string) (out []edit) {
	head := 0
	for head < len(a) && head < len(b) && a[head] == b[head] {
		head++
	}
	tail := 0
	for tail < len(a)-head && tail < len(b)-head && a[len(a)-1-tail] == b[len(b)-1-tail] {
		tail++
	}
	x, y := a[head:len(a)-tail], b[head:len(b)-tail]
	if len(x)*len(y) > 4_000_000 {
		return []edit{{head, len(a) - tail, head, len(b) - tail}}
	}
	longest := make([][]int, len(x)+1)
	for i := range longest {
		longest[i] = make([]int, len(y)+1)
	}
	for i := len(x) - 1; i >= 0; i-- {
		for j := len(y) - 1; j >= 0; j-- {
			if x[i] == y[j] {
				longest[i][j] = longest[i+1][j+1] + 1
			} else {
				longest[i][j] = max(longest[i+1][j], longest[i][j+1])
			}
		}
	}
	for i, j := 0, 0; i < len(x) || j < len(y); {
		if i < len(x) && j < len(y) && x[i] == y[j] {
			i, j = i+1, j+1
			continue
		}
		e := edit{head + i, 0, head + j, 0}
		for (i < len(x) || j < len(y)) && (i == len(x) || j == len(y) || x[i] != y[j]) {
			if j == len(y) || i < len(x) && longest[i+1][j] >= longest[i][j+1] {
				i++
			} else {
				j++
			}
		}
		e.a1, e.b1 = head+i, head+j
		out = append(out, e)
	}
	return out
}

// hunk is a run of edits whose surroundings touch.
type hunk []edit

func hunks(all []edit) (out []hunk) {
	for _, e := range all {
		if n := len(out); n > 0 && e.a0-out[n-1][len(out[n-1])-1].a1 <= 2*context {
			out[n-1] = append(out[n-1], e)
		} else {
			out = append(out, hunk{e})
		}
	}
	return out
}

func (h hunk) write(out *strings.Builder, a, b []string) {
	first, last := h[0], h[len(h)-1]
	a0, b0 := max(0, first.a0-context), max(0, first.b0-context)
	a1, b1 := min(len(a), last.a1+context), min(len(b), last.b1+context)
	fmt.Fprintf(out, "@@ -%s +%s @@\n", span(a0, a1), span(b0, b1))
	at := a0
	for _, e := range h {
		show(out, " ", a[at:e.a0])
		show(out, "-", a[e.a0:e.a1])
		show(out, "+", b[e.b0:e.b1])
		at = e.a1
	}
	show(out, " ", a[at:a1])
}

func span(from, to int) string {
	switch to - from {
	case 0:
		return fmt.Sprintf("%d,0", from)
	case 1:
		return fmt.Sprint(from + 1)
	}
	return fmt.Sprintf("%d,%d", from+1, to-from)
}

func show(out *strings.Builder, mark string, lines []string) {
	for _, line := range lines {
		out.WriteString(mark + strings.TrimRight(line, "\r\n") + "\n")
		if !strings.HasSuffix(line, "\n") {
			out.WriteString("\\ No newline at end of file\n")
		}
	}
}
