package main

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"cuelang.org/go/cue/ast"
	"cuelang.org/go/cue/token"
)

// value says in words what a field may hold.
func (l *language) value(e ast.Expr) string {
	if d := l.refersTo(e); d != nil {
		if d.object != nil {
			return "object"
		}
		said := l.value(d.expr)
		if m := named.FindStringSubmatch(d.doc); m != nil && said == "text" {
			return m[1] // a parameter name
		}
		if d.doc != "" && said == "text" {
			return d.doc // a word
		}
		return said
	}
	if value := pattern(e); value != nil {
		inner := l.value(value)
		if inner == "object" {
			return "objects by name"
		}
		return each("by name", inner)
	}
	if open(e) {
		return "any object"
	}
	if s, ok := e.(*ast.StructLit); ok {
		return "{" + strings.Join(labels(s), ", ") + "}"
	}
	if value, least := element(e); value != nil {
		inner := each("list", l.value(value))
		if least > 0 {
			return inner + "; not empty"
		}
		return inner
	}
	arms, says := alternatives(e)
	if says != "" {
		return predicate(says)
	}
	if id, ok := e.(*ast.Ident); ok && id.Name == "_" {
		return "any value"
	}
	words := make([]string, len(arms))
	for i, arm := range arms {
		if len(arms) > 1 {
			words[i] = l.value(arm)
		} else {
			words[i] = l.bounded(arm)
		}
	}
	return strings.Join(words, ", or ")
}

// labels are the names of the fields of an object that stands inside of a disjunction.
func labels(s *ast.StructLit) (names []string) {
	for _, d := range s.Elts {
		if f, ok := d.(*ast.Field); ok {
			if name, _, err := ast.LabelName(f.Label); err == nil {
				names = append(names, name)
			}
		}
	}
	return names
}

var (
	subject = regexp.MustCompile(`^(?:an?|the) [\w ]+? (?:is|has) `)
	named   = regexp.MustCompile(`^(an? [\w ]+?|the [\w ]+?) (?:is|has|begins) `)
	noun    = regexp.MustCompile(`^(?:an? ([\w ]+)|(\w+))$`)
)

// predicate is the end of a sentence of the schema that says what must be.
func predicate(sentence string) string {
	if rest, ok := strings.CutPrefix(sentence, "must be "); ok {
		return rest
	}
	if rest, ok := strings.CutPrefix(sentence, "must contain "); ok {
		return "text with " + rest
	}
	return subject.ReplaceAllString(sentence, "")
}

// each says what the elements of a list, or the entries of a map, are.
func each(of, inner string) string {
	if m := noun.FindStringSubmatch(inner); m != nil && of == "list" {
		return "list of " + m[1] + m[2] + "s"
	} else if m != nil {
		return m[1] + m[2] + "s " + of
	}
	return of + ", each " + inner
}

// bounded is a scalar with its bounds.
func (l *language) bounded(e ast.Expr) string {
	what, least, most, runes := "", "", "", ""
	for _, part := range conjuncts(e) {
		switch p := part.(type) {
		case *ast.UnaryExpr:
			if lit, ok := p.X.(*ast.BasicLit); ok && p.Op == token.GEQ {
				least = thousands(lit.Value)
			} else if ok && p.Op == token.LEQ {
				most = thousands(lit.Value)
			}
		case *ast.CallExpr:
			runes = thousands(p.Args[0].(*ast.BasicLit).Value)
		case *ast.BasicLit:
			return p.Value
		}
		if d := l.refersTo(part); d != nil {
			return l.value(part)
		}
		if typ := scalarPart(part); what == "" {
			what = map[string]string{"string": "text", "int": "integer", "float64": "number", "bool": "bool"}[typ]
		}
	}
	switch {
	case runes != "":
		return fmt.Sprintf("%s of at most %s characters", what, runes)
	case least != "" && most != "":
		return fmt.Sprintf("%s, %s to %s", what, least, most)
	case least != "":
		return fmt.Sprintf("%s, at least %s", what, least)
	}
	return what
}

// thousands writes a number with commas.
func thousands(number string) string {
	if _, err := strconv.Atoi(number); err != nil || len(number) < 4 {
		return number
	}
	return thousands(number[:len(number)-3]) + "," + number[len(number)-3:]
}
