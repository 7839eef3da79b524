package main

import (
	"bytes"
	"cmp"
	"fmt"
	"go/format"
	"regexp"
	"slices"
	"strings"

	"cuelang.org/go/cue/ast"
	"cuelang.org/go/cue/token"
)

// goTypes writes a struct for each definition that is an object and belongs to a section,
// a field of #File: "" has what is in none that has a file of its own.
func goTypes(section string) func(*language) ([]byte, error) {
	return func(l *language) ([]byte, error) {
		var body bytes.Buffer
		sections := l.sections()
		for _, d := range l.defs {
			if d.object == nil || sections[d.name] != section {
				continue
			}
			if err := l.goStruct(&body, d); err != nil {
				return nil, fmt.Errorf("#%s: %w", d.name, err)
			}
		}
		text := generated + "package lang\n\n"
		if bytes.Contains(body.Bytes(), []byte("json.RawMessage")) {
			text += "import \"encoding/json\"\n\n"
		}
		return format.Source([]byte(text + body.String()))
	}
}

func (l *language) goStruct(b *bytes.Buffer, d *definition) error {
	name := d.attrs["go"]
	if name == "" {
		return fmt.Errorf("it needs @go(NAME), the name of its Go type")
	}
	doc := d.doc
	if own := ownName(d); strings.HasPrefix(doc, own+" ") {
		doc = name + doc[len(own):]
	}
	if !strings.HasPrefix(doc, name+" ") {
		return fmt.Errorf("its comment must begin with %q", ownName(d))
	}
	comments(b, "", doc)
	fmt.Fprintf(b, "type %s struct {\n", name)
	for _, f := range d.object.list {
		typ, err := l.goField(f)
		if err != nil {
			return fmt.Errorf("%s: %w", f.name, err)
		}
		comments(b, "\t", sentence(f.doc))
		fmt.Fprintf(b, "\t%s %s `json:\"%s\"`\n", goName(f.name), typ, f.name+l.omits(f, typ))
	}
	b.WriteString("}\n\n")
	return nil
}

// sections returns for each definition the section that refers to it first.
func (l *language) sections() map[string]string {
	all := map[string]string{}
	var mark func(section string, e ast.Node)
	mark = func(section string, e ast.Node) {
		ast.Walk(e, func(n ast.Node) bool {
			id, ok := n.(*ast.Ident)
			if !ok {
				return true
			}
			if d := l.byName[strings.TrimPrefix(id.Name, "#")]; d != nil {
				if _, known := all[d.name]; !known {
					own := section
					if d.name == "Output" { // the files of sections have a greatest length
						own = "output"
					}
					all[d.name] = own
					mark(own, d.expr)
				}
			}
			return true
		}, nil)
	}
	all["File"] = ""
	for _, section := range ownParts {
		all[section.definition] = section.name
		mark(section.name, l.byName[section.definition].expr)
	}
	for _, f := range l.byName["File"].object.list {
		section := ""
		if slices.Contains(ownFiles, f.name) {
			section = f.name
		}
		mark(section, f.expr)
	}
	return all
}

// ownFiles are the sections whose types have a file of their own: no file of Go has more
// than 600 lines.
var ownFiles = []string{"cli", "gateway"}

// ownParts are definitions whose types have a file of their own, for the same reason.
var ownParts = []struct{ name, definition string }{{"output", "Output"}}

// sentence is the first one of a text. The others are read in schema.cue.
func sentence(text string) string {
	if m := sentenceEnd.FindStringIndex(text); m != nil {
		return text[:m[0]+1]
	}
	return text
}

var sentenceEnd = regexp.MustCompile(`\. ["A-Z]`)

// ownName is how a definition calls itself in its comment. That of #File is the name of
// its type, since all files together are one of it.
func ownName(d *definition) string {
	if d.name == "File" {
		return d.attrs["go"]
	}
	return d.name
}

// comments writes a comment with lines of at most 90 characters.
func comments(b *bytes.Buffer, indent, text string) {
	line := indent + "//"
	for word := range strings.FieldsSeq(text) {
		if len(line)+1+len(word) > 90 {
			b.WriteString(line + "\n")
			line = indent + "//"
		}
		line += " " + word
	}
	b.WriteString(line + "\n")
}

var (
	capital = regexp.MustCompile(`[A-Z]?[^A-Z]+`)
	initial = map[string]string{"id": "ID", "db": "DB", "cli": "CLI", "mcp": "MCP"}
)

// goName is the name of a field in Go: logsDb is LogsDB.
func goName(name string) string {
	return capital.ReplaceAllStringFunc(name, func(word string) string {
		if upper := initial[strings.ToLower(word)]; upper != "" {
			return upper
		}
		return strings.ToUpper(word[:1]) + word[1:]
	})
}

// goField is the Go type of a field.
func (l *language) goField(f *field) (string, error) {
	if typ, _, _ := strings.Cut(f.attrs["go"], ",empty"); typ != "" {
		return typ, nil
	}
	return l.goType(f.expr)
}

func (l *language) goType(e ast.Expr) (string, error) {
	if d := l.refersTo(e); d != nil {
		if name := d.attrs["go"]; name != "" {
			return name, nil
		}
		return l.goType(d.expr)
	}
	if value := pattern(e); value != nil {
		inner, err := l.goType(value)
		return "Map[" + inner + "]", err
	}
	if open(e) {
		return "map[string]any", nil
	}
	if value, _ := element(e); value != nil {
		inner, err := l.goType(value)
		return "[]" + inner, err
	}
	arms, _ := alternatives(e)
	typ := ""
	for _, arm := range arms {
		one := scalar(arm)
		if one == "" || typ != "" && typ != one {
			return "", fmt.Errorf("no Go type follows from its constraint: name one with @go(TYPE)")
		}
		typ = one
	}
	return typ, nil
}

// scalar is the Go type of a text, number or bool, "" if the expression is none.
func scalar(e ast.Expr) string {
	typ := ""
	for _, part := range conjuncts(e) {
		typ = cmp.Or(typ, scalarPart(part))
	}
	return typ
}

func scalarPart(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.Ident:
		return map[string]string{"string": "string", "bool": "bool", "int": "int", "number": "float64", "_": "any"}[e.Name]
	case *ast.BasicLit:
		return map[token.Token]string{token.STRING: "string", token.INT: "int", token.FLOAT: "float64", token.TRUE: "bool", token.FALSE: "bool"}[e.Kind]
	case *ast.UnaryExpr:
		if e.Op == token.MAT || e.Op == token.NMAT || e.Op == token.NEQ {
			return "string"
		}
	}
	return ""
}

// omits is the option of a field's tag by which it is left out when it says nothing.
func (l *language) omits(f *field, typ string) string {
	switch {
	case f.required:
		return ""
	case strings.HasSuffix(f.attrs["go"], ",empty"):
		return ",omitzero"
	case strings.HasPrefix(typ, "[]"), strings.HasPrefix(typ, "map["), strings.HasPrefix(typ, "*"):
		return ",omitempty"
	case typ == "string", typ == "bool", typ == "int", typ == "int64", typ == "float64", typ == "any", typ == "Mode":
		return ",omitempty"
	}
	return ",omitzero"
}
