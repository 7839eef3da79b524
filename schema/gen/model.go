package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"cuelang.org/go/cue/ast"
	"cuelang.org/go/cue/literal"
	"cuelang.org/go/cue/parser"
	"cuelang.org/go/cue/token"
)

// language is what schema.cue declares.
type language struct {
	defs     []*definition
	byName   map[string]*definition
	intro    string            // reference.md, in which the tables of fields stand
	defaults map[string]string // of settings, by path, as the specs write them
}

// definition is a #Name of the schema.
type definition struct {
	name   string // without #
	doc    string
	expr   ast.Expr
	attrs  map[string]string
	object *fields // nil if it is not an object with fields of its own
}

// fields are those of an object.
type fields struct {
	list []*field
}

// field is one line of the schema.
type field struct {
	name     string
	doc      string
	required bool
	expr     ast.Expr
	attrs    map[string]string
}

func read(root string) (*language, error) {
	l := &language{byName: map[string]*definition{}, defaults: map[string]string{}}
	file, err := parser.ParseFile(filepath.Join(root, "schema", "schema.cue"), nil, parser.ParseComments)
	if err != nil {
		return nil, err
	}
	for _, d := range file.Decls {
		f, ok := d.(*ast.Field)
		if !ok {
			continue
		}
		name, _, err := ast.LabelName(f.Label)
		if err != nil {
			return nil, err
		}
		def := &definition{name: strings.TrimPrefix(name, "#"), doc: comment(f), expr: f.Value, attrs: attributes(f)}
		if s, ok := f.Value.(*ast.StructLit); ok && pattern(f.Value) == nil && !open(f.Value) {
			if def.object, err = objectOf(s); err != nil {
				return nil, fmt.Errorf("%s: %w", name, err)
			}
		}
		l.defs = append(l.defs, def)
		l.byName[def.name] = def
	}
	intro, err := os.ReadFile(filepath.Join(root, "schema", "reference.md"))
	if err != nil {
		return nil, err
	}
	l.intro = string(intro)
	specs, err := filepath.Glob(filepath.Join(root, "specs", "*.cue"))
	if err != nil {
		return nil, err
	}
	for _, name := range specs {
		if err := l.readDefaults(name); err != nil {
			return nil, err
		}
	}
	return l, nil
}

func objectOf(s *ast.StructLit) (*fields, error) {
	o := &fields{}
	for _, d := range s.Elts {
		f, ok := d.(*ast.Field)
		if !ok {
			return nil, fmt.Errorf("%T is not a field", d)
		}
		name, _, err := ast.LabelName(f.Label)
		if err != nil {
			return nil, err
		}
		one := &field{name: name, doc: comment(f), required: f.Constraint == token.NOT, expr: f.Value, attrs: attributes(f)}
		if one.doc == "" {
			return nil, fmt.Errorf("%s has no comment, which is its documentation", name)
		}
		o.list = append(o.list, one)
	}
	return o, nil
}

// readDefaults reads the values of settings in a spec that ships with the gateway.
func (l *language) readDefaults(name string) error {
	file, err := parser.ParseFile(name, nil)
	if err != nil {
		return err
	}
	src, err := os.ReadFile(name)
	if err != nil {
		return err
	}
	var visit func(path string, decls []ast.Decl)
	visit = func(path string, decls []ast.Decl) {
		for _, d := range decls {
			f, ok := d.(*ast.Field)
			if !ok {
				continue
			}
			label, _, err := ast.LabelName(f.Label)
			if err != nil {
				continue
			}
			at := strings.TrimPrefix(path+"."+label, ".")
			if s, ok := f.Value.(*ast.StructLit); ok {
				visit(at, s.Elts)
			} else {
				l.defaults[at] = string(src[f.Value.Pos().Offset():f.Value.End().Offset()])
			}
		}
	}
	visit("", file.Decls)
	return nil
}

// comment is the documentation above a field, as one paragraph.
func comment(n ast.Node) string {
	for _, group := range ast.Comments(n) {
		if group.Doc {
			return strings.Join(strings.Fields(group.Text()), " ")
		}
	}
	return ""
}

func attributes(f *ast.Field) map[string]string {
	all := map[string]string{}
	for _, a := range f.Attrs {
		key, body := a.Split()
		all[key] = body
	}
	return all
}

// pattern is the value of the entries of a map, nil if the expression is none: [#Name]: V.
func pattern(e ast.Expr) ast.Expr {
	s, ok := e.(*ast.StructLit)
	if !ok || len(s.Elts) != 1 {
		return nil
	}
	f, ok := s.Elts[0].(*ast.Field)
	if !ok {
		return nil
	}
	if _, ok := f.Label.(*ast.ListLit); !ok {
		return nil
	}
	return f.Value
}

// open reports whether the expression is {...}.
func open(e ast.Expr) bool {
	s, ok := e.(*ast.StructLit)
	if !ok || len(s.Elts) != 1 {
		return false
	}
	_, ok = s.Elts[0].(*ast.Ellipsis)
	return ok
}

// element is the value of the elements of a list; least is how many there must be.
func element(e ast.Expr) (value ast.Expr, least int) {
	list, ok := e.(*ast.ListLit)
	if !ok {
		return nil, 0
	}
	for _, elt := range list.Elts {
		if more, ok := elt.(*ast.Ellipsis); ok {
			return more.Type, least
		}
		least++
	}
	return nil, 0
}

// alternatives are the arms of a disjunction, and the text of its error(...).
func alternatives(e ast.Expr) (arms []ast.Expr, says string) {
	switch e := e.(type) {
	case *ast.ParenExpr:
		return alternatives(e.X)
	case *ast.BinaryExpr:
		if e.Op == token.OR {
			left, a := alternatives(e.X)
			right, b := alternatives(e.Y)
			return append(left, right...), a + b
		}
	case *ast.CallExpr:
		if id, ok := e.Fun.(*ast.Ident); ok && id.Name == "error" && len(e.Args) == 1 {
			text, _ := unquoted(e.Args[0])
			return nil, text
		}
	}
	return []ast.Expr{e}, ""
}

// conjuncts are the parts of A & B.
func conjuncts(e ast.Expr) []ast.Expr {
	if paren, ok := e.(*ast.ParenExpr); ok {
		return conjuncts(paren.X)
	}
	if b, ok := e.(*ast.BinaryExpr); ok && b.Op == token.AND {
		return append(conjuncts(b.X), conjuncts(b.Y)...)
	}
	return []ast.Expr{e}
}

// refersTo is the definition that an expression names, nil if it names none.
func (l *language) refersTo(e ast.Expr) *definition {
	id, ok := e.(*ast.Ident)
	if !ok {
		return nil
	}
	return l.byName[strings.TrimPrefix(id.Name, "#")]
}

func unquoted(e ast.Expr) (string, bool) {
	lit, ok := e.(*ast.BasicLit)
	if !ok || lit.Kind != token.STRING {
		return "", false
	}
	text, err := literal.Unquote(lit.Value)
	return text, err == nil
}

// arguments splits the body of an attribute at its commas, but not inside of brackets and
// quotes.
func arguments(body string) (args []string) {
	depth, quoted, from := 0, false, 0
	for i, c := range body {
		switch {
		case c == '"' && (i == 0 || body[i-1] != '\\'):
			quoted = !quoted
		case quoted:
		case strings.ContainsRune("([{", c):
			depth++
		case strings.ContainsRune(")]}", c):
			depth--
		case c == ',' && depth == 0:
			args = append(args, strings.TrimSpace(body[from:i]))
			from = i + 1
		}
	}
	return append(args, strings.TrimSpace(body[from:]))
}
