package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"
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

func mustBegin(t testing.TB, s *Store, job Job) string {
	t.Helper()
	if job.ID == "" {
		job.ID = NewID()
	}
	if job.Tool == "" {
		job.Tool = "acme_request"
	}
	if err := s.Begin(ctx, job); err != nil {
		t.Fatal(err)
	}
	return job.ID
}

func mustJob(t testing.TB, s *Store, id string) Job {
	t.Helper()
	job, err := s.Job(ctx, id)
	if err != nil {
		t.Fatal(err)
	}
	return job
}

// fullJob has a value in every field that Begin stores, fullOutcome in every one
// that Finish does, except the model.
func fullJob() Job {
	return Job{
		ID: NewID(), Tool: "acme_request", CLI: "acme", CLIVersion: "1.2", Mode: "plan", Model: "large", DedupKey: "key",
		SpecHash: "s1", CatalogDigest: "c1", Owner: "owner", Folder: "/jobs", ParentID: NewID(), Session: "gw-1", Opens: true, SessionID: "ses", CorrelationID: "cor",
		Approval: json.RawMessage(`{"verdict":"approved","score":7}`),
		Cwd:      "/home/x", Prompt: "héllo\n世界 'quoted' \"twice\"",
		Args: json.RawMessage(`{"deep":{"a":[1,2.5,null]}}`), Argv: []string{"-p", "", "--x=ü"}, EnvNames: []string{"HOME", "PATH"},
		GatewayVersion: "1.2.3", ClientName: "client", ClientVersion: "4",
		Created: time.Unix(1_700_000_000, 123_456_789).UTC(),
	}
}

func fullOutcome() Outcome {
	return Outcome{
		Ending: EndTimeout, Detail: "idle", ErrorClass: "timeout", ErrorMessage: "no output for 5 s",
		ExitCode: new(143), Signal: new(15), Ended: time.Unix(1_700_000_009, 987_654_321).UTC(),
		Duration: 9864 * time.Millisecond, OutBytes: 1 << 33, ErrBytes: 12, Truncated: true,
		NativeSessionID: "native", Response: "the answer",
		InputTokens: new(int64(1)), OutputTokens: new(int64(2)), CacheReadTokens: new(int64(3)),
		CacheWriteTokens: new(int64(4)), ReasoningTokens: new(int64(5)), CostUSD: new(0.0125),
	}
}

func wantNoZeroField(t *testing.T, v any, but ...string) {
	t.Helper()
	r := reflect.ValueOf(v)
	for i := range r.NumField() {
		name := r.Type().Field(i).Name
		if r.Field(i).IsZero() && !strings.Contains(strings.Join(but, " "), name) {
			t.Errorf("the test leaves %s.%s empty, so it proves nothing of it", r.Type(), name)
		}
	}
}

func TestEveryColumnSurvives(t *testing.T) {
	s := newStore(t)
	want := fullJob()
	wantNoZeroField(t, want, "State", "Outcome", "ResponseBytes")
	if err := s.Begin(ctx, want); err != nil {
		t.Fatal(err)
	}
	want.State = Live
	if got := mustJob(t, s, want.ID); !reflect.DeepEqual(got, want) {
		t.Errorf("after Begin:\n got %+v\nwant %+v", got, want)
	}

	outcome := fullOutcome()
	wantNoZeroField(t, outcome, "Model")
	if err := s.Finish(ctx, want.ID, outcome); err != nil {
		t.Fatal(err)
	}
	want.State, want.Outcome, want.ResponseBytes = Done, outcome, int64(len(outcome.Response))
	wantNoZeroField(t, want)
	if got := mustJob(t, s, want.ID); !reflect.DeepEqual(got, want) {
		t.Errorf("after Finish:\n got %+v\nwant %+v", got, want)
	}
	list, err := s.Jobs(ctx, Filter{})
	if err != nil || len(list) != 1 || !reflect.DeepEqual(list[0], want) {
		t.Errorf("Jobs:\n got %+v, %v\nwant %+v", list, err, want)
	}
}

func TestEveryColumnIsWritten(t *testing.T) {
	s := newStore(t)
	var inTable int
	if err := s.reader.QueryRow("SELECT count(*) FROM pragma_table_info('job')").Scan(&inTable); err != nil {
		t.Fatal(err)
	}
	if listed := len(jobColumns(new(Job))); listed != inTable {
		t.Errorf("the table has %d columns, Job carries %d", inTable, listed)
	}
}

func TestEmptyFieldsAreNull(t *testing.T) {
	s := newStore(t)
	before := time.Now().Truncate(0)
	id := mustBegin(t, s, Job{})
	if err := s.Finish(ctx, id, Outcome{Ending: EndOK}); err != nil {
		t.Fatal(err)
	}
	for _, column := range []string{"cli", "dedup_key", "prompt", "args", "argv", "exit_code", "cost_usd", "input_tokens", "response", "detail"} {
		var null bool
		if err := s.reader.QueryRow("SELECT " + column + " IS NULL FROM job").Scan(&null); err != nil || !null {
			t.Errorf("%s: null is %v, %v", column, null, err)
		}
	}
	job := mustJob(t, s, id)
	if job.Created.Before(before) || job.Outcome.Ended.Before(job.Created) || job.Outcome.ExitCode != nil || job.Argv != nil {
		t.Errorf("got %+v", job)
	}
}

