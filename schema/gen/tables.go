package main

import (
	"bytes"
	"fmt"
	"go/format"
	"strings"

	"cuelang.org/go/cue/ast"
)

// visit calls do for each field below an object, with its path: * stands for the keys of a
// map. If do returns false, nothing below the field is visited.
func (l *language) visit(path string, o *fields, do func(path string, f *field) (bool, error)) error {
	for _, f := range o.list {
		at := strings.TrimPrefix(path+"."+f.name, ".")
		deeper, err := do(at, f)
		if err != nil {
			return fmt.Errorf("%s: %w", at, err)
		}
		if !deeper {
			continue
		}
		inner, isMap := l.inside(f.expr)
		if inner == nil {
			continue
		}
		if isMap {
			at += ".*"
		}
		if err := l.visit(at, inner, do); err != nil {
			return err
		}
	}
	return nil
}

// inside are the fields of an object, or of the entries of a map of objects; nil if the
// value has no fields.
func (l *language) inside(e ast.Expr) (o *fields, isMap bool) {
	if d := l.refersTo(e); d != nil {
		if d.object != nil {
			return d.object, false
		}
		return l.inside(d.expr)
	}
	if value := pattern(e); value != nil {
		o, _ = l.inside(value)
		return o, true
	}
	return nil, false
}

// isMap reports whether the value of a field is a map.
func (l *language) isMap(e ast.Expr) bool {
	if d := l.refersTo(e); d != nil {
		return d.object == nil && l.isMap(d.expr)
	}
	return pattern(e) != nil
}

// changeTable writes what a change of each field means.
func changeTable(l *language) ([]byte, error) {
	var rows bytes.Buffer
	catalog := false
	err := l.visit("", l.byName["File"].object, func(path string, f *field) (bool, error) {
		change := f.attrs["change"]
		o, isMap := l.inside(f.expr)
		if change == "" {
			if o == nil || isMap {
				return false, fmt.Errorf("say with @change what a change of it means to those who rely on the specs")
			}
			return true, nil
		}
		catalog = catalog || strings.Contains(change, "catalog.")
		whole, entry, err := comparison(change)
		if err != nil {
			return false, err
		}
		fmt.Fprintf(&rows, "\t\t%q: %s,\n", path, whole)
		if entry != "" {
			fmt.Fprintf(&rows, "\t\t%q: %s,\n", path+".*", entry)
		}
		if l.isMap(f.expr) && strings.HasPrefix(whole, "{") && !strings.HasPrefix(whole, "{classify:") {
			return entry == "", nil // its entries are compared
		}
		return false, nil
	})
	if err != nil {
		return nil, err
	}
	text := generated + "package compat\n\n"
	if catalog {
		text += "import \"github.com/llm-cli-gateway/gateway/engine/catalog\"\n\n"
	}
	text += "// comparisonsOfFields are those of all fields, by path; * stands for the keys of a map.\n" +
		"func comparisonsOfFields() map[string]comparison {\n\treturn map[string]comparison{\n" + rows.String() + "\t}\n}\n"
	return format.Source([]byte(text))
}

// comparison is the Go expression for an attribute @change, and the one for the entries of
// a map.
func comparison(change string) (whole, entry string, err error) {
	var parts []string
	for _, arg := range arguments(change) {
		key, value, named := strings.Cut(arg, "=")
		switch {
		case named && !strings.ContainsAny(key, `("`):
			switch key {
			case "added", "removed", "enter", "leave":
				parts = append(parts, key+": "+value)
			case "entry":
				entry = kind(value)
			default:
				return "", "", fmt.Errorf("@change has no %s=", key)
			}
		case arg == "entries":
		default:
			return kind(arg), "", nil
		}
	}
	return "{" + strings.Join(parts, ", ") + "}", entry, nil
}

// kind is the Go expression for a change of one kind.
func kind(name string) string {
	switch name {
	case "note", "elsewhere":
		return map[string]string{"note": "noted", "elsewhere": "elsewhere"}[name]
	case "param":
		return "{classify: schemaField}"
	case "widening":
		return "{classify: composite(Widening)}"
	}
	return "{classify: " + name + "}"
}

// variableTable writes the environment variables that override settings.
func variableTable(l *language) ([]byte, error) {
	var rows bytes.Buffer
	err := l.visit("", l.byName["File"].object, func(path string, f *field) (bool, error) {
		env := f.attrs["env"]
		if env == "" || strings.HasPrefix(path, "cli.") {
			return true, nil
		}
		typ, err := l.goField(f)
		if err != nil {
			return false, err
		}
		kind := map[string]string{"string": "textKind", "bool": "boolean", "int": "number", "int64": "number"}[strings.TrimPrefix(typ, "*")]
		if kind == "" {
			return false, fmt.Errorf("no variable can set a %s", typ)
		}
		args := arguments(env)
		empty := ""
		for _, arg := range args[1:] {
			key, value, _ := strings.Cut(arg, "=")
			if key != "empty" {
				return false, fmt.Errorf("@env has no %s", arg)
			}
			empty = value
		}
		fmt.Fprintf(&rows, "\t{%q, %q, %s, %q},\n", args[0], path, kind, empty)
		return false, nil
	})
	if err != nil {
		return nil, err
	}
	return format.Source([]byte(generated + "package load\n\n// Variables are all of them.\nvar Variables = []Variable{\n" + rows.String() + "}\n"))
}

// addedTable writes the lists to which a higher layer adds.
func addedTable(l *language) ([]byte, error) {
	var rows bytes.Buffer
	err := l.visit("", l.byName["File"].object, func(path string, f *field) (bool, error) {
		layers, given := f.attrs["layers"]
		if given {
			if layers != "add" {
				return false, fmt.Errorf("@layers has no %s", layers)
			}
			fmt.Fprintf(&rows, "\t%q,\n", path)
		}
		return !given, nil
	})
	if err != nil {
		return nil, err
	}
	return format.Source([]byte(generated + "package layers\n\n// added are the lists to which a higher layer adds, by path; * stands for the keys of a map.\n" +
		"var added = []string{\n" + rows.String() + "}\n"))
}
