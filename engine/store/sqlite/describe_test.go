package sqlite

import (
	"database/sql"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/llm-cli-gateway/gateway/engine/store"
	"github.com/llm-cli-gateway/gateway/engine/store/describe"
	"github.com/llm-cli-gateway/gateway/engine/store/storetest"
)

// TestEveryColumnIsDescribed: each table and view, and each of its columns, in their order.
func TestEveryColumnIsDescribed(t *testing.T) {
	s := newStore(t)
	// The rest are the files of the full-text index.
	names, err := queryAll(ctx, s.reader, scanOne[string], "SELECT name FROM sqlite_schema WHERE type IN ('table', 'view') AND name NOT LIKE 'sqlite_%' AND name NOT LIKE 'search\\_%' ESCAPE '\\' ORDER BY name")
	if err != nil {
		t.Fatal(err)
	}
	described := []string{}
	for _, table := range describe.Tables() {
		described = append(described, table.Name)
		columns, err := queryAll(ctx, s.reader, scanOne[string], "SELECT name FROM pragma_table_info(?)", table.Name)
		if err != nil {
			t.Fatal(err)
		}
		got := []string{}
		for _, c := range table.Columns {
			if got = append(got, c.Name); c.About == "" {
				t.Errorf("%s.%s is not described in engine/store/describe/record.txt", table.Name, c.Name)
			}
		}
		if !slices.Equal(got, columns) {
			t.Errorf("%s has the columns\n%s\ndescribed are\n%s", table.Name, strings.Join(columns, ", "), strings.Join(got, ", "))
		}
	}
	if slices.Sort(described); !slices.Equal(described, names) {
		t.Errorf("described are %q, there are %q", described, names)
	}
}

// TestPage: GATEWAY_UPDATE=1 writes the page anew.
func TestPage(t *testing.T) {
	path := filepath.Join("schema", "README.md")
	want := describe.Page()
	if os.Getenv("GATEWAY_UPDATE") != "" {
		if err := os.WriteFile(path, []byte(want), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if got, err := os.ReadFile(path); err != nil || string(got) != want {
		t.Errorf("%s is stale, %v; GATEWAY_UPDATE=1 go test ./engine/store/sqlite -run TestPage writes it", path, err)
	}
}

// filled is a store with a call of each kind.
func filled(t *testing.T) (s *Store, ok, live, refused string) {
	t.Helper()
	s = newStore(t)
	full := storetest.FullJob()
	full.Waiting, full.DedupKey, full.Opens = store.Waiting{}, "", false
	ok = mustBegin(t, s, full)
	outcome := storetest.FullOutcome()
	outcome.Ending, outcome.CostScope, outcome.UsageScope, outcome.Model = store.EndOK, "", "", "huge"
	if err := s.Finish(ctx, ok, outcome, nil); err != nil {
		t.Fatal(err)
	}
	live = mustBegin(t, s, store.Job{CLI: "acme", ParentID: ok, Created: full.Created})
	failed := mustBegin(t, s, store.Job{CLI: "acme", Created: full.Created})
	if err := s.Finish(ctx, failed, store.Outcome{Ending: store.EndError, ErrorClass: "quota", Ended: full.Created}, nil); err != nil {
		t.Fatal(err)
	}
	row := store.Job{ID: store.NewID(), Principal: store.Local, Tool: "acme_request", Refused: true, State: store.Done, Created: full.Created,
		Outcome: store.Outcome{Ending: store.EndStartFailed, ErrorClass: "denied", Detail: "approval: policy strict", Ended: full.Created}}
	if _, err := s.ImportJob(ctx, row); err != nil {
		t.Fatal(err)
	}
	if _, err := s.IndexTexts(ctx); err != nil {
		t.Fatal(err)
	}
	return s, ok, live, row.ID
}

// TestViewsOfCalls: what they tell of one call of each kind.
func TestViewsOfCalls(t *testing.T) {
	s, ok, live, refused := filled(t)
	for query, want := range map[string]string{
		"SELECT group_concat(outcome) FROM (SELECT coalesce(outcome, state) AS outcome FROM calls)":                                "refused,error,live,ok",
		"SELECT model_asked||' '||model_resolved||' '||model_answered||' '||model||' '||access FROM calls WHERE id = '" + ok + "'": "big large huge huge read",
		"SELECT queue_ms||' '||run_ms||' '||duration_ms||' '||attempts||' '||cost_estimated FROM calls WHERE id = '" + ok + "'":    "1876 7987 9864 1 1",
		"SELECT verdict||' '||warnings||' '||prompt||' '||search_id FROM calls WHERE id = '" + ok + "'":                            "approved [\"it was slow\"] héllo\n世界 'quoted' \"twice\" 1",
		"SELECT attempts||' '||detail FROM calls WHERE id = '" + refused + "'":                                                     "0 approval: policy strict",
		"SELECT group_concat(outcome) FROM requests":                                                                               "start_failed,error,ok",
		"SELECT count(*) FROM attempts": "3",
		"SELECT day||' '||cli||' '||calls||' '||answered||' '||cost_usd||' '||estimated||' '||cost_unknown||' '||output_tokens FROM cost_by_day": "2023-11-14 acme 3 1 0.0125 1 1 2",
		"SELECT model||' '||calls||' '||cost_usd||' '||average_ms FROM cost_by_model WHERE model IS NOT NULL":                                    "huge 1 0.0125 9864",
		"SELECT group_concat(id) FROM (SELECT id FROM slowest LIMIT 1)":                                                                          ok,
		"SELECT group_concat(error_class) FROM failures":                                                                                         "denied,quota",
		"SELECT depth||' '||id FROM (" + queryOf("inside") + ") ORDER BY depth DESC LIMIT 1":                                                     "1 " + live,
		"SELECT id FROM (" + queryOf("conversation") + ")":                                                                                       ok,
		"SELECT id FROM (" + queryOf("search") + ")":                                                                                             ok,
		"SELECT month||' '||calls FROM (" + queryOf("cost_by_month") + ")":                                                                       "2023-11 3",
		"SELECT group_concat(error_class) FROM (" + queryOf("failures_by_class") + ")":                                                           "denied,quota",
		"SELECT detail FROM (" + queryOf("refused") + ")":                                                                                        "approval: policy strict",
	} {
		var got string
		asked := []any{}
		for name, value := range map[string]string{"words": `answer`, "session": "ses", "id": ok} {
			if strings.Contains(query, ":"+name) {
				asked = append(asked, sql.Named(name, value))
			}
		}
		if err := s.reader.QueryRow(query, asked...).Scan(&got); err != nil || got != want {
			t.Errorf("%s\n got %s, %v\nwant %s", query, got, err, want)
		}
	}
}

// queryOf is a query that is offered.
func queryOf(name string) string {
	for _, q := range describe.Queries() {
		if q.Name == name {
			return q.SQL
		}
	}
	return ""
}
