package cuesyntax

import (
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
	parsed.once.Do(read)
	inst := build.NewContext().NewInstance(schema.Import, nil)
	inst.ImportPath = path
	if err := inst.AddFile(schema.Import+"/schema.cue", parsed.permissive); err != nil {
		return nil
	}
	if err := inst.Complete(); err != nil {
		return nil
	}
	return inst
}

// parsed is what is known of the schema once somebody asks. It costs a start nothing.
var parsed struct {
	once       sync.Once
	names      []string        // of its definitions, in their order
	objects    map[string]bool // those of objects
	permissive string          // the schema with every definition opened
}

// read fills in what is known of the schema.
func read() {
	parsed.objects = map[string]bool{}
	b := strings.Builder{}
	b.WriteString("package schema\n")
	for _, d := range WithoutComments().Decls {
		f, ok := d.(*ast.Field)
		if !ok {
			continue
		}
		label, ok := f.Label.(*ast.Ident)
		if !ok {
			continue
		}
		parsed.names = append(parsed.names, label.Name)
		open := "_"
		if _, object := f.Value.(*ast.StructLit); object { // whoever names it alone has said something
			parsed.objects[label.Name], open = true, "{...}"
		}
		b.WriteString(label.Name + ": " + open + "\n")
	}
	parsed.permissive = b.String()
}

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
	parsed.once.Do(read)
	return parsed.objects[name]
}

// Definitions are the names that the schema exports. The caller must not change them.
func Definitions() []string {
	parsed.once.Do(read)
	return parsed.names
}
