package load

import (
	"bytes"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"cuelang.org/go/cue/ast"
	"cuelang.org/go/cue/literal"
	"cuelang.org/go/cue/token"

	"github.com/llm-cli-gateway/gateway/engine/lang/cuesyntax"
	"github.com/llm-cli-gateway/gateway/schema"
)

// builder reads plain data off a syntax tree, which is all that YAML and most CUE
// files are. Where it meets something that has to be computed it leaves a bad node
// and says so; the positions it found are then used for what evaluation yields.
type builder struct {
	src      *source
	r        *report
	yaml     bool
	computed bool // the file says something that only evaluation knows

	schema string // what the file calls the schema that it imports; "" if it does not
	used   bool   // and that it does so with reason
}

func (b *builder) at(p token.Pos) pos {
	off := min(p.Offset(), len(b.src.data))
	if !b.yaml {
		return pos{b.src, off}
	}
	// The YAML parser counts a column in characters, and CUE adds it up as bytes.
	start := bytes.LastIndexByte(b.src.data[:off], '\n') + 1
	at := start
	for range off - start {
		_, size := utf8.DecodeRune(b.src.data[at:])
		at += size
	}
	return pos{b.src, at}
}

// file reads the declarations of a file.
func (b *builder) file(decls []ast.Decl) *node {
	root := newObject(pos{b.src, 0}, pos{b.src, 0})
	b.decls(root, decls, nil)
	b.computed = b.computed || b.schema != "" && !b.used // CUE has a word about that
	return root
}

// imports: of the schema nothing has to be computed, as it adds no data.
func (b *builder) imports(d *ast.ImportDecl) {
	for _, s := range d.Specs {
		path, err := literal.Unquote(s.Path.Value)
		name := "schema"
		if s.Name != nil {
			name = s.Name.Name
		}
		if err != nil || strings.TrimSuffix(path, ":schema") != schema.Import || b.schema != "" {
			b.computed = true
		}
		b.schema = name
	}
}

// fromSchema reports whether e is a definition of the schema that is imported.
func (b *builder) fromSchema(e ast.Expr) bool {
	sel, ok := e.(*ast.SelectorExpr)
	if !ok || b.schema == "" {
		return false
	}
	pkg, ok := sel.X.(*ast.Ident)
	name, isName := sel.Sel.(*ast.Ident)
	if !ok || !isName || pkg.Name != b.schema || !slices.Contains(cuesyntax.Definitions(), name.Name) {
		return false
	}
	b.used = true
	return true
}

func (b *builder) decls(into *node, decls []ast.Decl, path []string) {
	for _, d := range decls {
		switch d := d.(type) {
		case *ast.Field:
			b.field(into, d, path)
		case *ast.Package, *ast.CommentGroup, *ast.BadDecl:
		case *ast.ImportDecl:
			b.imports(d)
		case *ast.LetClause:
			b.computed = true
		case *ast.EmbedDecl:
			if b.fromSchema(d.Expr) {
				continue
			}
			b.embed(into, d.Expr, path)
		default: // comprehensions, ellipses, attributes
			b.computed, into.hazy = true, true
		}
	}
}

func (b *builder) embed(into *node, e ast.Expr, path []string) {
	v := b.value(e, path)
	switch {
	case v.kind == object:
		b.computed = true // { {a: 1} } is rare; CUE knows what it means
		b.absorb(into, v, path)
	case v.kind == bad:
		into.hazy = true
	default:
		b.r.add(v.at, path, "type", "must be an object, not %s", v.kind)
		into.hazy = true
	}
}

func (b *builder) absorb(into, from *node, path []string) {
	into.hazy = into.hazy || from.hazy
	for _, k := range from.keys {
		b.put(into, k, from.fields[k], path)
	}
}

func (b *builder) field(into *node, f *ast.Field, path []string) {
	name, _, err := ast.LabelName(f.Label)
	if lit, ok := f.Label.(*ast.BasicLit); ok && lit.Kind == token.STRING && err != nil {
		name, err = literal.Unquote(lit.Value) // #"raw"# and the like
	}
	if err != nil { // [pattern]: and "\(interpolated)":
		b.computed, into.hazy = true, true
		return
	}
	if ident, ok := f.Label.(*ast.Ident); ok && (strings.HasPrefix(ident.Name, "_") || strings.HasPrefix(ident.Name, "#")) {
		b.computed = true
		return
	}
	if b.schema != "" && name == b.schema { // below which the name means the field
		b.computed = true
	}
	if _, alias := f.Label.(*ast.Alias); alias || f.Alias != nil || f.Constraint != token.ILLEGAL {
		b.computed = true
		if f.Constraint == token.NOT && into.fields[name] == nil {
			into.set(name, &node{kind: bad, at: b.at(f.Label.Pos()), key: b.at(f.Label.Pos())})
		}
		if f.Constraint != token.ILLEGAL { // name?: or name!: gives no value
			return
		}
	}
	if b.yaml && len(path) == 0 && strings.HasPrefix(name, "_") {
		return // a place for anchors, as hidden fields are in CUE
	}
	path = append(path[:len(path):len(path)], name)
	v := b.value(f.Value, path)
	v.key = b.at(f.Label.Pos())
	if b.yaml {
		if old, twice := into.fields[name]; twice {
			b.r.add(v.key, path, "duplicate-key", "duplicate key %q", name).Hint = "first at " + where(old.key)
			return
		}
	}
	b.put(into, name, v, path[:len(path)-1])
}

