package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"cuelang.org/go/cue/ast"
	"cuelang.org/go/cue/token"
)

// documents is how many specs the fixture has: an alternative of the schema stands in one
// of them at least, since no more than so many differ in kind.
const documents = 3

// fixture is a list of specs that together have every field of the language, in each form
// that it can take. They fit the schema, and mean nothing.
func fixture(l *language) ([]byte, error) {
	specs := make([]string, documents)
	for turn := range specs {
		var err error
		if specs[turn], err = l.sampleObject(l.byName["File"].object, turn); err != nil {
			return nil, err
		}
	}
	text := []byte("[" + strings.Join(specs, ",\n") + "]\n")
	if !json.Valid(text) {
		return nil, errors.New("it is no JSON")
	}
	return text, nil
}

func (l *language) sampleObject(o *fields, turn int) (string, error) {
	var members []string
	for _, f := range o.list {
		value, err := l.sample(f.expr, turn)
		if err != nil {
			return "", fmt.Errorf("%s: %w", f.name, err)
		}
		members = append(members, strconv.Quote(f.name)+":"+value)
	}
	between := ","
	if len(members) > 5 {
		between = ",\n" // a field is a line
	}
	return "{" + strings.Join(members, between) + "}", nil
}

// sample is a value as JSON. The turn chooses among alternatives.
func (l *language) sample(e ast.Expr, turn int) (string, error) {
	if d := l.refersTo(e); d != nil {
		if d.object != nil {
			return l.sampleObject(d.object, turn)
		}
		return l.sample(d.expr, turn)
	}
	if value := pattern(e); value != nil {
		return l.sampleMap(e.(*ast.StructLit), value, turn)
	}
	if open(e) {
		return `{"z":["a",1,true,null],"a":{}}`, nil
	}
	if s, ok := e.(*ast.StructLit); ok {
		o, err := plain(s)
		if err != nil {
			return "", err
		}
		return l.sampleObject(o, turn)
	}
	if value, least := element(e); value != nil {
		var items []string
		for i := range max(1, least, documents-1) {
			item, err := l.sample(value, turn+i)
			if err != nil {
				return "", err
			}
			items = append(items, item)
		}
		return "[" + strings.Join(items, ",") + "]", nil
	}
	arms, _ := alternatives(e)
	if len(arms) > 1 {
		return l.sample(arms[turn%len(arms)], turn)
	}
	return l.sampleScalar(arms[0])
}

// plain are the fields of an object that stands inside of a disjunction.
func plain(s *ast.StructLit) (*fields, error) {
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
		o.list = append(o.list, &field{name: name, expr: f.Value})
	}
	return o, nil
}

// sampleMap has two entries, of which the second is the first in the order of the
// alphabet, where two keys are possible.
func (l *language) sampleMap(s *ast.StructLit, value ast.Expr, turn int) (string, error) {
	label := s.Elts[0].(*ast.Field).Label.(*ast.ListLit).Elts[0]
	var entries []string
	for _, key := range candidates {
		if len(entries) == 2 || !l.fits(label, key) {
			continue
		}
		text, err := l.sample(value, turn+len(entries))
		if err != nil {
			return "", err
		}
		entries = append(entries, strconv.Quote(key)+":"+text)
	}
	return "{" + strings.Join(entries, ",") + "}", nil
}

// candidates are texts of which one fits each pattern of the schema.
var candidates = []string{"z", "a", "Z", "A", "9", "10", "--z", "~/z", "{json}", "2026-01-02"}

// fits reports whether a text is what an expression of texts admits.
func (l *language) fits(e ast.Expr, text string) bool {
	if d := l.refersTo(e); d != nil {
		return l.fits(d.expr, text)
	}
	arms, _ := alternatives(e)
	for _, part := range conjuncts(arms[0]) {
		if d := l.refersTo(part); d != nil {
			return l.fits(d.expr, text)
		}
		u, ok := part.(*ast.UnaryExpr)
		if !ok {
			continue
		}
		want, isText := unquoted(u.X)
		if !isText {
			continue
		}
		switch u.Op {
		case token.MAT:
			if !regexp.MustCompile(want).MatchString(text) {
				return false
			}
		case token.NMAT:
			if regexp.MustCompile(want).MatchString(text) {
				return false
			}
		case token.NEQ:
			if want == text {
				return false
			}
		}
	}
	return true
}

func (l *language) sampleScalar(e ast.Expr) (string, error) {
	number := "1"
	for _, part := range conjuncts(e) {
		switch p := part.(type) {
		case *ast.BasicLit:
			if text, ok := unquoted(p); ok {
				return strconv.Quote(text), nil
			}
			return p.Value, nil
		case *ast.UnaryExpr:
			if lit, ok := p.X.(*ast.BasicLit); ok && p.Op == token.GEQ && lit.Value != "0" {
				number = lit.Value
			}
		}
	}
	switch scalar(e) {
	case "int":
		return number, nil
	case "float64":
		return "1.5", nil
	case "bool":
		return "true", nil
	case "any":
		return `"a"`, nil
	case "string":
		for _, text := range candidates {
			if l.fits(e, text) {
				return strconv.Quote(text), nil
			}
		}
	}
	return "", fmt.Errorf("no sample fits its constraint: add one to candidates in schema/gen/fixture.go")
}
