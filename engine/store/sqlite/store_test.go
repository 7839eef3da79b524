package sqlite

import (
	"cmp"
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/llm-cli-gateway/gateway/engine/store"
	"github.com/llm-cli-gateway/gateway/engine/store/storetest"
)

var ctx = context.Background()

func newStore(t testing.TB) *Store {
	t.Helper()
	return mustOpen(t, filepath.Join(t.TempDir(), "calls.db"))
}

func mustOpen(t testing.TB, path string) *Store {
	t.Helper()
	s, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return s
}

func mustBegin(t testing.TB, s *Store, job store.Job) string {
	t.Helper()
	job.Principal, job.Tool = cmp.Or(job.Principal, store.Local), cmp.Or(job.Tool, "acme_request")
	if job.ID == "" {
		job.ID = store.NewID()
	}
	if err := s.Begin(ctx, job); err != nil {
		t.Fatal(err)
	}
	return job.ID
}

func mustJob(t testing.TB, s *Store, id string) store.Job {
	t.Helper()
	job, err := s.Job(ctx, store.Local, id)
	if err != nil {
		t.Fatal(err)
	}
	return job
}

func mustCreate(t testing.TB, s *Store, c store.Session) {
	t.Helper()
	if err := s.CreateSession(ctx, c); err != nil {
		t.Fatal(err)
	}
}

func mustFind(t testing.TB, s *Store, cli, id string) store.Session {
	t.Helper()
	list, err := s.FindSessions(ctx, store.Local, cli, id)
	if err != nil || len(list) != 1 {
		t.Fatalf("%s of %s: %+v, %v", id, cli, list, err)
	}
	return list[0]
}

func TestEveryColumnIsWritten(t *testing.T) {
	s := newStore(t)
	for table, columns := range map[string][]string{
		"job": names(jobColumns(new(store.Job))), "joined": joinNames, "approval": approvalNames, "session": sessionNames,
		"attempt": attemptNames, "breaker": breakerNames,
	} {
		var inTable int
		if err := s.reader.QueryRow("SELECT count(*) FROM pragma_table_info(?)", table).Scan(&inTable); err != nil || inTable != len(columns) {
			t.Errorf("%s has %d columns, the row carries %d; %v", table, inTable, len(columns), err)
		}
	}
}

func TestEmptyFieldsAreNull(t *testing.T) {
	s := newStore(t)
	id := mustBegin(t, s, store.Job{})
	if err := s.Finish(ctx, id, store.Outcome{Ending: store.EndOK}, nil); err != nil {
		t.Fatal(err)
	}
	for _, column := range []string{"cli", "dedup_key", "prompt", "args", "argv", "exit_code", "cost_usd", "input_tokens", "response", "detail"} {
		var null bool
		if err := s.reader.QueryRow("SELECT " + column + " IS NULL FROM job").Scan(&null); err != nil || !null {
			t.Errorf("%s: null is %v, %v", column, null, err)
		}
	}
}

func TestReadersCannotWrite(t *testing.T) {
	s := newStore(t)
	if _, err := s.reader.Exec("DELETE FROM job"); err == nil {
		t.Error("a reader connection deleted")
	}
}

// TestViews: people read these, so that their columns keep their names.
func TestViews(t *testing.T) {
	s := newStore(t)
	job := storetest.FullJob()
	mustBegin(t, s, job)
	if err := s.Finish(ctx, job.ID, storetest.FullOutcome(), nil); err != nil {
		t.Fatal(err)
	}
	if err := s.RecordJoin(ctx, store.Join{JobID: job.ID, Principal: store.Local, Tool: "acme_request", Created: job.Created}); err != nil {
		t.Fatal(err)
	}
	if err := s.RecordApproval(ctx, storetest.FullApproval()); err != nil {
		t.Fatal(err)
	}
	if err := s.CreateSession(ctx, storetest.FullSession()); err != nil {
		t.Fatal(err)
	}
	for query, want := range map[string]string{
		"SELECT started_at || ' ' || ended_at || ' ' || cli || ' ' || response || ' ' || duration_ms || ' ' || principal FROM requests": "2023-11-14T22:13:20.123Z 2023-11-14T22:13:29.988Z acme the answer 9864 local",
		"SELECT joined_at || ' ' || tool || ' ' || principal FROM joins":                                                                "2023-11-14T22:13:20.123Z acme_request local",
		"SELECT decided_at || ' ' || policy || ' ' || principal FROM approvals":                                                         "2023-11-14T22:13:20.123Z strict local",
		"SELECT created_at || ' ' || used_at || ' ' || id || ' ' || principal FROM sessions":                                            "2023-11-14T22:13:20.123Z 2023-11-14T22:13:29.000Z gw-1 local",
	} {
		var got string
		if err := s.reader.QueryRow(query).Scan(&got); err != nil || got != want {
			t.Errorf("%s\n got %s, %v\nwant %s", query, got, err, want)
		}
	}
}

func TestOddPaths(t *testing.T) {
	for _, name := range []string{
		"plain.db", "with space.db", "what?.db", "a?mode=ro&x=1.db", "hash#tag.db", "100%.db", "%41%00.db", "a&b=c;d+e.db",
		"quote'\".db", "ünï世界.db", "new\nline.db", ":memory:", "back\\slash.db", "latin1\xe9.db", "file:x.db", "none", "-rf",
		"deep/er/and/deeper.db",
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "a?b #%25", name)
			id := mustBegin(t, mustOpen(t, path), store.Job{})
			if _, err := os.Stat(path); err != nil {
				t.Error(err)
			}
			mustJob(t, mustOpen(t, path), id)
		})
	}
}

func TestRelativePathAndLink(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	id := mustBegin(t, mustOpen(t, "calls.db"), store.Job{})
	if err := os.Symlink("calls.db", "link.db"); err != nil {
		t.Fatal(err)
	}
	mustJob(t, mustOpen(t, filepath.Join(dir, "link.db")), id)
	if _, err := os.Stat("link.db-lock"); err == nil {
		t.Error("the link has a lock of its own")
	}
}
