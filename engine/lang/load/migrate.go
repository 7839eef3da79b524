package load

import (
	"bytes"
	"cmp"
	"slices"

	"cuelang.org/go/cue/ast"
)

// migration renames the keys of a file that the language had under another name earlier,
// as the attribute @was of the schema says. It changes these keys and no other byte.
//
// It goes down the syntax tree and the schema together, so that a key of the same name
// elsewhere stays: a parameter that is called "at", or an alias. What CUE computes is
// renamed where it is written, if the way there is by names: of let clauses, hidden
// fields and definitions of the same file.
type migration struct {
	at      func(ast.Node) pos
	names   map[string][]ast.Expr // what let clauses, hidden fields and definitions stand for
	visited map[visit]bool
	edits   map[int]edit // by offset
}

// visit is an expression that was looked at as a part of the schema.
type visit struct {
	e  ast.Expr
	as *arm
}

// edit replaces old by new at an offset of the file.
type edit struct {
	off      int
	old, new string
}

// migrated is the text of a file with its keys renamed.
func migrated(src *source, decls []ast.Decl, yaml bool) []byte {
	b := builder{src: src, yaml: yaml}
	m := migration{
		at:      func(n ast.Node) pos { return b.at(n.Pos()) },
		names:   map[string][]ast.Expr{},
		visited: map[visit]bool{},
		edits:   map[int]edit{},
	}
	for _, d := range decls {
		ast.Walk(d, m.named, nil)
	}
	for _, a := range fileShape().arms {
		m.decls(decls, a, nil)
	}
	return m.apply(src.data)
}

// named notes what a name stands for.
func (m migration) named(n ast.Node) bool {
	switch n := n.(type) {
	case *ast.LetClause:
		m.names[n.Ident.Name] = append(m.names[n.Ident.Name], n.Expr)
	case *ast.Field:
		if name, isIdent, err := ast.LabelName(n.Label); err == nil && isIdent {
			m.names[name] = append(m.names[name], n.Value)
		}
	}
	return true
}

func (m migration) decls(decls []ast.Decl, a *arm, path []string) {
	has := map[string]bool{}
	for _, d := range decls {
		if f, ok := d.(*ast.Field); ok {
			has[labelOf(f)] = true
		}
	}
	for _, d := range decls {
		switch d := d.(type) {
		case *ast.EmbedDecl:
			m.expr(d.Expr, a, path)
		case *ast.Comprehension:
			m.expr(d.Value, a, path)
		case *ast.Field:
			name := labelOf(d)
			if now := a.now[name]; now != "" && !has[now] {
				m.rename(d.Label, name, now)
				name = now
			}
			m.field(name, d.Value, a, path)
		}
	}
}

// labelOf is the name of a field, "" if it is computed.
func labelOf(f *ast.Field) string {
	name, _, err := ast.LabelName(f.Label)
	if err != nil {
		return ""
	}
	return name
}

// field looks at the value of a field of an object.
func (m migration) field(name string, v ast.Expr, a *arm, path []string) {
	path = append(path[:len(path):len(path)], name)
	for _, inner := range a.below(name, path) {
		m.expr(v, inner, path)
	}
}

// below are the alternatives for the value of a field. A patch for a range of versions
// looks like the CLI that it lies over.
func (a *arm) below(name string, path []string) []*arm {
	if len(path) == 4 && path[0] == "cli" && path[2] == "versions" {
		return fileShape().arms[0].fields["cli"].shape.arms[0].rest.arms
	}
	if f, ok := a.fields[name]; ok {
		return f.shape.arms
	}
	if a.rest != nil {
		return a.rest.arms
	}
	return nil
}

func (m migration) expr(e ast.Expr, a *arm, path []string) {
	if m.visited[visit{e, a}] {
		return
	}
	m.visited[visit{e, a}] = true
	switch e := e.(type) {
	case *ast.StructLit:
		if a.kinds&object != 0 && a.fields != nil {
			m.decls(e.Elts, a, path)
		}
	case *ast.ListLit:
		for _, elt := range e.Elts {
			if c, ok := elt.(*ast.Comprehension); ok {
				elt = c.Value
			}
			for _, inner := range a.items() {
				m.expr(elt, inner, path)
			}
		}
	case *ast.ParenExpr:
		m.expr(e.X, a, path)
	case *ast.UnaryExpr: // *a marks a default
		m.expr(e.X, a, path)
	case *ast.BinaryExpr:
		m.expr(e.X, a, path)
		m.expr(e.Y, a, path)
	case *ast.Ident:
		for _, stands := range m.names[e.Name] {
			m.expr(stands, a, path)
		}
	case *ast.SelectorExpr: // _shared.turns
		if name, _, err := ast.LabelName(e.Sel); err == nil {
			for _, stands := range m.names[name] {
				m.expr(stands, a, path)
			}
		}
	}
}

// rename notes that a label is to be another word. One in quotes keeps them.
func (m migration) rename(label ast.Label, old, now string) {
	p := m.at(label)
	if quote := p.src.data[p.off:]; len(quote) > 0 && (quote[0] == '"' || quote[0] == '\'') {
		p.off++
	}
	if bytes.HasPrefix(p.src.data[p.off:], []byte(old)) {
		m.edits[p.off] = edit{p.off, old, now}
	}
}

func (m migration) apply(data []byte) []byte {
	var out bytes.Buffer
	from := 0
	edits := make([]edit, 0, len(m.edits))
	for _, e := range m.edits {
		edits = append(edits, e)
	}
	slices.SortFunc(edits, func(a, b edit) int { return cmp.Compare(a.off, b.off) })
	for _, e := range edits {
		out.Write(data[from:e.off])
		out.WriteString(e.new)
		from = e.off + len(e.old)
	}
	out.Write(data[from:])
	return out.Bytes()
}

// renamed does to what a file says what migrated does to its text.
func renamed(n *node, a *arm, path []string) {
	switch n.kind {
	case object:
		for _, k := range slices.Clone(n.keys) {
			name := k
			if now := a.now[k]; now != "" && n.fields[now] == nil {
				n.set(now, n.fields[k])
				n.drop(k)
				name = now
			}
			at := append(path[:len(path):len(path)], name)
			for _, inner := range a.below(name, at) {
				if inner.kinds&n.fields[name].kind != 0 {
					renamed(n.fields[name], inner, at)
				}
			}
		}
	case list:
		for _, item := range n.items {
			for _, inner := range a.items() {
				renamed(item, inner, path)
			}
		}
	}
}

// items are the alternatives for the elements of a list.
func (a *arm) items() []*arm {
	if a.rest == nil || a.kinds&list == 0 {
		return nil
	}
	return a.rest.arms
}
