package load

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"unicode/utf8"

	"cuelang.org/go/cue/ast"
	"cuelang.org/go/cue/literal"
	"cuelang.org/go/cue/parser"
	"cuelang.org/go/cue/token"

	"github.com/llm-cli-gateway/gateway/schema"
)

// shape is a part of the schema as the walk that explains errors sees it: the
// alternatives that a value may take. It knows the constructs that schema.cue uses;
// a test holds that it understands all of them.
type shape struct {
	arms []*arm
	says string // the text of the schema's error(...), "" if it has none
}

// arm is one alternative.
type arm struct {
	kinds  kind
	fields map[string]field  // of an object
	names  []string          // of the fields, in the order of the schema
	now    map[string]string // the names of fields by those that they had earlier
	rest   *shape            // of an object: what keys that match have; of a list: every further element
	keys   *regexp.Regexp    // which keys rest is for
	about  string            // what the schema says about such keys
	open   bool              // an object with any fields
	first  []*shape          // of a list: elements that must be there
	tests  []test            // of a scalar
	exact  string            // the only text it may have, if literal
	fixed  bool              // exact holds
}

type field struct {
	shape    *shape
	required bool
}

// test is one condition on a scalar.
type test struct {
	ok   func(*node) bool
	want string // completes "must ..."
}

// fileShape is #File.
var fileShape = sync.OnceValue(func() *shape {
	s, strange := shapes(schema.Text)
	if len(strange) > 0 {
		panic("spec: the schema uses what its reader does not know: " + strings.Join(strange, ", "))
	}
	return s["#File"]
})

// shapes reads the definitions of a schema; strange lists what it does not know.
func shapes(src string) (byName map[string]*shape, strange []string) {
	file, err := parser.ParseFile("schema.cue", src, parser.ParseComments)
	if err != nil {
		return nil, []string{err.Error()}
	}
	c := shaper{byName: map[string]*shape{}, defs: map[string]ast.Expr{}, doc: map[string]string{}, refs: map[*shape][]reference{}}
	for _, d := range file.Decls {
		if f, ok := d.(*ast.Field); ok {
			name := f.Label.(*ast.Ident).Name
			c.defs[name], c.byName[name] = f.Value, &shape{}
			c.doc[name] = firstComment(f)
		}
	}
	for name, e := range c.defs {
		c.fill(c.byName[name], e)
	}
	for len(c.refs) > 0 {
		for s := range c.refs {
			c.flatten(s)
		}
	}
	return c.byName, c.strange
}

type shaper struct {
	byName  map[string]*shape
	defs    map[string]ast.Expr
	doc     map[string]string
	refs    map[*shape][]reference
	strange []string
}

// reference is an arm that stands for all arms of a definition.
type reference struct {
	at int
	to *shape
}

func (c *shaper) shape(e ast.Expr) *shape {
	if id, ok := e.(*ast.Ident); ok && c.byName[id.Name] != nil {
		return c.byName[id.Name]
	}
	s := &shape{}
	c.fill(s, e)
	return s
}

func (c *shaper) fill(s *shape, e ast.Expr) {
	switch e := e.(type) {
	case *ast.ParenExpr:
		c.fill(s, e.X)
		return
	case *ast.BinaryExpr:
		if e.Op == token.OR {
			c.fill(s, e.X)
			c.fill(s, e.Y)
			return
		}
	case *ast.CallExpr:
		if id, ok := e.Fun.(*ast.Ident); ok && id.Name == "error" && len(e.Args) == 1 {
			s.says = c.unquote(e.Args[0])
			return
		}
	case *ast.Ident:
		if c.byName[e.Name] != nil {
			c.refs[s] = append(c.refs[s], reference{len(s.arms), c.byName[e.Name]})
			s.arms = append(s.arms, nil)
			return
		}
	}
	s.arms = append(s.arms, c.arm(e))
}

// flatten puts the arms of definitions in the place of references to them.
func (c *shaper) flatten(s *shape) {
	refs := c.refs[s]
	delete(c.refs, s)
	for _, ref := range slices.Backward(refs) {
		c.flatten(ref.to)
		s.arms = slices.Concat(s.arms[:ref.at], ref.to.arms, s.arms[ref.at+1:])
		if s.says == "" && len(refs) == 1 && len(s.arms) == len(ref.to.arms) {
			s.says = ref.to.says
		}
	}
}

func (c *shaper) arm(e ast.Expr) *arm {
	a := &arm{kinds: anything}
	c.narrow(a, e)
	return a
}

// narrow adds one conjunct to an arm.
func (c *shaper) narrow(a *arm, e ast.Expr) {
	switch e := e.(type) {
	case *ast.ParenExpr:
		c.narrow(a, e.X)
		return
	case *ast.BinaryExpr:
		if e.Op == token.AND {
			c.narrow(a, e.X)
			c.narrow(a, e.Y)
			return
		}
	case *ast.Ident:
		if c.ident(a, e.Name) {
			return
		}
	case *ast.BasicLit:
		c.exact(a, e)
		return
	case *ast.UnaryExpr:
		if c.bound(a, e) {
			return
		}
	case *ast.CallExpr:
		if sel, ok := e.Fun.(*ast.SelectorExpr); ok && sel.Sel.(*ast.Ident).Name == "MaxRunes" {
			most, _ := strconv.Atoi(e.Args[0].(*ast.BasicLit).Value)
			a.kinds &= textKind
			a.tests = append(a.tests, test{
				func(n *node) bool { return utf8.RuneCountInString(n.text) <= most },
				fmt.Sprintf("have at most %d characters", most)})
			return
		}
	case *ast.StructLit:
		a.kinds &= object
		c.object(a, e.Elts)
		return
	case *ast.ListLit:
		a.kinds &= list
		for _, elt := range e.Elts {
			if more, ok := elt.(*ast.Ellipsis); ok {
				if more.Type == nil {
					a.rest = &shape{arms: []*arm{{kinds: anything}}}
				} else {
					a.rest = c.shape(more.Type)
				}
				continue
			}
			a.first = append(a.first, c.shape(elt))
		}
		return
	}
	c.strange = append(c.strange, fmt.Sprintf("%T at %s", e, e.Pos()))
}

