package sqlite

import (
	"database/sql/driver"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"modernc.org/sqlite"

	"github.com/llm-cli-gateway/gateway/engine/store"
)

// made1000 is a database as a gateway of schema 1.0 leaves it, with rows in every table. Its
// job that ended is as large as one that has to be moved to pages of its own.
func made1000(t *testing.T) (path string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "calls.db")
	raw(t, path, "PRAGMA journal_mode=WAL", schema1000,
		fmt.Sprintf("PRAGMA application_id=%d; PRAGMA user_version=1000", applicationID),
		`INSERT INTO job(id, dedup_key, tool, cli, model, session, opens, state, created_ns, prompt, args) VALUES
			('01m8q00000000000000000000a', 'k', 'acme_request', 'acme', 'large', 'a', 1, 'live', 1700000000000000001, 'go on', '{"x":1}')`,
		`INSERT INTO job(id, dedup_key, tool, cli, model, state, outcome, exit_code, created_ns, ended_ns, response, prompt, cost_usd) VALUES
			('01m8q00000000000000000000b', 'k', 'acme_request', 'acme', 'small', 'done', 'ok', 0, 1700000000000000002, 1700000000000000003, '`+strings.Repeat("long ", 50_000)+`', 'héllo', 0.5)`,
		`INSERT INTO job(id, tool, state, outcome, created_ns) VALUES('01m8q00000000000000000000c', 'acme_request', 'done', 'lost', 1700000000000000004)`,
		`INSERT INTO joined(job_id, tool, correlation_id, created_ns) VALUES('01m8q00000000000000000000b', 'acme_request', 'cor', 1700000000000000005)`,
		`INSERT INTO approval(id, tool, cli, strategy, verdict, decided_by, score, created_ns) VALUES
			('01m8q00000000000000000000d', 'acme_request', 'acme', 'mcp_managed', 'approved', 'policy', 7, 1700000000000000006)`,
		`INSERT INTO session(cli, id, native_id, begun, active, turns, created_ns, used_ns) VALUES
			('acme', 'a', 'n', 1, 1, 3, 1700000000000000007, 1700000000000000008), ('zeta', 'a', NULL, 0, 0, 0, 1700000000000000009, 1700000000000000009)`,
		`INSERT INTO imported(source, created_ns) VALUES('/x/sessions.json', 1700000000000000010)`)
	return path
}

// madeAt is made1000 as gateways of a later schema have left it, with a row that is of theirs.
func madeAt(t *testing.T, version int) (path string) {
	t.Helper()
	path = made1000(t)
	for _, step := range migrations {
		if step.version <= 1000 || step.version > version {
			continue
		}
		raw(t, path, step.sql, fmt.Sprintf("PRAGMA user_version=%d", step.version))
		switch step.version {
		case waitingVersion:
			raw(t, path, `INSERT INTO job(id, tool, cli, state, created_ns, wait_until_ns, question) VALUES('01m8q00000000000000000000g', 'acme_request', 'acme', 'live', 1700000000000000011, 1900000000000000000, 'May it?')`)
		case 1005:
			raw(t, path,
				`INSERT INTO attempt(job_id, n, cli, outcome, begun_ns, ended_ns) VALUES('01m8q00000000000000000000b', 1, 'acme', 'error', 1700000000000000002, 1700000000000000003)`,
				`UPDATE job SET attempt = 2, begun_ns = 1700000000000000004 WHERE id = '01m8q00000000000000000000b'`)
		}
	}
	return path
}

// TestMigrationFromEachVersion: all rows are there, and the schema is that of a new file.
func TestMigrationFromEachVersion(t *testing.T) {
	schema := func(s *Store) []string {
		list, err := queryAll(ctx, s.reader, scanOne[string], "SELECT type || ' ' || name || ': ' || coalesce(sql, '') FROM sqlite_schema ORDER BY 1")
		if err != nil {
			t.Fatal(err)
		}
		return list
	}
	want := schema(newStore(t))
	for _, from := range migrations {
		t.Run(dotted(from.version), func(t *testing.T) {
			path := madeAt(t, from.version)
			before := contents(t, path)
			s := mustOpen(t, path)
			wantSound(t, s, -1)
			if got := schema(s); !slices.Equal(got, want) {
				t.Errorf("\ngot  %q\nwant %q", got, want)
			}
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			wantMigrated(t, path, before)
			s = mustOpen(t, path)
			found, err := s.Jobs(ctx, store.Filter{Principal: store.Local, Text: "long"})
			if err != nil || len(found) != 1 || found[0].Outcome.Response == "" {
				t.Fatalf("the old calls are not searchable: %+v, %v", found, err)
			}
			if err := s.DeleteJob(ctx, found[0].ID); err != nil {
				t.Error(err)
			}
			wantSound(t, s, -1)
		})
	}
}