func TestFinishOnce(t *testing.T) {
	s := newStore(t)
	id := mustBegin(t, s, Job{})
	if err := s.Finish(ctx, id, Outcome{Ending: EndOK, Response: "first"}); err != nil {
		t.Fatal(err)
	}
	if err := s.Finish(ctx, id, Outcome{Ending: EndLost, Response: "second"}); !errors.Is(err, ErrDone) {
		t.Errorf("second Finish: %v, want ErrDone", err)
	}
	if job := mustJob(t, s, id); job.Outcome.Ending != EndOK || job.Outcome.Response != "first" {
		t.Errorf("the second Finish changed the row: %+v", job.Outcome)
	}
	if err := s.Finish(ctx, NewID(), Outcome{Ending: EndOK}); !errors.Is(err, ErrNotFound) {
		t.Errorf("Finish of nothing: %v, want ErrNotFound", err)
	}
	if _, err := s.Job(ctx, NewID()); !errors.Is(err, ErrNotFound) {
		t.Errorf("Job of nothing: %v, want ErrNotFound", err)
	}
}

func TestFinishWithoutEndingLeavesTheRowLive(t *testing.T) {
	s := newStore(t)
	id := mustBegin(t, s, Job{})
	for _, ending := range []Ending{"", "splendid"} {
		if err := s.Finish(ctx, id, Outcome{Ending: ending}); err == nil {
			t.Errorf("ending %q was accepted", ending)
		}
	}
	if job := mustJob(t, s, id); job.State != Live {
		t.Errorf("state %q", job.State)
	}
}

func TestFinishOutlivesItsContext(t *testing.T) {
	s := newStore(t)
	gone, cancel := context.WithCancel(ctx)
	cancel()
	id := mustBegin(t, s, Job{})
	if err := s.Finish(gone, id, Outcome{Ending: EndCanceled}); err != nil {
		t.Errorf("Finish: %v", err)
	}
	if err := s.Begin(gone, Job{ID: NewID(), Tool: "x"}); !errors.Is(err, context.Canceled) {
		t.Errorf("Begin: %v, want the context's error", err)
	}
}

