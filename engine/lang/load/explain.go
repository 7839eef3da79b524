package load

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"cuelang.org/go/cue/ast"
	"cuelang.org/go/cue/errors"
	"cuelang.org/go/cue/literal"
	"cuelang.org/go/cue/token"

	"github.com/llm-cli-gateway/gateway/engine/lang/cuesyntax"
	"github.com/llm-cli-gateway/gateway/engine/text"
	"github.com/llm-cli-gateway/gateway/schema"
)

// explainer puts the errors of an evaluation in words and places for the author of
// the file.
type explainer struct {
	t    tree
	file *ast.File
	r    *report
}

var emptyDisjunction = regexp.MustCompile(`^\d+ errors in empty disjunction`)

func (x explainer) explain(err error) {
	lost := map[string]bool{} // packages that were not found: what refers to them is echo
	seen := map[pos]bool{}
	for _, e := range errors.Errors(err) {
		at := x.place(e)
		code, msg, hint := x.words(e, at, lost)
		if msg == "" || seen[at] {
			continue
		}
		seen[at] = true
		path := x.path(e, at)
		if n, depth := x.t.root.lookup(path); depth == len(path) { // no more is to be said about it
			if n.hazy = true; n.kind != object {
				n.kind = bad
			}
		}
		x.r.add(at, path, code, "%s", msg).Hint = hint
	}
	if len(seen) == 0 { // all of them were taken for echoes
		x.r.add(pos{x.t.src, 0}, nil, "value", "%v", err)
	}
}

// words are empty for an error that only echoes another.
func (x explainer) words(e errors.Error, at pos, lost map[string]bool) (code, msg, hint string) {
	format, args := e.Msg()
	msg = fmt.Sprintf(format, args...)
	arg := func(i int) string {
		if i < len(args) {
			return fmt.Sprint(args[i])
		}
		return ""
	}
	switch {
	case emptyDisjunction.MatchString(msg), strings.HasPrefix(msg, "import ") && strings.HasSuffix(msg, " not found"):
		return "", "", ""
	case strings.HasPrefix(format, "package %q imported but not defined"):
		name := arg(0)
		lost[name], lost[name[strings.LastIndex(name, "/")+1:]] = true, true
		if hint = didYouMean(name, []string{schema.Import}); hint == "" {
			hint = fmt.Sprintf("there are %q and CUE's own packages", schema.Import)
		}
		return "import", fmt.Sprintf("unknown import %q", name), hint
	case strings.HasPrefix(format, "imported and not used"):
		if lost[strings.Trim(arg(0), `"`)] {
			msg = ""
		}
		return "import", msg, ""
	case strings.HasPrefix(format, "reference %q not found"):
		switch name := arg(0); {
		case lost[name]:
			msg = ""
		case slices.Contains(packages, name):
			hint = fmt.Sprintf("import %q", name)
		default:
			if hint = didYouMean(name, cuesyntax.Names(x.file)); hint == "" {
				hint = fmt.Sprintf("a text needs quotes: %q", name)
			}
		}
		return "reference", msg, hint
	case strings.HasPrefix(format, "undefined field"):
		return "reference", msg, didYouMean(arg(0), cuesyntax.Definitions())
	case strings.HasPrefix(format, "conflicting values %s and %s"):
		if other := x.other(e.InputPositions(), at); other.known() {
			hint = "the other is at " + where(other)
		}
		return "conflict", fmt.Sprintf("conflicting values %s and %s", arg(1), arg(0)), hint
	case strings.HasPrefix(format, "incomplete value"):
		return "value", "needs a value; this only says " + arg(0), ""
	}
	return "value", msg, ""
}

// path is where in the spec the error is, as far as names go: there are none yet
// inside a comprehension, and none in a spec for what stands in a definition.
func (x explainer) path(e errors.Error, at pos) []string {
	path := pathOf(e)
	if i := slices.IndexFunc(path, func(k string) bool { return k == "for[]" || strings.HasPrefix(k, "<") }); i >= 0 {
		path = path[:i]
	}
	if len(path) == 0 || strings.HasPrefix(path[0], "#") {
		return x.t.root.pathAt(at)
	}
	return path
}

// place is the last of those that an error names, which is where the second of two
// things was said; without any, that of its path.
func (x explainer) place(e errors.Error) pos {
	found := pos{}
	consider := func(p token.Pos) {
		if p.File() != nil && p.Filename() == x.t.src.name && p.Offset() >= found.off {
			found = pos{x.t.src, p.Offset()}
		}
	}
	if consider(e.Position()); found.known() {
		return found
	}
	for _, p := range e.InputPositions() {
		consider(p)
	}
	if found.known() {
		return found
	}
	if n, depth := x.t.root.lookup(pathOf(e)); depth > 0 {
		return n.key
	}
	return pos{x.t.src, cuesyntax.Labelled(x.file.Decls, pathOf(e))}
}

// pathOf is the path of an error. CUE quotes what is not an identifier.
func pathOf(e errors.Error) []string {
	path := slices.Clone(e.Path())
	for i, k := range path {
		if s, err := literal.Unquote(k); err == nil {
			path[i] = s
		}
	}
	return path
}

// other is the first place that is not at.
func (x explainer) other(places []token.Pos, at pos) pos {
	for _, p := range places {
		if p.File() != nil && p.Filename() == x.t.src.name && p.Offset() != at.off {
			return pos{x.t.src, p.Offset()}
		}
	}
	return pos{}
}

// packages of CUE that an author may have forgotten to import.
var packages = []string{"strings", "list", "math", "regexp", "strconv", "struct"}

// didYouMean is a hint, "" if nothing is near. Short words are near to each other by
// chance, so that they must at least begin alike.
func didYouMean(word string, among []string) string {
	near := text.Nearest(word, among)
	if near == "" || len(word) <= 4 && !strings.EqualFold(word[:1], near[:1]) {
		return ""
	}
	return fmt.Sprintf("did you mean %q?", near)
}