func (c *shaper) ident(a *arm, name string) bool {
	switch name {
	case "string":
		a.kinds &= textKind
	case "bool":
		a.kinds &= boolean
	case "number":
		a.kinds &= number
	case "int":
		a.kinds &= number
		a.tests = append(a.tests, test{func(n *node) bool { return !strings.ContainsAny(n.text, ".eE") }, "be an integer"})
	case "_":
	default:
		return false
	}
	return true
}

func (c *shaper) exact(a *arm, lit *ast.BasicLit) {
	n := &node{}
	b := builder{src: &source{}}
	if !b.scalar(n, lit.Kind, lit.Value) {
		c.strange = append(c.strange, "literal "+lit.Value)
		return
	}
	a.kinds &= n.kind
	a.exact, a.fixed = n.text, true
}

func (c *shaper) bound(a *arm, e *ast.UnaryExpr) bool {
	lit, ok := e.X.(*ast.BasicLit)
	if !ok {
		return false
	}
	switch e.Op {
	case token.MAT, token.NMAT:
		re, err := regexp.Compile(c.unquote(lit))
		if err != nil {
			return false
		}
		want := "match " + re.String()
		if e.Op == token.NMAT {
			want = "not match " + re.String()
			if re.String() == `\n` {
				want = "be one line"
			}
		}
		a.kinds &= textKind
		a.tests = append(a.tests, test{func(n *node) bool { return re.MatchString(n.text) == (e.Op == token.MAT) }, want})
	case token.NEQ:
		not := c.unquote(lit)
		want := fmt.Sprintf("not be %q", not)
		if not == "" {
			want = "not be empty"
		}
		a.kinds &= textKind
		a.tests = append(a.tests, test{func(n *node) bool { return n.text != not }, want})
	case token.GEQ, token.LEQ:
		limit, err := strconv.ParseFloat(lit.Value, 64)
		if err != nil {
			return false
		}
		want := "be at least " + lit.Value
		if e.Op == token.LEQ {
			want = "be at most " + lit.Value
		}
		a.kinds &= number
		a.tests = append(a.tests, test{func(n *node) bool {
			v, err := strconv.ParseFloat(n.text, 64)
			return err == nil && (e.Op == token.GEQ && v >= limit || e.Op == token.LEQ && v <= limit)
		}, want})
	default:
		return false
	}
	return true
}

func (c *shaper) object(a *arm, decls []ast.Decl) {
	a.fields, a.now = map[string]field{}, map[string]string{}
	for _, d := range decls {
		switch d := d.(type) {
		case *ast.Ellipsis:
			a.open = true
		case *ast.Field:
			if pattern, ok := d.Label.(*ast.ListLit); ok {
				a.rest = c.shape(d.Value)
				c.keys(a, pattern.Elts[0])
				continue
			}
			name, _, err := ast.LabelName(d.Label)
			if err != nil {
				c.strange = append(c.strange, "label at "+d.Pos().String())
				continue
			}
			a.names = append(a.names, name)
			a.fields[name] = field{c.shape(d.Value), d.Constraint == token.NOT}
			for _, attr := range d.Attrs {
				if strings.HasPrefix(attr.Text, "@was(") {
					_, earlier := attr.Split()
					a.now[earlier] = name
				}
			}
		default:
			c.strange = append(c.strange, fmt.Sprintf("%T at %s", d, d.Pos()))
		}
	}
}

// keys reads the label of a pattern: [#Name], [=~"..."] or [string].
func (c *shaper) keys(a *arm, e ast.Expr) {
	switch e := e.(type) {
	case *ast.Ident:
		if e.Name == "string" {
			a.keys = regexp.MustCompile("")
			return
		}
		if def := c.defs[e.Name]; def != nil {
			if a.about == "" {
				a.about = c.doc[e.Name]
			}
			c.keys(a, def)
			return
		}
	case *ast.BinaryExpr:
		if call, ok := e.Y.(*ast.CallExpr); ok && e.Op == token.OR && len(call.Args) == 1 {
			a.about = c.unquote(call.Args[0])
			c.keys(a, e.X)
			return
		}
	case *ast.UnaryExpr:
		if lit, ok := e.X.(*ast.BasicLit); ok && e.Op == token.MAT {
			a.keys = regexp.MustCompile(c.unquote(lit))
			return
		}
	}
	c.strange = append(c.strange, "pattern at "+e.Pos().String())
}

func (c *shaper) unquote(e ast.Expr) string {
	lit, ok := e.(*ast.BasicLit)
	if !ok {
		c.strange = append(c.strange, "text at "+e.Pos().String())
		return ""
	}
	s, err := literal.Unquote(lit.Value)
	if err != nil {
		c.strange = append(c.strange, "text "+lit.Value)
	}
	return s
}

func firstComment(n ast.Node) string {
	for _, group := range ast.Comments(n) {
		if group.Doc {
			return strings.Join(strings.Fields(group.Text()), " ")
		}
	}
	return ""
}
