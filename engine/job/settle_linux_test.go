package job

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/llm-cli-gateway/gateway/engine/call"
	"github.com/llm-cli-gateway/gateway/engine/lang"
	"github.com/llm-cli-gateway/gateway/engine/store"
)

// TestWhatThePowerTook: what is on record stays as it was told, whatever the disk had of
// the directory; and of a job without a record what is there can be read.
func TestWhatThePowerTook(t *testing.T) {
	for _, file := range []string{"stdout", "status", "request", "lease"} {
		for _, harm := range []func(string) error{os.Remove, func(path string) error { return os.Truncate(path, 0) }} {
			b := newBench(t, "")
			done := b.submit("out=the answer").Row.ID
			b.await(done)
			live := b.unstarted().ID
			for _, id := range []string{done, live} {
				if err := harm(filepath.Join(b.runner.Jobs, id, file)); err != nil {
					t.Fatal(err)
				}
			}
			res, err := b.other().runner.Result(t.Context(), done, 0, 100)
			if err != nil || res.State != call.Completed || res.Outcome.Answer.Failure != nil || res.Response.Text != "the answer" {
				t.Errorf("%s, answered: %+v, %v", file, res.Outcome, err)
			}
			res, err = b.other().runner.Result(t.Context(), live, 0, 100)
			if err != nil || !res.State.Ended() || res.State == call.Completed || res.Outcome.Answer.Failure == nil {
				t.Errorf("%s, not begun: %+v, %v", file, res, err)
			}
			if row, err := b.store.Job(t.Context(), live); err != nil || row.State != store.Done {
				t.Errorf("%s, not begun: %+v, %v", file, row, err)
			}
		}
	}
}

// TestDirectoryIsGone: nobody will learn any more how the job ended. The same call is made
// again.
func TestDirectoryIsGone(t *testing.T) {
	b := newBench(t, "")
	row := store.Job{ID: store.NewID(), Tool: "acme_request", CLI: "acme", Mode: "new", Folder: b.runner.Jobs, DedupKey: "the key"}
	elsewhere := row
	elsewhere.ID, elsewhere.DedupKey, elsewhere.Folder = store.NewID(), "", "/elsewhere"
	if err := errors.Join(b.store.Begin(t.Context(), row), b.store.Begin(t.Context(), elsewhere), os.Mkdir(b.runner.Jobs, 0o700)); err != nil {
		t.Fatal(err)
	}
	away := b.runner.Jobs + "~" // a disk that is not there now may be there later
	if err := os.Rename(b.runner.Jobs, away); err != nil {
		t.Fatal(err)
	}
	live := func(id string) bool {
		t.Helper()
		if s, err := b.runner.Status(t.Context(), id); err != nil || s.State != call.Orphaned {
			t.Errorf("%+v, %v", s, err)
		}
		row, err := b.store.Job(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		return row.State == store.Live
	}
	if !live(row.ID) || !live(elsewhere.ID) {
		t.Error("a job was given up that may come back")
	}
	if err := os.Rename(away, b.runner.Jobs); err != nil {
		t.Fatal(err)
	}
	if live(row.ID) || !live(elsewhere.ID) {
		t.Error("a job was not given up, or one of others was")
	}
	res, err := b.runner.Result(t.Context(), row.ID, 0, 100)
	if f := res.Outcome.Answer.Failure; err != nil || f == nil || f.Class != lang.ClassLost || !strings.Contains(f.Message, b.runner.Jobs) {
		t.Errorf("%+v, %v", f, err)
	}
	row.ID = store.NewID()
	if err := b.store.Begin(t.Context(), row); err != nil {
		t.Errorf("its key is in the way: %v", err)
	}
}
