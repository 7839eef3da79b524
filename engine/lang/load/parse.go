package load

import (
	"bytes"
	"fmt"
	"path"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"

	"cuelang.org/go/cue/ast"
	"cuelang.org/go/cue/errors"
	"cuelang.org/go/cue/parser"
	"cuelang.org/go/cue/token"
	"cuelang.org/go/encoding/yaml"

	"github.com/llm-cli-gateway/gateway/engine/lang/cuesyntax"
	"github.com/llm-cli-gateway/gateway/engine/lang/specfiles"
)

const (
	maxDepth = 100 // of nesting; the language needs 8
)

// tree is what one file says.
type tree struct {
	src    *source
	root   *node // nil or what the syntax shows, if broken
	broken bool  // the file could not be read as CUE or YAML at all, or not be evaluated

	unfinished bool // another evaluation may come further
}

// parse reads one file. It reports what is wrong with the text; what the text
// means is checked after the layers are merged.
func parse(f specfiles.File, e Evaluation, r *report) (t tree) {
	src := &source{name: f.Name, data: bytes.TrimPrefix(f.Data, []byte("\ufeff"))}
	t = tree{src: src, broken: true}
	defer func() {
		if p := recover(); p != nil {
			t.root, t.broken = nil, true
			r.add(pos{src, 0}, nil, "internal", "the parser gave up: %v", p).Hint = "please report this file"
		}
	}()
	isCUE := strings.EqualFold(path.Ext(f.Name), ".cue")
	switch {
	case !readable(src, !isCUE, r):
		return t
	case isCUE:
		return parseCUE(t, f, e, r)
	}
	return parseYAML(t, r)
}

// readable refuses what neither parser should see.
func readable(src *source, yaml bool, r *report) bool {
	if len(src.data) > specfiles.MaxFile {
		r.add(pos{src, 0}, nil, "too-large", "the file has %d bytes; a spec has at most %d", len(src.data), specfiles.MaxFile)
		return false
	}
	for i := 0; i < len(src.data); {
		c, size := utf8.DecodeRune(src.data[i:])
		if c == utf8.RuneError && size == 1 {
			r.add(pos{src, i}, nil, "encoding", "byte 0x%02x is not UTF-8", src.data[i]).Hint = "save the file as UTF-8"
			return false
		}
		if c < ' ' && c != '\n' && c != '\r' && c != '\t' {
			r.add(pos{src, i}, nil, "encoding", "control character 0x%02x", c)
			return false
		}
		// These end a line for YAML but for nobody else: what it says about lines is
		// then wrong, and CUE's reader trusts it.
		if yaml && (c == '\u0085' || c == '\u2028' || c == '\u2029' || c == '\r' && !bytes.HasPrefix(src.data[i:], []byte("\r\n"))) {
			r.add(pos{src, i}, nil, "encoding", "%U ends a line in YAML only", c).Hint = `write it as an escape, as in "\u2028"`
			return false
		}
		i += size
	}
	return true
}

func parseCUE(t tree, f specfiles.File, e Evaluation, r *report) tree {
	if off, deep := cuesyntax.TooDeep(t.src.data, maxDepth); deep {
		r.add(pos{t.src, off}, nil, "too-deep", "nested more than %d deep", maxDepth)
		return t
	}
	file, err := parser.ParseFile(t.src.name, t.src.data)
	if err != nil {
		// One: those after the first are mostly its echo.
		first := errors.Errors(err)[0]
		at := pos{t.src, 0}
		if p := first.Position(); p.File() != nil {
			at.off = p.Offset()
		}
		format, args := first.Msg()
		r.add(at, nil, "syntax", "%s", fmt.Sprintf(format, args...))
		return t
	}
	t.broken = false
	written := &report{}
	b := builder{src: t.src, r: written}
	t.root = b.file(file.Decls)
	switch {
	case b.computed && e.Run != nil:
		return e.away(t, f, file, r)
	case b.computed:
		evaluated := evaluate(t, file, r)
		unplain(t, evaluated, r)
		return moderate(evaluated, file, r)
	}
	r.list = append(r.list, written.list...)
	return t
}

var (
	yamlLine   = regexp.MustCompile(`^y:(\d+): (.*)$`)
	yamlAnchor = regexp.MustCompile(`unknown anchor '([^']*)' referenced`)
)

