// Package describe says what the tables, views and columns of the record mean: for people, as a
// page and as metadata that Datasette shows.
//
// It hides the form in which the descriptions are written down, and how a file of metadata is
// told from one that belongs to the user. It must not know how rows are written or read.
package describe

import (
	_ "embed"
	"fmt"
	"slices"
	"strings"
)

//go:embed record.txt
var recordText string

//go:embed queries.txt
var queriesText string

// Table is a table or a view of the record.
type Table struct {
	Name, About string
	Columns     []Column
}

// Column is a column of a table. About is empty if nothing says what it means.
type Column struct{ Name, About string }

// Query is a query that people may want to ask. What follows a colon in its SQL is asked for.
type Query struct{ Name, About, SQL string }

// Tables are all that are described, those for people first.
func Tables() []Table {
	var all []Table
	common := map[string]string{}
	for _, s := range sections(recordText) {
		if s.name == "*" {
			for _, line := range append([]string{s.about}, s.lines...) {
				name, about, _ := strings.Cut(line, ": ")
				common[name] = about
			}
			continue
		}
		own := map[string]string{}
		for _, line := range s.lines[1:] {
			name, about, _ := strings.Cut(line, ": ")
			own[name] = about
		}
		t := Table{Name: s.name, About: s.about}
		for name := range strings.SplitSeq(s.lines[0], ", ") {
			about, ok := own[name]
			if !ok {
				about = common[name]
			}
			t.Columns = append(t.Columns, Column{name, about})
		}
		all = append(all, t)
	}
	return all
}

// Queries are all queries.
func Queries() (all []Query) {
	for _, s := range sections(queriesText) {
		all = append(all, Query{s.name, s.about, strings.Join(s.lines, "\n")})
	}
	return all
}

// section is a part of a text: its name, the line below it, and those that follow.
type section struct {
	name, about string
	lines       []string
}

func sections(text string) (all []section) {
	for part := range strings.SplitSeq("\n"+text, "\n== ") {
		lines := strings.Split(strings.TrimSpace(part), "\n")
		if len(lines) > 2 {
			all = append(all, section{lines[0], lines[1], lines[2:]})
		}
	}
	return all
}

// forPeople are the tables that a page explains; gateways use the others.
func forPeople(name string) bool {
	return slices.Contains([]string{"calls", "requests", "attempts", "cost_by_day", "cost_by_model", "slowest", "failures", "budgets", "joins", "approvals", "sessions", "breakers", "search"}, name)
}

// Page is the page about the record, as Markdown.
func Page() string {
	var b strings.Builder
	b.WriteString("<!-- Generated from engine/store/describe. -->\n\n# The record\n\nWhat the tables and views of the database mean. The views are meant for people; the tables are\nthose of gateways, and may change. Times end in `_at` where they are text in UTC, and in `_ns`\nwhere they are nanoseconds since 1970.\n")
	for _, people := range []bool{true, false} {
		if !people {
			b.WriteString("\n## Tables of gateways\n\nNo gateway minds if they are read; what writes to them is not supported.\n")
		}
		for _, t := range Tables() {
			if forPeople(t.Name) != people {
				continue
			}
			fmt.Fprintf(&b, "\n### %s\n\n%s\n\n| column | meaning |\n|---|---|\n", t.Name, t.About)
			for _, c := range t.Columns {
				fmt.Fprintf(&b, "| `%s` | %s |\n", c.Name, c.About)
			}
		}
	}
	b.WriteString("\n## Queries\n\nDatasette offers these with the metadata that a gateway writes beside the database.\n")
	for _, q := range Queries() {
		fmt.Fprintf(&b, "\n### Query %s\n\n%s\n\n```sql\n%s\n```\n", q.Name, q.About, q.SQL)
	}
	return b.String()
}