var tables = []string{"job", "joined", "approval", "session", "imported"}

// contents are the rows of all tables and views, by their names.
func contents(t *testing.T, path string) map[string][]string {
	t.Helper()
	db, err := connect(strings.Split(dataSource(path, false), "?")[0], 1)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	all := map[string][]string{}
	for _, name := range append(slices.Clone(tables), "requests", "joins", "approvals", "sessions") {
		rows, err := db.Query("SELECT * FROM " + name)
		if err != nil {
			t.Fatal(err)
		}
		columns, err := rows.Columns()
		if err != nil {
			t.Fatal(err)
		}
		for rows.Next() {
			row, into := make([]any, len(columns)), make([]any, len(columns))
			for i := range row {
				into[i] = &row[i]
			}
			if err := rows.Scan(into...); err != nil {
				t.Fatal(err)
			}
			var text strings.Builder
			for i, column := range columns {
				fmt.Fprintf(&text, "%s=%v\n", column, row[i])
			}
			all[name] = append(all[name], text.String())
		}
		if err := rows.Err(); err != nil {
			t.Fatal(err)
		}
	}
	return all
}

// wantMigrated holds that a database has the rows of before, all of the local user.
func wantMigrated(t *testing.T, path string, before map[string][]string) {
	t.Helper()
	after := contents(t, path)
	for name, rows := range before {
		if len(rows) == 0 || len(after[name]) != len(rows) {
			t.Errorf("%s has %d rows, it had %d", name, len(after[name]), len(rows))
			continue
		}
		for i, row := range rows {
			added, kept := strings.CutPrefix(after[name][i], row)
			if !kept {
				t.Errorf("%s:\n got %.2000q\nwant %.2000q", name, after[name][i], row)
			}
			// What later schemas add says nothing of these rows, but whose they are.
			for column := range strings.Lines(added) {
				if column != "principal=local\n" && !strings.HasSuffix(column, "=<nil>\n") {
					t.Errorf("%s: the migration put in %q", name, column)
				}
			}
			if name != "imported" && !strings.Contains(after[name][i], "\nprincipal=local\n") {
				t.Errorf("%s belongs to nobody", name)
			}
		}
	}
}

