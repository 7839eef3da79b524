package sqlite

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/llm-cli-gateway/gateway/engine/store"
)

func TestSecondOpenWritesNothing(t *testing.T) {
	path := filepath.Join(t.TempDir(), "calls.db")
	used(t, path, 3)
	before, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	used(t, path, 0)
	after, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if !after.ModTime().Equal(before.ModTime()) || after.Size() != before.Size() {
		t.Error("opening and closing wrote to the file")
	}
}

// newest is the schema of this gateway.
var newest = migrations[len(migrations)-1].version

func TestSettingsHold(t *testing.T) {
	s := newStore(t)
	for pragma, want := range map[string]string{
		"journal_mode": "wal", "synchronous": "2", "foreign_keys": "1", "busy_timeout": "10000",
		"user_version": strconv.Itoa(newest), "application_id": "1279743793", "journal_size_limit": "8388608", "cache_size": "-256",
	} {
		var got string
		if err := s.writer.QueryRow("PRAGMA " + pragma).Scan(&got); err != nil || got != want {
			t.Errorf("%s is %q, %v; want %q", pragma, got, err, want)
		}
	}
}

// A tool of the user may have switched the journal; the next Open switches back.
func TestJournalIsRestored(t *testing.T) {
	path := filepath.Join(t.TempDir(), "calls.db")
	used(t, path, 1)
	raw(t, path, "PRAGMA journal_mode=DELETE")
	var mode string
	if err := mustOpen(t, path).writer.QueryRow("PRAGMA journal_mode").Scan(&mode); err != nil || mode != "wal" {
		t.Errorf("journal %q, %v", mode, err)
	}
}

func TestNewerMinorWorks(t *testing.T) {
	path := filepath.Join(t.TempDir(), "calls.db")
	used(t, path, 1)
	raw(t, path,
		"ALTER TABLE job ADD COLUMN lease TEXT",
		"ALTER TABLE job ADD COLUMN colour INTEGER NOT NULL DEFAULT 1",
		"CREATE TABLE later(id TEXT PRIMARY KEY) STRICT",
		fmt.Sprintf("PRAGMA user_version=%d", newest+3))
	s := mustOpen(t, path)
	id := mustBegin(t, s, store.Job{Prompt: "p"})
	if err := s.Finish(ctx, id, store.Outcome{Ending: store.EndOK}, nil); err != nil {
		t.Fatal(err)
	}
	if job := mustJob(t, s, id); job.Prompt != "p" || job.State != store.Done {
		t.Errorf("got %+v", job)
	}
	if list, err := s.Jobs(ctx, store.Filter{Principal: store.Local}); err != nil || len(list) != 2 {
		t.Errorf("%d jobs, %v", len(list), err)
	}
	var version int
	if err := s.reader.QueryRow("PRAGMA user_version").Scan(&version); err != nil || version != newest+3 {
		t.Errorf("user_version %d, %v", version, err)
	}
}

// An older gateway that is still running goes on after a newer one migrated.
func TestMinorMigrationUnderARunningGateway(t *testing.T) {
	old := newStore(t)
	first := mustBegin(t, old, store.Job{})

	later := append(migrations[:len(migrations):len(migrations)],
		migration{newest + 1, "ALTER TABLE job ADD COLUMN lease TEXT; CREATE TABLE later(id TEXT PRIMARY KEY) STRICT"},
		migration{newest + 2, "ALTER TABLE later ADD COLUMN name TEXT"})
	newer, err := open(old.path, later)
	if err != nil {
		t.Fatal(err)
	}
	defer newer.Close()
	var version int
	if err := newer.writer.QueryRow("PRAGMA user_version").Scan(&version); err != nil || version != newest+2 {
		t.Errorf("user_version %d, %v", version, err)
	}
	if _, err := newer.writer.Exec("INSERT INTO later(id, name) VALUES('a', 'b')"); err != nil {
		t.Error(err)
	}

	second := mustBegin(t, old, store.Job{})
	for _, id := range []string{first, second} {
		if err := old.Finish(ctx, id, store.Outcome{Ending: store.EndOK}, nil); err != nil {
			t.Error(err)
		}
		mustJob(t, newer, id)
	}
}

func TestFailedMigrationChangesNothing(t *testing.T) {
	path := filepath.Join(t.TempDir(), "calls.db")
	used(t, path, 2)
	_, err := open(path, append(migrations[:len(migrations):len(migrations)],
		migration{newest + 1, "CREATE TABLE later(id TEXT PRIMARY KEY) STRICT"},
		migration{newest + 2, "ALTER TABLE nowhere ADD COLUMN x"}))
	if err == nil || !strings.Contains(err.Error(), "migrate the schema to "+dotted(newest+2)) {
		t.Fatalf("got %v", err)
	}
	s := mustOpen(t, path)
	var tables, version int
	if err := s.reader.QueryRow("SELECT count(*), (SELECT user_version FROM pragma_user_version) FROM sqlite_schema WHERE name = 'later'").Scan(&tables, &version); err != nil {
		t.Fatal(err)
	}
	if tables != 0 || version != newest {
		t.Errorf("later tables %d, version %d", tables, version)
	}
}

func TestMigrationsAscend(t *testing.T) {
	for i, step := range migrations {
		if i > 0 && step.version <= migrations[i-1].version {
			t.Errorf("%d comes after %d", step.version, migrations[i-1].version)
		}
	}
}

func TestIndicesServeTheirQueries(t *testing.T) {
	s := newStore(t)
	for query, want := range map[string]string{
		"SELECT id FROM job WHERE dedup_key = 'k' AND principal = 'p' AND state = 'live'": "job_live_dedup (dedup_key=? AND principal=?)",
		"SELECT id FROM job WHERE dedup_key = 'k' AND created_ns > 5":                     "job_dedup_recent",
		"SELECT id FROM job WHERE state = 'live' ORDER BY created_ns":                     "job_live",
		"SELECT id FROM job WHERE correlation_id = 'c' ORDER BY id DESC":                  "job_correlation",
		"SELECT id FROM job WHERE id < 'x' AND cli = 'c' ORDER BY id DESC":                "sqlite_autoindex_job_1",
		"SELECT id FROM session WHERE cli = 'c' AND principal = 'p' AND active = 1":       "session_active (cli=? AND principal=?)",
		"SELECT id FROM session WHERE principal = 'p' ORDER BY used_ns DESC, id LIMIT 5":  "session_used (principal=?)",
		"SELECT id FROM session WHERE active = 1 AND +principal = 'p'":                    "session_active",
		"SELECT id FROM requests LIMIT 5":                                                 "sqlite_autoindex_job_1",
	} {
		var a, b, c int
		var plan string
		if err := s.reader.QueryRow("EXPLAIN QUERY PLAN "+query).Scan(&a, &b, &c, &plan); err != nil || !strings.Contains(plan, want) {
			t.Errorf("%s\n uses %q, %v; want %s", query, plan, err, want)
		}
	}
	// The id is looked for, not through all sessions.
	rows, err := s.reader.Query("EXPLAIN QUERY PLAN "+sessionSQL+byID+" AND ?2 IN ('', cli) ORDER BY +used_ns DESC", "i", "c")
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var a, b, c int
		var plan string
		if err := rows.Scan(&a, &b, &c, &plan); err != nil || strings.Contains(plan, "SCAN session") {
			t.Errorf("%q, %v", plan, err)
		}
	}
}
