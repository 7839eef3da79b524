// Package cuesyntax reads what the syntax of CUE shows without an evaluation: of a spec file,
// and of the schema.
//
// It must not know what a spec means.
package cuesyntax

import (
	"slices"
	"strings"

	"cuelang.org/go/cue/ast"
	"cuelang.org/go/cue/scanner"
	"cuelang.org/go/cue/token"
)

// Costly is the offset of what most likely makes an evaluation of the file long: the
// comprehension with the most clauses inside one another, else the first thing that has
// to be computed.
func Costly(file *ast.File) int {
	var first, outermost, worst token.Pos
	depth, deepest := 0, 0
	ast.Walk(file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.ImportDecl:
			return false
		case *ast.Comprehension:
			if depth == 0 {
				outermost = n.Pos()
			}
			if depth += len(n.Clauses); depth > deepest {
				worst, deepest = outermost, depth
			}
		case *ast.LetClause, *ast.CallExpr, *ast.BinaryExpr, *ast.Interpolation, *ast.SelectorExpr, *ast.IndexExpr:
			if !first.IsValid() {
				first = n.Pos()
			}
		}
		return true
	}, func(n ast.Node) {
		if c, ok := n.(*ast.Comprehension); ok {
			depth -= len(c.Clauses)
		}
	})
	switch {
	case worst.IsValid():
		return worst.Offset()
	case first.IsValid():
		return first.Offset()
	}
	return 0
}

// TooDeep looks for nesting before the parser does, which follows it by recursion
// and, for a chain of labels, without a limit.
func TooDeep(data []byte, most int) (off int, deep bool) {
	var s scanner.Scanner
	file := token.NewFile("", -1, len(data))
	s.Init(file, data, func(token.Pos, string, []any) {}, scanner.DontInsertCommas)
	open, chain, line := 0, 0, -1
	for {
		at, tok, _ := s.Scan()
		switch tok {
		case token.EOF:
			return 0, false
		case token.LBRACE, token.LBRACK, token.LPAREN:
			open++
			chain = 0
		case token.RBRACE, token.RBRACK, token.RPAREN:
			open = max(0, open-1)
			chain = 0
		case token.COMMA:
			chain = 0
		case token.COLON:
			chain++
		default:
			if tok.IsOperator() {
				chain++
			}
		}
		if l := file.Line(at); l != line && tok != token.COLON && !tok.IsOperator() {
			line, chain = l, min(chain, 1)
		}
		if open+chain/4 > most {
			return at.Offset(), true
		}
	}
}

// Labelled is the offset of the deepest label of path, definitions included.
func Labelled(decls []ast.Decl, path []string) (off int) {
	for _, name := range path {
		i := slices.IndexFunc(decls, func(d ast.Decl) bool {
			f, ok := d.(*ast.Field)
			if !ok {
				return false
			}
			label, _, err := ast.LabelName(f.Label)
			return err == nil && label == name
		})
		if i < 0 {
			break
		}
		f := decls[i].(*ast.Field)
		off, decls = f.Label.Pos().Offset(), nil
		if s, ok := f.Value.(*ast.StructLit); ok {
			decls = s.Elts
		}
	}
	return off
}

// Names are those that an author defined in order to refer to them: the keys of the
// spec itself could be referred to as well, but hardly are.
func Names(file *ast.File) (all []string) {
	add := func(name string) {
		if !slices.Contains([]string{"cli", "client", "mcp", "policy", "risk", "optimizer", "secret", "gateway"}, name) {
			all = append(all, name)
		}
	}
	for _, d := range file.Decls {
		if f, ok := d.(*ast.Field); ok {
			if name, ident, err := ast.LabelName(f.Label); err == nil && ident {
				add(name)
			}
		}
	}
	ast.Walk(file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.LetClause:
			add(n.Ident.Name)
		case *ast.ImportSpec:
			name := strings.Trim(n.Path.Value, `"`)
			add(name[strings.LastIndex(name, "/")+1:])
		}
		return true
	}, nil)
	return all
}

// BehindPreamble is where the first thing stands that is neither package nor import, with
// the comments that belong to it.
func BehindPreamble(file *ast.File, end int) int {
	for _, d := range file.Decls {
		switch d.(type) {
		case *ast.Package, *ast.ImportDecl, *ast.CommentGroup, *ast.Attribute:
			continue
		}
		at := d.Pos().Offset()
		for _, group := range ast.Comments(d) {
			at = min(at, group.Pos().Offset())
		}
		return at
	}
	return end
}
