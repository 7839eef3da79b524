package sqlite

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/llm-cli-gateway/gateway/engine/store"
)

// earlierSchema is that of an earlier gateway's record.
var earlierSchema = []string{
	"PRAGMA journal_mode=WAL",
	"CREATE TABLE _migrations(version INTEGER PRIMARY KEY, applied_at TEXT NOT NULL)",
	`CREATE TABLE requests(id TEXT PRIMARY KEY, cli TEXT, model TEXT, prompt TEXT, system TEXT, response TEXT, session_id TEXT,
		duration_ms INTEGER, datetime_utc TEXT, input_tokens INTEGER, output_tokens INTEGER)`,
	`CREATE TABLE gateway_metadata(request_id TEXT PRIMARY KEY, retry_count INTEGER, circuit_breaker_state TEXT, cost_usd REAL,
		approval_decision TEXT, optimization_applied INTEGER, thinking_blocks TEXT, exit_code INTEGER, error_message TEXT, async_job_id TEXT, status TEXT)`,
	"CREATE TABLE jobs(id TEXT PRIMARY KEY)",
}

// earlierRecord makes the record of an earlier gateway, with calls of all kinds.
func earlierRecord(t *testing.T, path string) {
	t.Helper()
	raw(t, path, append(earlierSchema,
		`INSERT INTO requests VALUES('c-1', 'acme', 'big', 'first question', NULL, 'first answer', 's-1', 1500, '2026-03-01T10:00:00.123Z', 10, 20)`,
		`INSERT INTO gateway_metadata VALUES('c-1', 0, 'closed', 0.25, NULL, 0, NULL, 0, NULL, NULL, 'completed')`,
		`INSERT INTO requests VALUES('c-2', 'acme', 'big', 'second', NULL, '', NULL, 20, '2026-03-01T10:00:00.123Z', NULL, NULL)`,
		`INSERT INTO gateway_metadata VALUES('c-2', 0, 'closed', NULL, NULL, 0, NULL, 3, 'it broke', NULL, 'failed')`,
		`INSERT INTO requests VALUES('c-3', 'other', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL)`,
		`INSERT INTO requests VALUES('c-4', 'acme', 7, x'ff00', NULL, 9.5, NULL, 'long', 'yesterday', 'many', -4)`,
		fmt.Sprintf(`INSERT INTO requests VALUES('c-5', 'acme', 'big', 'third', NULL, '%s', NULL, 1e300, '9999-01-01T00:00:00Z', 1, 1)`, strings.Repeat("x", store.MaxResponse+10)),
		`INSERT INTO requests VALUES(NULL, NULL, NULL, 'nameless', NULL, NULL, NULL, NULL, '2026-03-02 11:00:00', NULL, NULL)`,
	)...)
}

func keepAll(*store.Job) {}