// put adds a field that may be there already: CUE lets a file say things twice.
func (b *builder) put(into *node, name string, v *node, path []string) {
	path = append(path[:len(path):len(path)], name)
	if old := into.fields[name]; old != nil {
		v = join(old, v, path, b.r)
	}
	into.set(name, v)
}

func (b *builder) value(e ast.Expr, path []string) *node {
	at := b.at(e.Pos())
	n := &node{at: at, key: at}
	if len(path) > maxDepth {
		b.r.add(at, path[:8], "too-deep", "nested more than %d deep", maxDepth)
		n.kind = bad
		return n
	}
	switch e := e.(type) {
	case *ast.SelectorExpr:
		if b.fromSchema(e) && cuesyntax.OfObjects(e.Sel.(*ast.Ident).Name) { // cli: schema.#CLIs, for editors
			return newObject(at, at)
		}
	case *ast.ParenExpr:
		return b.value(e.X, path)
	case *ast.StructLit:
		if b.unquotedSlot(n, path) {
			return n
		}
		n = newObject(at, at)
		b.decls(n, e.Elts, path)
		return n
	case *ast.ListLit:
		return b.list(n, e, path)
	case *ast.BasicLit:
		if b.scalar(n, e.Kind, e.Value) {
			return n
		}
	case *ast.UnaryExpr:
		if lit, ok := e.X.(*ast.BasicLit); ok && (e.Op == token.SUB || e.Op == token.ADD) && (lit.Kind == token.INT || lit.Kind == token.FLOAT) {
			if b.scalar(n, lit.Kind, lit.Value) {
				if e.Op == token.SUB && n.text != "0" {
					n.text = "-" + n.text
				}
				return n
			}
		}
	case *ast.BinaryExpr:
		switch {
		case e.Op == token.AND && b.fromSchema(e.X):
			return b.value(e.Y, path)
		case e.Op == token.AND && b.fromSchema(e.Y):
			return b.value(e.X, path)
		}
		if v := b.both(e, path); v != nil {
			b.computed = true
			return v
		}
	}
	if b.yaml {
		b.r.add(at, path, "type", "not a value of a spec")
	}
	b.computed = true
	n.kind = bad
	return n
}

var slot = regexp.MustCompile(`^\{ *[A-Za-z_][A-Za-z0-9_.]* *\}`)

// unquotedSlot: {params} without quotes is an object for YAML, which nobody means.
func (b *builder) unquotedSlot(n *node, path []string) bool {
	word := slot.Find(b.src.data[n.at.off:])
	if !b.yaml || word == nil {
		return false
	}
	b.r.add(n.at, path, "quotes", "%s is an object for YAML", word).Hint = fmt.Sprintf("quote it: %q", word)
	n.kind = bad
	return true
}

// both reads schema.#CLI & {...}: the part that is data.
func (b *builder) both(e *ast.BinaryExpr, path []string) *node {
	if e.Op != token.AND {
		return nil
	}
	x, y := b.value(e.X, path), b.value(e.Y, path)
	switch {
	case x.kind == object && y.kind == object:
		b.absorb(x, y, path)
		return x
	case x.kind == object:
		x.hazy = x.hazy || !isDefinition(e.Y)
		return x
	case y.kind == object:
		y.hazy = y.hazy || !isDefinition(e.X)
		return y
	}
	return nil
}

// isDefinition: what is imported from the schema adds no fields.
func isDefinition(e ast.Expr) bool {
	sel, ok := e.(*ast.SelectorExpr)
	if !ok {
		return false
	}
	name, ok := sel.Sel.(*ast.Ident)
	return ok && strings.HasPrefix(name.Name, "#")
}

func (b *builder) list(n *node, e *ast.ListLit, path []string) *node {
	n.kind = list
	for i, elt := range e.Elts {
		switch elt.(type) {
		case *ast.Comprehension, *ast.Ellipsis:
			b.computed = true
			n.kind = bad
			return n
		}
		n.items = append(n.items, b.value(elt, append(path[:len(path):len(path)], strconv.Itoa(i))))
	}
	return n
}

func (b *builder) scalar(n *node, tok token.Token, lit string) bool {
	switch tok {
	case token.TRUE, token.FALSE:
		n.kind, n.text = boolean, lit
	case token.NULL:
		n.kind = null
	case token.STRING:
		s, err := literal.Unquote(lit)
		if err != nil {
			return false
		}
		n.kind, n.text = textKind, s
		if strings.HasPrefix(strings.TrimLeft(lit, "#"), "'") {
			n.kind = octets
		}
	case token.INT, token.FLOAT:
		s, ok := decimal(strings.TrimPrefix(lit, "number & "))
		if !ok {
			return false
		}
		n.kind, n.text = number, s
	default:
		return false
	}
	return true
}

// decimal writes a number literal (1_000, 0x1F, 4K) as JSON does.
func decimal(lit string) (string, bool) {
	var info literal.NumInfo
	if literal.ParseNum(lit, &info) != nil {
		return "", false
	}
	s := info.String()
	if strings.HasSuffix(s, ".") {
		s += "0"
	}
	return strings.Replace(s, ".e", ".0e", 1), true
}
