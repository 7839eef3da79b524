//go:build linux

package job

import (
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/llm-cli-gateway/gateway/engine/call"
	"github.com/llm-cli-gateway/gateway/engine/job/retention"
	"github.com/llm-cli-gateway/gateway/engine/lang"
	"github.com/llm-cli-gateway/gateway/engine/store"
	"github.com/llm-cli-gateway/gateway/engine/store/sqlite"
)

// pruneUntil prunes until as much is removed: a supervisor may still be tidying up.
func (b *fixture) pruneUntil(later time.Time, want retention.Removed) {
	b.t.Helper()
	all := retention.Removed{}
	until(b.t, fmt.Sprintf("%+v", want), func() bool {
		n, err := b.runner.Prune(b.t.Context(), later)
		all = retention.Removed{Jobs: all.Jobs + n.Jobs, Rows: all.Rows + n.Rows, Texts: all.Texts + n.Texts}
		return all == want && err == nil
	})
}

// dirs are the directories of jobs.
func (b *fixture) dirs() (names []string) {
	b.t.Helper()
	entries, err := os.ReadDir(b.runner.Jobs)
	if err != nil {
		b.t.Fatal(err)
	}
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

// TestRetention: the files of a job go, and its row stays with its answer.
func TestRetention(t *testing.T) {
	b := newFixture(t, "")
	b.catalog.Settings.Jobs.RetentionDays = 30
	done := b.submit("out=x").Row.ID
	b.await(done)
	step, open := b.gate()
	live := b.submit(step).Row.ID
	later := time.Now().AddDate(0, 0, 31)
	if n, err := b.runner.Prune(t.Context(), time.Now().AddDate(0, 0, 29)); n != (retention.Removed{}) || err != nil {
		t.Errorf("%+v went, %v", n, err)
	}
	b.pruneUntil(later, retention.Removed{Jobs: 1})
	if names := b.dirs(); !slices.Equal(names, []string{live}) {
		t.Errorf("directories: %q", names)
	}
	if n, err := b.runner.Import(t.Context(), later); n != 0 || err != nil {
		t.Errorf("%d rows were made, %v", n, err)
	}
	res, err := b.other().runner.Result(t.Context(), store.Local, done, 0, 10)
	if err != nil || res.State != call.Completed || res.Response.Text != "x" || !res.Gone || len(res.Outcome.Warnings) > 0 {
		t.Errorf("%+v %v", res, err)
	}
	if list, err := b.runner.List(t.Context(), Filter{Principal: store.Local}); err != nil || len(list) != 2 {
		t.Errorf("%+v %v", list, err)
	}
	open()
	b.await(live)
	b.catalog.Settings.Jobs.RetentionDays = 0
	if n, err := b.runner.Prune(t.Context(), later); n != (retention.Removed{}) || err != nil {
		t.Errorf("0 days: %+v went, %v", n, err)
	}
}

// TestRetentionOfRows: no directory outlives its row, which it would get back.
func TestRetentionOfRows(t *testing.T) {
	for name, set := range map[string]func(b *fixture){
		"of the record":       func(b *fixture) { b.catalog.Settings.Record.RetentionDays = 30 },
		"of a record of jobs": func(b *fixture) { b.catalog.Settings.Jobs.RetentionDays, b.runner.JobsApart = 30, true },
	} {
		t.Run(name, func(t *testing.T) {
			b := newFixture(t, "")
			set(b)
			done := b.submit("out=x").Row.ID
			b.await(done)
			later := time.Now().AddDate(0, 0, 31)
			b.pruneUntil(later, retention.Removed{Jobs: 1, Rows: 1})
			if n, err := b.runner.Import(t.Context(), later); n != 0 || err != nil || len(b.dirs()) > 0 {
				t.Errorf("%d rows were made, %v; %q", n, err, b.dirs())
			}
			if _, err := b.runner.Status(t.Context(), store.Local, done); !errors.As(err, new(*NoJobError)) {
				t.Errorf("the row is still there, %v", err)
			}
		})
	}
}

// TestRetentionOfTexts: the rest of the row stays, and nobody is given an answer that is gone.
func TestRetentionOfTexts(t *testing.T) {
	b := newFixture(t, "")
	b.catalog.Settings.Record.TextDays, b.catalog.Settings.Jobs.DedupMs = 30, 90*24*time.Hour.Milliseconds()
	done := b.submit("out=x").Row.ID
	b.await(done)
	b.pruneUntil(time.Now().AddDate(0, 0, 31), retention.Removed{Jobs: 1, Texts: 1})
	res, err := b.runner.Result(t.Context(), store.Local, done, 0, 10)
	if err != nil || res.State != call.Completed || res.Response.Text != "" || len(res.Outcome.Warnings) != 1 || !strings.Contains(res.Outcome.Warnings[0], "textDays") {
		t.Errorf("%+v %v", res, err)
	}
	if row := res.Row; row.CLI != "acme" || row.Prompt != "" || row.Argv != nil || row.Args != nil {
		t.Errorf("%+v", row)
	}
	if job := b.submit("out=x"); job.Joined || job.Row.ID == done {
		t.Errorf("it was given an answer that is gone: %+v", job)
	}
}

// TestRetentionOfAnotherRecord: where calls are recorded apart from jobs, they stay.
func TestRetentionOfAnotherRecord(t *testing.T) {
	b := newFixture(t, "")
	log, err := sqlite.Open(filepath.Join(t.TempDir(), "calls.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	b.runner.Log, b.runner.JobsApart = func() (CallStore, error) { return log, nil }, true
	b.catalog.Settings.Jobs.RetentionDays = 30
	done := b.submit("out=x").Row.ID
	b.await(done)
	b.pruneUntil(time.Now().AddDate(0, 0, 31), retention.Removed{Jobs: 1, Rows: 1})
	if row, err := log.Job(t.Context(), store.Local, done); err != nil || row.Outcome.Response != "x" {
		t.Errorf("%+v %v", row, err)
	}
	b.catalog.Settings.Record = lang.RecordSpec{RetentionDays: 60, TextDays: 40}
	b.pruneUntil(time.Now().AddDate(0, 0, 41), retention.Removed{Texts: 1})
	b.pruneUntil(time.Now().AddDate(0, 0, 61), retention.Removed{Rows: 1})
	if _, err := log.Job(t.Context(), store.Local, done); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("the row is still there, %v", err)
	}
}

// TestCallsBecomeSearchable: in the record of calls, which may be another one than that of jobs.
func TestCallsBecomeSearchable(t *testing.T) {
	b := newFixture(t, "")
	searchable := func() (n int) {
		t.Helper()
		db, err := sql.Open("sqlite", filepath.Join(b.home, "logs.db"))
		if err != nil {
			t.Fatal(err)
		}
		defer db.Close()
		if err := db.QueryRow("SELECT count(*) FROM searched").Scan(&n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	b.await(b.submit("out=x").Row.ID)
	b.runner.JobsApart = true
	if err := b.runner.IndexTexts(t.Context()); err != nil || searchable() != 0 {
		t.Errorf("%d are searchable in a record of jobs, %v", searchable(), err)
	}
	b.runner.JobsApart = false
	if err := b.runner.IndexTexts(t.Context()); err != nil || searchable() != 1 {
		t.Errorf("%d are searchable, %v", searchable(), err)
	}
}
