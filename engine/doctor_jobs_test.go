package engine

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/llm-cli-gateway/gateway/engine/job/lease"
	"github.com/llm-cli-gateway/gateway/engine/store"
	"github.com/llm-cli-gateway/gateway/engine/supervisor"
)

// TestStatsRecordNothing counts jobs of every kind, and leaves the lost ones to others.
func TestStatsRecordNothing(t *testing.T) {
	home := t.TempDir()
	leases, jobs := filepath.Join(home, "run"), filepath.Join(home, "jobs")
	if err := os.Mkdir(leases, 0o700); err != nil {
		t.Fatal(err)
	}
	living := lease.Take(leases)
	if living == nil {
		t.Fatal("no lease")
	}
	defer living.Release()
	rows := []store.Job{{ID: store.NewID(), Owner: living.Name}, {ID: store.NewID(), Owner: store.NewID()}, {ID: store.NewID()}}
	rows = append(rows, store.Job{ID: store.NewID(), Waiting: store.Waiting{Until: time.Unix(1, 0)}})
	want := jobStats{Running: 1, Lost: 1, Missing: 1, Waiting: 1}
	if supervisor.Supported() {
		if err := os.MkdirAll(jobs, 0o700); err != nil {
			t.Fatal(err)
		}
		dir, err := supervisor.Prepare(jobs, supervisor.Job{ID: store.NewID(), Path: "/bin/true", Dir: home})
		if err != nil {
			t.Fatal(err)
		}
		defer dir.Remove()
		rows = append(rows, store.Job{Principal: store.Local, ID: dir.ID()}) // prepared, and its supervisor is yet to come
		want.Queued = 1
		broken, bare := store.NewID(), store.NewID()
		if err := errors.Join(os.MkdirAll(filepath.Join(jobs, broken, "status"), 0o700), os.Mkdir(filepath.Join(jobs, bare), 0o700)); err != nil {
			t.Fatal(err)
		}
		rows = append(rows, store.Job{Principal: store.Local, ID: broken}, store.Job{Principal: store.Local, ID: bare})
		want.Missing, want.Lost = 2, 2
	}
	for range 2 {
		if got := statsOf(rows, jobs, leases); got != want {
			t.Errorf("%+v, want %+v", got, want)
		}
	}
	if _, err := os.Stat(lease.Path(leases, living.Name)); errors.Is(err, os.ErrNotExist) {
		t.Error("the lease of a living gateway is gone")
	}
}
