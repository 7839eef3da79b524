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

// TestWhatThePowerTook: what is on record stays as it was reported, whatever the disk had of
// the directory; and of a job without a record what is there can be read.
func TestDirectoryLostInAPowerCut(t *testing.T) {
	for _, file := range []string{"stdin", "stdout", "stderr", "status", "request", "lease"} {
		for _, harm := range []func(string) error{os.Remove, func(path string) error { return os.Truncate(path, 0) }} {
			b := newFixture(t, "")
			done := b.submit("out=the answer").Row.ID
			b.await(done)
			unstarted, lost := b.unstarted().ID, b.unstarted().ID
			// A supervisor had begun to write into the status file of this one.
			if err := os.WriteFile(filepath.Join(b.runner.Jobs, lost, "status"), []byte{1}, 0o600); err != nil {
				t.Fatal(err)
			}
			for _, id := range []string{done, unstarted, lost} {
				if err := harm(filepath.Join(b.runner.Jobs, id, file)); err != nil {
					t.Fatal(err)
				}
			}
			res, err := b.other().runner.Result(t.Context(), store.Local, done, 0, 100)
			if err != nil || res.State != call.Completed || res.Outcome.Answer.Failure != nil || res.Response.Text != "the answer" {
				t.Errorf("%s, answered: %+v, %v", file, res.Outcome, err)
			}
			if err := b.other().runner.Reconcile(t.Context()); err != nil {
				t.Errorf("%s: %v", file, err)
			}
			for name, id := range map[string]string{"not begun": unstarted, "lost": lost} {
				res, err = b.other().runner.Result(t.Context(), store.Local, id, 0, 100)
				if err != nil || !res.State.Ended() || res.State == call.Completed || res.Outcome.Answer.Failure == nil {
					t.Errorf("%s, %s: %+v, %v", file, name, res, err)
				}
				row, err := b.store.Job(t.Context(), store.Local, id)
				if err != nil || row.State != store.Done {
					t.Errorf("%s, %s: %+v, %v", file, name, row, err)
				}
				if id == lost && row.Outcome.ErrorClass != lang.ClassLost {
					t.Errorf("%s, lost: %+v", file, row.Outcome)
				}
			}
		}
	}
}

// TestDirectoryIsGone: nobody will learn any more how the job ended. The same call is made
// again.
func TestDirectoryIsGone(t *testing.T) {
	b := newFixture(t, "")
	row := store.Job{Principal: store.Local, ID: store.NewID(), Tool: "acme_request", CLI: "acme", Mode: "new", Folder: b.runner.Jobs, DedupKey: "the key"}
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
		if s, err := b.runner.Status(t.Context(), store.Local, id); err != nil || s.State != call.Orphaned {
			t.Errorf("%+v, %v", s, err)
		}
		row, err := b.store.Job(t.Context(), store.Local, id)
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
	res, err := b.runner.Result(t.Context(), store.Local, row.ID, 0, 100)
	if f := res.Outcome.Answer.Failure; err != nil || f == nil || f.Class != lang.ClassLost || !strings.Contains(f.Message, b.runner.Jobs) {
		t.Errorf("%+v, %v", f, err)
	}
	row.ID = store.NewID()
	if err := b.store.Begin(t.Context(), row); err != nil {
		t.Errorf("its key is in the way: %v", err)
	}
}
