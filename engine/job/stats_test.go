package job

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/llm-cli-gateway/gateway/engine/store"
	"github.com/llm-cli-gateway/gateway/engine/supervisor"
)

// TestStatsRecordNothing counts jobs of every kind, and leaves the lost ones to others.
func TestStatsRecordNothing(t *testing.T) {
	home := t.TempDir()
	r := &Runner{Spool: filepath.Join(home, "run"), Jobs: filepath.Join(home, "jobs")}
	living := &Runner{Spool: r.Spool}
	if living.owner() == "" {
		t.Fatal("no lease")
	}
	defer living.releaseLease()
	rows := []store.Job{{ID: store.NewID(), Owner: living.owner()}, {ID: store.NewID(), Owner: store.NewID()}, {ID: store.NewID()}}
	rows = append(rows, store.Job{ID: store.NewID(), Waiting: store.Waiting{Until: time.Unix(1, 0)}})
	want := Stats{Running: 1, Lost: 1, Missing: 1, Waiting: 1}
	if supervisor.Supported() {
		if err := os.MkdirAll(r.Jobs, 0o700); err != nil {
			t.Fatal(err)
		}
		dir, err := supervisor.Prepare(r.Jobs, supervisor.Job{ID: store.NewID(), Path: "/bin/true", Dir: home})
		if err != nil {
			t.Fatal(err)
		}
		defer dir.Remove()
		rows = append(rows, store.Job{Principal: store.Local, ID: dir.ID()}) // prepared, and its supervisor is yet to come
		want.Queued = 1
		broken, bare := store.NewID(), store.NewID()
		if err := errors.Join(os.MkdirAll(filepath.Join(r.Jobs, broken, "status"), 0o700), os.Mkdir(filepath.Join(r.Jobs, bare), 0o700)); err != nil {
			t.Fatal(err)
		}
		rows = append(rows, store.Job{Principal: store.Local, ID: broken}, store.Job{Principal: store.Local, ID: bare})
		want.Missing, want.Lost = 2, 2
	}
	for range 2 {
		if got := r.Stats(rows); got != want {
			t.Errorf("%+v, want %+v", got, want)
		}
	}
	if _, err := os.Stat(living.leasePath(living.owner())); errors.Is(err, os.ErrNotExist) {
		t.Error("the lease of a living gateway is gone")
	}
}