func parseYAML(t tree, r *report) tree {
	docs, err := documents(t.src.data)
	if err != nil {
		at, msg := t.src.yamlError(err)
		d := r.add(at, nil, "syntax", "%s", msg)
		for part, hint := range yamlHints {
			if strings.Contains(msg, part) {
				d.Hint = hint
			}
		}
		return t
	}
	t.broken = false
	b := builder{src: t.src, r: r, yaml: true}
	switch len(docs) {
	case 0:
		t.root = newObject(pos{t.src, 0}, pos{t.src, 0})
	case 1:
		decl := []ast.Decl{&ast.EmbedDecl{Expr: docs[0]}}
		if s, ok := docs[0].(*ast.StructLit); ok {
			decl = s.Elts
		}
		t.root = b.file(decl)
	default:
		t.broken = true
		r.add(pos{t.src, docs[1].Pos().Offset()}, nil, "documents", "a second YAML document begins here").Hint = "one file holds one document: split it"
	}
	return t
}

// yamlHints say what the words of the YAML parser mostly mean.
var yamlHints = map[string]string{
	"mapping values are not allowed":      `quote a text that contains ": "`,
	"did not find expected key":           "is the line indented like its neighbours?",
	"did not find expected '-' indicator": "is the line indented like its neighbours?",
	"unexpected end of stream":            "is a quote or bracket never closed?",
	"cannot start any token":              "quote the text",
	"incompatible YAML document":          "leave the %YAML line out",
}

// documents are those of a YAML stream that say anything.
func documents(data []byte) (docs []ast.Expr, err error) {
	d := yaml.NewDecoder("y", bytes.NewReader(data))
	for {
		expr, err := d.Extract()
		switch {
		case err != nil && err.Error() == "EOF":
			return docs, nil
		case err != nil:
			return nil, err
		}
		switch e := expr.(type) {
		case *ast.BasicLit:
			if e.Kind == token.NULL {
				continue
			}
		case *ast.BinaryExpr: // how CUE writes an empty stream: *null | _
			continue
		}
		docs = append(docs, expr)
		if len(docs) > 1 {
			return docs, nil
		}
	}
}

// yamlError finds the place of a YAML error. The parser names a line that may be
// the one where the surrounding block began, or none. The line at which the text
// stops being the beginning of good YAML is nearer to what the author must look at.
func (s *source) yamlError(err error) (pos, string) {
	msg, line := yamlText(err)
	if m := yamlAnchor.FindStringSubmatch(msg); m != nil {
		if i := bytes.Index(s.data, []byte("*"+m[1])); i >= 0 {
			return pos{s, i}, fmt.Sprintf("unknown anchor %q", m[1])
		}
	}
	if strings.Contains(msg, "aliases expand") || strings.Contains(msg, "contains itself") || strings.Contains(msg, "cannot decode") {
		return s.lineStart(line), msg
	}
	ends := []int{} // offsets just after each line
	for i, c := range s.data {
		if c == '\n' {
			ends = append(ends, i+1)
		}
	}
	if len(s.data) > 0 && s.data[len(s.data)-1] != '\n' {
		ends = append(ends, len(s.data))
	}
	low, high := 1, len(ends) // the first line whose end already shows the error
	for low < high {
		mid := (low + high) / 2
		_, err := documents(s.data[:ends[mid-1]])
		if err != nil {
			if again, _ := yamlText(err); again == msg {
				high = mid
				continue
			}
		}
		low = mid + 1
	}
	if strings.Contains(msg, "cannot start any token") {
		at := s.lineStart(max(low, 1))
		begin := bytes.LastIndexByte(s.data[:at.off], '\n') + 1
		if tab := bytes.IndexByte(s.data[begin:at.off], '\t'); tab >= 0 {
			return pos{s, begin + tab}, "a tab indents this line; YAML wants spaces"
		}
	}
	return s.lineStart(max(low, 1)), msg
}

// yamlText takes the line, 0 if unknown, off the message.
func yamlText(err error) (msg string, line int) {
	msg = err.Error()
	if m := yamlLine.FindStringSubmatch(msg); m != nil {
		line, _ = strconv.Atoi(m[1])
		return m[2], line
	}
	return strings.TrimPrefix(msg, "y: "), 0
}
