package main

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// reference is reference.md with a table of fields in the place of each directive:
//
//	<!-- fields Prompt -->              those of #Prompt
//	<!-- fields Usage as output.usage. -->   the same, with a path in front of each name
//	<!-- fields Param: doc type -->     these of #Param
//	<!-- fields Param: ... -->          all of #Param that no other table has
//	<!-- settings -->                   those below #Settings, with variables and defaults
//
// Every field must have its place, and none may have two.
func reference(l *language) ([]byte, error) {
	r := writer{l: l, named: map[string][]string{}, written: map[string]bool{}}
	for _, m := range directive.FindAllStringSubmatch(l.intro, -1) {
		if names := strings.Fields(m[3]); !slices.Contains(names, "...") {
			r.named[m[1]] = append(r.named[m[1]], names...)
		}
	}
	var failed error
	fail := func(err error) string {
		if failed == nil {
			failed = err
		}
		return ""
	}
	text := directive.ReplaceAllStringFunc(l.intro, func(found string) string {
		m := directive.FindStringSubmatch(found)
		table, err := r.table(m[1], m[2], strings.Fields(m[3]))
		if err != nil {
			return fail(err)
		}
		return table
	})
	text = strings.ReplaceAll(text, "<!-- settings -->", r.settings())
	if failed != nil {
		return nil, failed
	}
	for _, d := range l.defs {
		if d.object == nil {
			continue
		}
		for _, f := range d.object.list {
			if !r.written[d.name+"."+f.name] {
				return nil, fmt.Errorf("#%s.%s has no place in schema/reference.md: write <!-- fields %s --> where its table belongs", d.name, f.name, d.name)
			}
		}
	}
	mark := "<!-- Made of schema.cue and reference.md by schema/gen. What is written here by hand is lost. -->\n"
	title, rest, _ := strings.Cut(text, "\n")
	return []byte(title + "\n\n" + mark + rest), nil
}

var directive = regexp.MustCompile(`<!-- fields (\w+)(?: as ([\w.]+))?(?:: ([\w .]+?))? -->`)

type writer struct {
	l       *language
	named   map[string][]string // by definition: fields that a table names
	written map[string]bool
}

// table is that of a definition's fields, all of them or those that are named.
func (r writer) table(def, prefix string, names []string) (string, error) {
	d := r.l.byName[def]
	if d == nil || d.object == nil {
		return "", fmt.Errorf("schema/reference.md: the schema has no object #%s", def)
	}
	for _, name := range names {
		if name != "..." && !slices.ContainsFunc(d.object.list, func(f *field) bool { return f.name == name }) {
			return "", fmt.Errorf("schema/reference.md: #%s has no field %s", def, name)
		}
	}
	rows := [][]string{{"field", "value", "meaning"}}
	for _, f := range d.object.list {
		switch key := d.name + "." + f.name; {
		case len(names) > 0 && !slices.Contains(names, "...") && !slices.Contains(names, f.name):
			continue
		case slices.Contains(names, "...") && slices.Contains(r.named[def], f.name):
			continue
		case r.written[key]:
			return "", fmt.Errorf("schema/reference.md: #%s has two places", key)
		default:
			r.written[key] = true
		}
		name := "`" + prefix + f.name + "`"
		if f.required {
			name += " (required)"
		}
		rows = append(rows, []string{name, r.l.value(f.expr), f.doc})
	}
	return table(rows), nil
}

// settings is the table of all settings.
func (r writer) settings() string {
	rows := [][]string{{"field of `gateway`", "value", "variable", "default", "meaning"}}
	var add func(prefix string, d *definition)
	add = func(prefix string, d *definition) {
		for _, f := range d.object.list {
			r.written[d.name+"."+f.name] = true
			if inner := r.l.refersTo(f.expr); inner != nil && inner.object != nil {
				add(prefix+f.name+".", inner)
				continue
			}
			variable := ""
			if env := f.attrs["env"]; env != "" {
				variable = "`" + arguments(env)[0] + "`"
			}
			fallback := thousands(r.l.defaults["gateway."+prefix+f.name])
			switch {
			case len(fallback) > 100:
				fallback = "see `specs/gateway.cue`"
			case fallback != "":
				fallback = "`" + fallback + "`"
			}
			rows = append(rows, []string{"`" + prefix + f.name + "`", r.l.value(f.expr), variable, fallback, f.doc})
		}
	}
	add("", r.l.byName["Settings"])
	return table(rows)
}

// table is a table in Markdown; the first row is its head.
func table(rows [][]string) string {
	var b strings.Builder
	for i, row := range rows {
		for _, cell := range row {
			b.WriteString("| ")
			if cell = escape(cell); cell != "" {
				b.WriteString(cell + " ")
			}
		}
		b.WriteString("|\n")
		if i == 0 {
			b.WriteString("|" + strings.Repeat("---|", len(row)) + "\n")
		}
	}
	return strings.TrimSuffix(b.String(), "\n")
}

var span = regexp.MustCompile("`[^`]*`|\"[^\"`]*\"|\\{[^{}`]*\\}")

// escape keeps a text in its cell. What is between quotes or braces is shown as code; of
// the rest, what looks like HTML, a link or emphasis stays visible.
func escape(text string) string {
	text = strings.ReplaceAll(text, "|", `\|`)
	var b strings.Builder
	from := 0
	plain := strings.NewReplacer("<", `\<`, "*", `\*`, "[", `\[`)
	for _, at := range span.FindAllStringIndex(text, -1) {
		b.WriteString(plain.Replace(text[from:at[0]]))
		b.WriteString("`" + strings.Trim(text[at[0]:at[1]], "`") + "`")
		from = at[1]
	}
	return b.String() + plain.Replace(text[from:])
}
