package author

import (
	"bytes"
	"encoding/json"
	"strings"
)

// draftWriter writes CUE or YAML, which differ in their brackets and comments only as
// long as values are written as in JSON.
type draftWriter struct {
	strings.Builder
	yaml  bool
	depth int
}

func (w *draftWriter) line(lines ...string) {
	indent := "\t"
	if w.yaml {
		indent = "  "
	}
	for _, l := range lines {
		if l != "" {
			w.WriteString(strings.Repeat(indent, w.depth) + l)
		}
		w.WriteByte('\n')
	}
}

// comment writes comments; an empty line stays one.
func (w *draftWriter) comment(lines ...string) {
	mark := "// "
	if w.yaml {
		mark = "# "
	}
	for _, l := range lines {
		if l == "" {
			w.line("")
			continue
		}
		w.line(strings.TrimRight(mark+l, " "))
	}
}

// open begins an object.
func (w *draftWriter) open(key string) {
	switch {
	case w.yaml:
		w.line(key + ":")
	case strings.HasSuffix(key, "&"):
		w.line(key + " {")
	default:
		w.line(key + ": {")
	}
	w.depth++
}

func (w *draftWriter) close() {
	w.depth--
	if !w.yaml {
		w.line("}")
	}
}

func (w *draftWriter) field(key string, v any) { w.line(key + ": " + inJSON(v)) }

// inline writes an object of one field.
func (w *draftWriter) inline(key, inner string, v any) {
	w.line(key + ": {" + inner + ": " + inJSON(v) + "}")
}

func inJSON(v any) string {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		panic("spec: plain data always encodes: " + err.Error())
	}
	return strings.ReplaceAll(strings.TrimRight(b.String(), "\n"), `","`, `", "`)
}
