//go:build linux

package job

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/llm-cli-gateway/gateway/engine/catalog"
	"github.com/llm-cli-gateway/gateway/engine/job/lease"
	"github.com/llm-cli-gateway/gateway/engine/store"
	"github.com/llm-cli-gateway/gateway/engine/store/sqlite"
)

// TestReapDeadOwnersFinishesTheirCalls makes two gateways by hand: one that holds its
// lease, and one of which only the file is left.
func TestReapDeadOwnersFinishesTheirCalls(t *testing.T) {
	spool := t.TempDir()
	records, err := sqlite.Open(filepath.Join(t.TempDir(), "logs.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer records.Close()
	living := &Runner{Spool: spool}
	if living.owner() == "" {
		t.Fatal("no lease")
	}
	dead := store.NewID()
	write := func(name string) string {
		path := filepath.Join(spool, name)
		if err := os.WriteFile(path, []byte("secret"), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	stale := []string{write(filepath.Base(lease.Path("", dead))), write(lease.FilesPrefix + dead + "-1.txt")}
	kept := write(lease.FilesPrefix + living.owner() + "-1.txt")
	begin := func(owner string) string {
		id := store.NewID()
		if err := records.Begin(t.Context(), store.Job{Principal: store.Local, ID: id, Tool: "acme_request", Owner: owner}); err != nil {
			t.Fatal(err)
		}
		return id
	}
	mine, lostRow, jobRow := begin(living.owner()), begin(dead), begin("")

	other := &Runner{Spool: spool, Current: func() *catalog.Catalog { return new(catalog.Catalog) }}
	for want := range []int{1: 0} {
		lost, err := other.ReapDeadOwners(t.Context(), records)
		if err != nil || lost != 1-want {
			t.Errorf("round %d: lost %d, %v", want, lost, err)
		}
	}
	for id, ending := range map[string]store.Ending{mine: "", lostRow: store.EndLost, jobRow: ""} {
		row, err := records.Job(t.Context(), store.Local, id)
		if err != nil || row.Outcome.Ending != ending {
			t.Errorf("%s: %q, %v; want %q", id, row.Outcome.Ending, err, ending)
		}
	}
	for _, path := range stale {
		if _, err := os.Stat(path); !os.IsNotExist(err) {
			t.Errorf("%s is still there", path)
		}
	}
	if _, err := os.Stat(kept); err != nil {
		t.Error(err)
	}
	living.releaseLease()
	if lost, err := other.ReapDeadOwners(t.Context(), records); lost != 1 || err != nil {
		t.Errorf("after its end: lost %d, %v", lost, err)
	}
}
