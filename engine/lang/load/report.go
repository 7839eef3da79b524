package load

import (
	"fmt"
	"strings"

	"github.com/llm-cli-gateway/gateway/engine/lang/diagnostic"
)

// report collects what is found on the way.
type report struct {
	list  []diagnostic.Diagnostic
	bad   map[string]bool // entries in which there is an error
	wrong [][]string      // the paths of all errors
}

// add reports an error at p; path may be nil.
func (r *report) add(p pos, path []string, code, format string, args ...any) *diagnostic.Diagnostic {
	r.fail(path)
	d := r.warn(p, path, code, format, args...)
	d.Severity = diagnostic.Error
	return d
}

// fail remembers that there is an error at path.
func (r *report) fail(path []string) {
	if r.bad == nil {
		r.bad = map[string]bool{}
	}
	r.bad[entryOf(path)] = true
	r.wrong = append(r.wrong, path)
}

// warn reports what does not stop anything.
func (r *report) warn(p pos, path []string, code, format string, args ...any) *diagnostic.Diagnostic {
	d := diagnostic.Diagnostic{Path: strings.Join(path, "."), Code: code, Severity: diagnostic.Warning, Message: fmt.Sprintf(format, args...)}
	if p.src != nil {
		d.File = p.src.name
	}
	d.Line, d.Col = p.lineCol()
	r.list = append(r.list, d)
	return &r.list[len(r.list)-1]
}

// take adds all of another report.
func (r *report) take(other *report) {
	r.list = append(r.list, other.list...)
	for _, path := range other.wrong {
		r.fail(path)
	}
}

// failed reports whether the entry at path, or what it stands in, has an error.
func (r *report) failed(path []string) bool { return r.bad[entryOf(path)] || r.bad[path[0]] }

// entryOf is the part of a path that is checked on its own.
func entryOf(path []string) string {
	switch {
	case len(path) == 0:
		return ""
	case len(path) == 1 || path[0] != "cli" && path[0] != "client" && path[0] != "mcp":
		return path[0]
	}
	return path[0] + "\x00" + path[1]
}

// where names a position in a hint.
func where(p pos) string {
	if p.src == nil {
		return "elsewhere"
	}
	line, col := p.lineCol()
	if line == 0 {
		return p.src.name
	}
	return fmt.Sprintf("%s:%d:%d", p.src.name, line, col)
}