func TestBeginRefuses(t *testing.T) {
	s := newStore(t)
	first := mustBegin(t, s, Job{DedupKey: "k"})
	if err := s.Begin(ctx, Job{ID: NewID(), Tool: "x", DedupKey: "k"}); !errors.Is(err, ErrDuplicate) {
		t.Errorf("same dedup key: %v, want ErrDuplicate", err)
	}
	for name, job := range map[string]Job{
		"same id":  {ID: first, Tool: "x"},
		"no tool":  {ID: NewID()},
		"no id":    {Tool: "x"},
		"path id":  {ID: "../../../etc/passwd/aaaaaaa", Tool: "x"},
		"bad args": {ID: NewID(), Tool: "x", Args: json.RawMessage("{")},
	} {
		if err := s.Begin(ctx, job); err == nil || errors.Is(err, ErrDuplicate) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := s.Finish(ctx, first, Outcome{Ending: EndOK}); err != nil {
		t.Fatal(err)
	}
	mustBegin(t, s, Job{DedupKey: "k"}) // the key is free again
}

func TestModelThatAnsweredReplacesTheOneAsked(t *testing.T) {
	s := newStore(t)
	for answered, want := range map[string]string{"": "asked", "other": "other"} {
		id := mustBegin(t, s, Job{Model: "asked"})
		if err := s.Finish(ctx, id, Outcome{Ending: EndOK, Model: answered}); err != nil {
			t.Fatal(err)
		}
		if got := mustJob(t, s, id).Model; got != want {
			t.Errorf("answered %q: model %q, want %q", answered, got, want)
		}
	}
}

func TestLongAndDirtyTexts(t *testing.T) {
	s := newStore(t)
	prompt := strings.Repeat("世", 100_000)
	long := strings.Repeat("a", MaxResponse-1) + "世 and the rest"
	id := mustBegin(t, s, Job{Prompt: prompt + "\xff\xfe|\x00|"})
	if err := s.Finish(ctx, id, Outcome{Ending: EndOK, Response: long}); err != nil {
		t.Fatal(err)
	}
	job := mustJob(t, s, id)
	if want := prompt + "\uFFFD|\uFFFD|"; job.Prompt != want {
		t.Errorf("prompt of %d bytes, want %d", len(job.Prompt), len(want))
	}
	if want := long[:MaxResponse-1]; job.Outcome.Response != want {
		t.Errorf("response of %d bytes, want %d", len(job.Outcome.Response), len(want))
	}
	if job.ResponseBytes != int64(len(long)) {
		t.Errorf("ResponseBytes %d, want %d", job.ResponseBytes, len(long))
	}
	list, err := s.Jobs(ctx, Filter{})
	if err != nil {
		t.Fatal(err)
	}
	if got := list[0].Prompt; got != strings.Repeat("世", 1000) {
		t.Errorf("listed prompt of %d bytes", len(got))
	}
	if got := len(list[0].Outcome.Response); got != 1000 {
		t.Errorf("listed response of %d bytes", got)
	}
}

func TestJobsFilter(t *testing.T) {
	s := newStore(t)
	var ids []string
	for i := range 6 {
		job := Job{CLI: []string{"acme", "zeta"}[i%2], Tool: fmt.Sprintf("tool%d", i%3), CorrelationID: "cor"}
		if i == 5 {
			job.CorrelationID = "other"
		}
		ids = append(ids, mustBegin(t, s, job))
	}
	for _, i := range []int{0, 1} {
		if err := s.Finish(ctx, ids[i], Outcome{Ending: EndError}); err != nil {
			t.Fatal(err)
		}
	}
	tests := []struct {
		name   string
		filter Filter
		want   []int
	}{
		{"all, newest first", Filter{}, []int{5, 4, 3, 2, 1, 0}},
		{"cli", Filter{CLI: "acme"}, []int{4, 2, 0}},
		{"tool", Filter{Tool: "tool1"}, []int{4, 1}},
		{"correlation", Filter{CorrelationID: "cor"}, []int{4, 3, 2, 1, 0}},
		{"state", Filter{State: Done}, []int{1, 0}},
		{"limit", Filter{Limit: 2}, []int{5, 4}},
		{"before", Filter{Before: ids[3]}, []int{2, 1, 0}},
		{"every field", Filter{CLI: "acme", Tool: "tool2", CorrelationID: "cor", State: Live, Limit: 9, Before: ids[4]}, []int{2}},
		{"nothing", Filter{CLI: "' OR 1=1 --"}, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			list, err := s.Jobs(ctx, tt.filter)
			if err != nil {
				t.Fatal(err)
			}
			var got, want []string
			for _, job := range list {
				got = append(got, job.ID)
			}
			for _, i := range tt.want {
				want = append(want, ids[i])
			}
			if !reflect.DeepEqual(got, want) {
				t.Errorf("got %v, want %v", got, want)
			}
		})
	}
}

func TestReadersCannotWrite(t *testing.T) {
	s := newStore(t)
	if _, err := s.reader.Exec("DELETE FROM job"); err == nil {
		t.Error("a reader connection deleted")
	}
}

func TestGoroutinesShareAStore(t *testing.T) {
	const makers, each = 8, 25
	s := newStore(t)
	var wait sync.WaitGroup
	for range makers {
		wait.Go(func() {
			for range each {
				if err := writeOne(s, io.Discard); err != nil {
					t.Error(err)
				}
				if _, err := s.Jobs(ctx, Filter{Limit: 3}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wait.Wait()
	wantSound(t, s, makers*each)
}

func TestClosedStoreSaysSo(t *testing.T) {
	s, err := Open(filepath.Join(t.TempDir(), "calls.db"))
	if err != nil {
		t.Fatal(err)
	}
	id := mustBegin(t, s, Job{})
	for range 2 {
		if err := s.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	}
	if err := s.Finish(ctx, id, Outcome{Ending: EndOK}); err == nil {
		t.Error("a closed store finished a job")
	}
	if _, err := s.Job(ctx, id); err == nil || errors.Is(err, ErrNotFound) {
		t.Errorf("a closed store read: %v", err)
	}
}

func TestRequestsViewIsReadable(t *testing.T) {
	s := newStore(t)
	job := fullJob()
	mustBegin(t, s, job)
	if err := s.Finish(ctx, job.ID, fullOutcome()); err != nil {
		t.Fatal(err)
	}
	var started, ended, cli, response string
	var duration int
	row := s.reader.QueryRow("SELECT started_at, ended_at, cli, response, duration_ms FROM requests")
	if err := row.Scan(&started, &ended, &cli, &response, &duration); err != nil {
		t.Fatal(err)
	}
	got := fmt.Sprint(started, " ", ended, " ", cli, " ", response, " ", duration)
	if want := "2023-11-14T22:13:20.123Z 2023-11-14T22:13:29.988Z acme the answer 9864"; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
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
			id := mustBegin(t, mustOpen(t, path), Job{})
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
	id := mustBegin(t, mustOpen(t, "calls.db"), Job{})
	if err := os.Symlink("calls.db", "link.db"); err != nil {
		t.Fatal(err)
	}
	mustJob(t, mustOpen(t, filepath.Join(dir, "link.db")), id)
	if _, err := os.Stat("link.db-lock"); err == nil {
		t.Error("the link has a lock of its own")
	}
}