func TestHistoryOfEarlierGateway(t *testing.T) {
	ctx, path := context.Background(), filepath.Join(t.TempDir(), "logs.db")
	earlierRecord(t, path)
	if _, err := Inspect(ctx, path); err == nil || !strings.Contains(err.Error(), "earlier gateway") {
		t.Errorf("inspected: %v", err)
	}
	s := mustOpen(t, path)
	done := s.ImportEarlier(ctx, func(j *store.Job) { j.Prompt = strings.ReplaceAll(j.Prompt, "question", "***") })
	aside := strings.TrimSuffix(path, ".db") + ".earlier.db"
	if len(done) != 1 || done[0].Path != aside || done[0].Calls != 6 || done[0].Err != nil {
		t.Fatalf("imported: %+v", done)
	}
	jobs := map[string]store.Job{}
	list, err := s.Jobs(ctx, store.Filter{Principal: store.Local})
	if err != nil || len(list) != 6 {
		t.Fatalf("%d jobs, %v", len(list), err)
	}
	for _, j := range list {
		jobs[j.CorrelationID] = j
		if j.State != store.Done || j.DedupKey != "" || j.Session != "" || !store.ValidID(j.ID) || j.ID > store.NewID() {
			t.Errorf("%+v", j)
		}
	}
	first := jobs["c-1"]
	if o := first.Outcome; first.Tool != "acme_request" || first.CLI != "acme" || first.Model != "big" || first.Prompt != "first ***" || first.SessionID != "s-1" ||
		o.Response != "first answer" || o.Ending != store.EndOK || o.Duration != 1500*time.Millisecond || *o.CostUSD != 0.25 || *o.InputTokens != 10 || *o.OutputTokens != 20 || *o.ExitCode != 0 ||
		!first.Created.Equal(time.Date(2026, 3, 1, 10, 0, 0, 123e6, time.UTC)) || !o.Ended.Equal(first.Created.Add(o.Duration)) {
		t.Errorf("first: %+v", first)
	}
	second := jobs["c-2"]
	if o := second.Outcome; o.Ending != store.EndError || o.ErrorMessage != "it broke" || *o.ExitCode != 3 || o.CostUSD != nil || second.ID <= first.ID {
		t.Errorf("second: %+v", second)
	}
	if o := jobs["c-3"].Outcome; o.Ending != store.EndLost || o.Detail == "" || jobs["c-3"].Tool != "other_request" {
		t.Errorf("without an end: %+v", jobs["c-3"])
	}
	if o := jobs["c-4"].Outcome; o.Response != "9.5" || o.Duration != 0 || o.InputTokens != nil || o.OutputTokens != nil || jobs["c-4"].Model != "7" {
		t.Errorf("wrong types: %+v", jobs["c-4"])
	}
	if long := jobs["c-5"]; long.ResponseBytes != store.MaxResponse+10 || long.Created.After(time.Now()) {
		t.Errorf("huge: %d bytes, %v", long.ResponseBytes, long.Created)
	}
	if jobs[""].Tool != "request" || jobs[""].Created.Day() != 2 {
		t.Errorf("nameless: %+v", jobs[""])
	}
	for _, view := range []string{"calls", "requests"} {
		var n int
		if err := s.reader.QueryRow("SELECT count(*) FROM " + view).Scan(&n); err != nil || n != 6 {
			t.Errorf("%s: %d, %v", view, n, err)
		}
	}
	if found, err := s.Jobs(ctx, store.Filter{Principal: store.Local, Text: "first"}); err != nil || len(found) != 1 {
		t.Errorf("search: %d, %v", len(found), err)
	}
	if sessions, _, err := s.Sessions(ctx, store.Local, "", 0); err != nil || len(sessions) != 0 {
		t.Errorf("sessions: %v, %v", sessions, err)
	}
	if again := s.ImportEarlier(ctx, keepAll); again != nil {
		t.Errorf("again: %+v", again)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	var kept int
	if s = mustOpen(t, path); s.ImportEarlier(ctx, keepAll) != nil || taken(earlierName(path, 2)) {
		t.Error("the second opening took something over")
	}
	if err := s.reader.QueryRow("SELECT count(*) FROM job").Scan(&kept); err != nil || kept != 6 {
		t.Errorf("after the second opening: %d, %v", kept, err)
	}
}

func TestHistoryIsImportedOnceByManyOpenings(t *testing.T) {
	ctx, path := context.Background(), filepath.Join(t.TempDir(), "logs.db")
	earlierRecord(t, path)
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			s, err := Open(path)
			if err != nil {
				t.Error(err)
				return
			}
			for _, h := range s.ImportEarlier(ctx, keepAll) {
				if h.Err != nil {
					t.Error(h.Err)
				}
			}
			if err := s.Close(); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	list, err := mustOpen(t, path).Jobs(ctx, store.Filter{Principal: store.Local})
	if err != nil || len(list) != 6 {
		t.Errorf("%d jobs, %v", len(list), err)
	}
}

func TestHistoryOfKilledOpening(t *testing.T) {
	ctx, path := context.Background(), filepath.Join(t.TempDir(), "logs.db")
	earlierRecord(t, path)
	if err := putAside(path); err != nil { // and no more
		t.Fatal(err)
	}
	if done := mustOpen(t, path).ImportEarlier(ctx, keepAll); len(done) != 1 || done[0].Calls != 6 {
		t.Errorf("%+v", done)
	}
}

// TestHistoryInUse is that of an earlier gateway that runs and reads: its log moves with it.
func TestHistoryInUse(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("a file that is open cannot be renamed")
	}
	ctx, path := context.Background(), filepath.Join(t.TempDir(), "logs.db")
	earlierRecord(t, path)
	db, err := connect(uri(path), 2)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	reading, err := db.Query("SELECT id FROM requests")
	if err != nil || !reading.Next() {
		t.Fatal(err)
	}
	defer reading.Close()
	if _, err := db.Exec("INSERT INTO requests(id, cli, datetime_utc) VALUES('late', 'acme', '2026-04-01T00:00:00Z')"); err != nil {
		t.Fatal(err)
	}
	if done := mustOpen(t, path).ImportEarlier(ctx, keepAll); len(done) != 1 || done[0].Calls != 7 || done[0].Err != nil {
		t.Errorf("%+v", done)
	}
}

func TestHistoryIsNeverOverwritten(t *testing.T) {
	ctx, path := context.Background(), filepath.Join(t.TempDir(), "logs.db")
	mine := earlierName(path, 1)
	if err := os.WriteFile(mine, []byte("a file of the user"), 0o600); err != nil {
		t.Fatal(err)
	}
	earlierRecord(t, path)
	done := mustOpen(t, path).ImportEarlier(ctx, keepAll)
	if len(done) != 2 || done[0].Err == nil || done[1].Calls != 6 || done[1].Path != earlierName(path, 2) {
		t.Errorf("%+v", done)
	}
	if text, err := os.ReadFile(mine); err != nil || string(text) != "a file of the user" {
		t.Errorf("%q, %v", text, err)
	}
}

func TestDamagedHistoryPreventsNoCalls(t *testing.T) {
	ctx := context.Background()
	for name, damage := range map[string]func(t *testing.T, path string){
		"pages": func(t *testing.T, path string) {
			info, err := os.Stat(path)
			if err != nil {
				t.Fatal(err)
			}
			overwrite(t, path, 16*4096, make([]byte, info.Size()-16*4096))
		},
		"columns": func(t *testing.T, path string) {
			raw(t, path, "DROP TABLE requests", "CREATE TABLE requests(other)", "INSERT INTO requests VALUES(1)")
		},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "logs.db")
			earlierRecord(t, path)
			damage(t, path)
			s := mustOpen(t, path)
			done := s.ImportEarlier(ctx, keepAll)
			if len(done) != 1 || done[0].Err == nil && name != "columns" {
				t.Errorf("%+v", done)
			}
			mustBegin(t, s, store.Job{Prompt: "p"})
			if again := s.ImportEarlier(ctx, keepAll); again != nil {
				t.Errorf("again: %+v", again)
			}
		})
	}
}