func TestMigrationKeepsAllRows(t *testing.T) {
	path := made1000(t)
	before := contents(t, path)
	s := mustOpen(t, path)
	wantSound(t, s, -1)
	if job := mustJob(t, s, "01m8q00000000000000000000a"); job.Principal != store.Local || job.Prompt != "go on" {
		t.Errorf("%+v", job)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	wantMigrated(t, path, before)

	// Once more it changes nothing.
	first, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	used(t, path, 0)
	again, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if !again.ModTime().Equal(first.ModTime()) || again.Size() != first.Size() {
		t.Error("the second gateway wrote to the file")
	}
	wantMigrated(t, path, before)
}

// TestInspectBeforeMigration: a doctor may be newer than all gateways that opened the file.
func TestInspectBeforeMigration(t *testing.T) {
	path := made1000(t)
	before, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	seen, err := Inspect(ctx, path)
	if err != nil || seen.Schema != "1.0" || seen.Jobs != 3 || len(seen.Live) != 1 || seen.SessionTotal != 2 || len(seen.Sessions) != 2 || seen.Sessions[1].Principal != store.Local || seen.Sessions[1].Turns != 3 {
		t.Errorf("%+v, %v", seen, err)
	}
	if after, err := os.ReadFile(path); err != nil || !slices.Equal(after, before) {
		t.Errorf("the file was changed, %v", err)
	}
}

// migrateAndStop is a gateway that stands still in the middle of a migration: all has been
// changed, and nothing is committed.
func migrateAndStop(path string) error {
	err := sqlite.RegisterFunction("stop", &sqlite.FunctionImpl{Scalar: func(*sqlite.FunctionContext, []driver.Value) (driver.Value, error) {
		fmt.Println("in the middle")
		select {}
	}})
	if err != nil {
		return err
	}
	_, err = open(path, append(migrations[:len(migrations):len(migrations)], migration{newest + 1, "CREATE TABLE later(x); INSERT INTO later SELECT stop()"}))
	return err
}

func TestKilledMigrationChangesNothing(t *testing.T) {
	path := made1000(t)
	before := contents(t, path)
	for range 2 {
		o := startOther(t, "migrate", os.Args[0], path, nil)
		o.start.Close()
		if line, err := o.output.ReadString('\n'); line != "in the middle\n" {
			t.Fatalf("%q, %v", line, err)
		}
		if err := o.process.Kill(); err != nil {
			t.Fatal(err)
		}
		o.end(t)
		if after := contents(t, path); !reflect.DeepEqual(after, before) {
			t.Errorf("\ngot  %.3000q\nwant %.3000q", after, before)
		}
	}
	s := mustOpen(t, path)
	wantSound(t, s, -1)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	wantMigrated(t, path, before)
}

func TestManyProcessesMigrate(t *testing.T) {
	for range 3 {
		path := made1000(t)
		together(t, 8, "visit", path)
		s := mustOpen(t, path)
		wantSound(t, s, -1)
		if jobs, err := s.Jobs(ctx, store.Filter{Principal: store.Local}); err != nil || len(jobs) != 3+8 {
			t.Errorf("%d jobs, %v", len(jobs), err)
		}
	}
}

// TestGatewaysOfSchema1000GoOn: these are statements of theirs. They run on while a newer
// gateway migrates, and may be started later.
func TestGatewaysOfSchema1000GoOn(t *testing.T) {
	path := made1000(t)
	s := mustOpen(t, path)
	if err := s.CreateSession(ctx, store.Session{Principal: "other", CLI: "acme", ID: "theirs", Active: true}); err != nil {
		t.Fatal(err)
	}
	const job = "01m8q00000000000000000000e"
	raw(t, path,
		`INSERT INTO job(state, id, tool, cli, dedup_key, created_ns) SELECT 'live', '`+job+`', 'acme_request', 'acme', 'other', 1
			WHERE NOT EXISTS (SELECT 1 FROM job WHERE dedup_key = 'other' AND (state = 'live' OR outcome = 'ok' AND ended_ns >= 5))`,
		`UPDATE job SET state = 'done', outcome = 'ok', ended_ns = 9, model = coalesce(NULL, model) WHERE id = '`+job+`' AND state = 'live'`,
		`INSERT INTO session(cli, id, native_id, begun, active, turns, opener, cwd, description, created_ns, used_ns)
			VALUES('acme', 'a', 'n', 1, 1, 4, NULL, NULL, NULL, 1700000000000000007, 1700000000000000011) ON CONFLICT(cli, id) DO UPDATE SET turns = excluded.turns, used_ns = excluded.used_ns`,
		`INSERT INTO session(cli, id, begun, active, turns, created_ns, used_ns) VALUES('acme', 'fresh', 1, 0, 1, 12, 12) ON CONFLICT(cli, id) DO NOTHING`,
		`INSERT INTO joined(job_id, tool, created_ns) VALUES('`+job+`', 'acme_request', 5)`,
		`INSERT INTO approval(id, tool, cli, strategy, verdict, decided_by, score, created_ns) VALUES('01m8q00000000000000000000f', 'acme_request', 'acme', 'legacy', 'denied', 'setting', 0, 6)`)
	if row := mustJob(t, s, job); row.Principal != store.Local || row.State != store.Done {
		t.Errorf("%+v", row)
	}
	if c := mustFind(t, s, "acme", "a"); c.Turns != 4 || !c.Active {
		t.Errorf("%+v", c)
	}
	mustFind(t, s, "acme", "fresh")
	if list, err := s.Joins(ctx, store.Local, job, 0); err != nil || len(list) != 1 {
		t.Errorf("%+v, %v", list, err)
	}
	if list, err := s.Approvals(ctx, store.Local, "", 0); err != nil || len(list) != 2 {
		t.Errorf("%+v, %v", list, err)
	}
	if active, err := s.ActiveSession(ctx, "other", "acme"); err != nil || active.ID != "theirs" {
		t.Errorf("%+v, %v", active, err)
	}
}
