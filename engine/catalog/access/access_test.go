package access

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// TestDecide is the table of what a call may do, row by row.
func TestDecide(t *testing.T) {
	all := []Level{Read, Edit, Full}
	ask := func(l Level) []Ask { return []Ask{{l, "mode " + l.String()}} }
	server := func(l Level) []Ask { return []Ask{{l, `mcpServers "docs"`}} }
	for _, c := range []struct {
		name  string
		facts Facts
		want  string // level, words, from; or a part of the refusal
	}{
		{"nothing said", Facts{}, "read read default"},
		{"default edit", Facts{Default: "edit"}, "edit edit default"},
		{"default own", Facts{Default: Own}, "full own default"},
		{"kept", Facts{Kept: "edit"}, "edit edit session"},
		{"kept own", Facts{Kept: Own}, "full own session"},
		{"asked", Facts{Asked: ask(Edit)}, "edit edit argument mode edit"},
		{"asked over kept", Facts{Asked: ask(Read), Kept: "full"}, "read read argument mode read"},
		{"asked over default", Facts{Asked: ask(Read), Default: "full"}, "read read argument mode read"},
		{"the highest of what is asked", Facts{Asked: slices.Concat(ask(Read), ask(Full), ask(Edit))}, "full full argument mode full"},
		{"what asks for nothing", Facts{Asked: ask(None)}, "read read default"},
		{"given", Facts{Given: "edit", Kept: "full"}, "edit edit argument access"},
		{"given more than asked", Facts{Given: "full", Asked: ask(Read)}, "full full argument access"},
		{"given less than asked", Facts{Given: "read", Asked: ask(Edit)}, `access "read" does not go with mode edit, which has the level "edit"`},
		{"given own, whatever is asked", Facts{Given: Own, Asked: ask(Full)}, "full own argument access"},
		{"a server raises what the call counts as", Facts{Servers: server(Full)}, "full read default"},
		{"a server of the level", Facts{Servers: server(Read)}, "read read default"},
		{"a server beside a mode", Facts{Servers: server(Full), Asked: ask(Edit)}, "full edit argument mode edit"},
		{"a server above what is given", Facts{Given: "edit", Servers: server(Full)}, `access "edit" does not go with mcpServers "docs"`},
		{"ceiling, default lowered", Facts{Default: "full", Ceiling: Ceiling{Edit, "job 1"}}, "edit edit default (access is \"edit\": job 1 may have no more)"},
		{"ceiling, kept lowered", Facts{Kept: "full", Ceiling: Ceiling{Read, "job 1"}}, "read read session (access is \"read\": job 1 may have no more)"},
		{"ceiling, given", Facts{Given: "full", Ceiling: Ceiling{Edit, "job 1"}}, `access asks for the level "full", and job 1 may have at most "edit"`},
		{"ceiling, asked", Facts{Asked: ask(Full), Ceiling: Ceiling{Edit, "job 1"}}, `mode full asks for the level "full", and job 1`},
		{"ceiling, given own", Facts{Given: Own, Ceiling: Ceiling{Edit, "job 1"}}, `access asks for the level "full"`},
		{"ceiling, kept own lowered", Facts{Kept: Own, Ceiling: Ceiling{Edit, "job 1"}}, "edit edit session"},
		{"ceiling, server", Facts{Servers: server(Full), Ceiling: Ceiling{Edit, "job 1"}}, `mcpServers "docs" has the level "full", and job 1 may have at most "edit"`},
		{"ceiling of full", Facts{Given: "full", Ceiling: Ceiling{Full, "job 1"}}, "full full argument access"},
		{"no levels", Facts{Has: none}, "full own default"},
		{"no levels, asked", Facts{Has: none, Asked: ask(Edit)}, "full own argument mode edit"},
		{"no levels, given", Facts{Has: none, Given: "read"}, `Acme cannot be held to the level "read"`},
		{"no levels, given own", Facts{Has: none, Given: Own}, "full own argument access"},
		{"no levels, ceiling", Facts{Has: none, Ceiling: Ceiling{Read, "job 1"}}, `Acme cannot be held to the level "read", which is the most that job 1`},
		{"no levels, ceiling of full", Facts{Has: none, Ceiling: Ceiling{Full, "job 1"}}, "full own default"},
	} {
		f := c.facts
		f.CLI = "Acme"
		if f.Has == nil {
			f.Has = func(l Level) bool { return slices.Contains(all, l) }
		}
		if f.Default == "" {
			f.Default = "read"
		}
		a, refusal := Decide(f)
		got := fmt.Sprintf("%s %s %s (%s)%s", a.Level, a.Words, a.From, strings.Join(a.Notes, "; "), refusal)
		if refusal != "" {
			got = refusal
		}
		if !strings.HasPrefix(got, c.want) || refusal == "" && len(a.Notes) > 0 != strings.Contains(f.Ceiling.From, "job") && f.Ceiling.Level != Full {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
		if refusal == "" && f.Ceiling.Level != None && Named(a.Level) > f.Ceiling.Level {
			t.Errorf("%s: above the ceiling: %+v", c.name, a)
		}
	}
}

func none(Level) bool { return false }

func TestWidened(t *testing.T) {
	for _, c := range []struct {
		kept, given string
		want        bool
	}{{"read", "edit", true}, {"edit", "read", false}, {"edit", "edit", false}, {"", "full", false}, {"own", "full", false}, {"read", Own, true}} {
		a, refusal := Decide(Facts{Has: func(Level) bool { return true }, Kept: c.kept, Given: c.given, Default: "read"})
		if refusal != "" || a.Widened != c.want {
			t.Errorf("%+v: %+v %s", c, a, refusal)
		}
	}
}
