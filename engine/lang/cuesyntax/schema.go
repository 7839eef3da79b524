package cuesyntax

import (
	"slices"
	"strings"
	"sync"

	"cuelang.org/go/cue/ast"
	"cuelang.org/go/cue/build"
	"cuelang.org/go/cue/parser"
	"cuelang.org/go/cue/token"

	"github.com/llm-cli-gateway/gateway/schema"
)

// ImportSchema is the only package that exists beside CUE's own.
func ImportSchema(_ token.Pos, path string) *build.Instance {
	if strings.TrimSuffix(path, ":schema") != schema.Import {
		return nil
	}
	inst := build.NewContext().NewInstance(schema.Import, nil)
	inst.ImportPath = path
	if err := inst.AddFile(schema.Import+"/schema.cue", permissive()); err != nil {
		return nil
	}
	if err := inst.Complete(); err != nil {
		return nil
	}
	return inst
}

// permissive is the schema with every definition opened. One of objects stays an object,
// so that whoever names it alone has said something.
var permissive = sync.OnceValue(func() string {
	b := strings.Builder{}
	b.WriteString("package schema\n")
	for _, name := range Definitions() {
		open := "_"
		if OfObjects(name) {
			open = "{...}"
		}
		b.WriteString(name + ": " + open + "\n")
	}
	return b.String()
})

var schemaFile = sync.OnceValue(WithoutComments)

// WithoutComments parses the schema anew, since a context changes what it builds. Its
// comments, which are half of it, would cost as much as they are long.
func WithoutComments() *ast.File {
	file, err := parser.ParseFile(schema.Import+"/schema.cue", schema.Text)
	if err != nil {
		panic("spec: the schema does not parse: " + err.Error())
	}
	return file
}

// OfObjects reports whether a definition of the schema is one of objects.
func OfObjects(name string) bool {
	return slices.ContainsFunc(schemaFile().Decls, func(d ast.Decl) bool {
		f, ok := d.(*ast.Field)
		if !ok {
			return false
		}
		label, isName := f.Label.(*ast.Ident)
		_, object := f.Value.(*ast.StructLit)
		return isName && label.Name == name && object
	})
}

// Definitions are the names that the schema exports.
var Definitions = sync.OnceValue(func() (names []string) {
	for _, d := range schemaFile().Decls {
		if f, ok := d.(*ast.Field); ok {
			if ident, ok := f.Label.(*ast.Ident); ok {
				names = append(names, ident.Name)
			}
		}
	}
	return names
})
