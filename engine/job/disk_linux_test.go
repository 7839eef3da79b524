package job

import (
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/llm-cli-gateway/gateway/engine/call"
	"github.com/llm-cli-gateway/gateway/engine/lang"
	"github.com/llm-cli-gateway/gateway/engine/store"
	"github.com/llm-cli-gateway/gateway/testdata/disk"
)

// T30
func TestDiskFull(t *testing.T) {
	const size = 4 << 20
	disk.Each(t, size, func(t *testing.T, root string) {
		b := newFixture(t, "")
		b.runner.Jobs = filepath.Join(root, "jobs")
		out := b.runner.Run(t.Context(), b.request("out=begin", fmt.Sprintf("fill=%d", 2*size)))
		if class(out) != lang.ClassDisk || out.Answer.Failure.Hint == "" {
			t.Errorf("failure: %+v", out.Answer.Failure)
		}
		b.row(out)
		release := disk.Fill(t, root)
		out = b.runner.Run(t.Context(), b.request("out=never"))
		if class(out) != lang.ClassDisk || !strings.Contains(out.Answer.Failure.Message, "cannot be prepared") {
			t.Errorf("failure: %+v", out.Answer.Failure)
		}
		if row := b.row(out); row.Outcome.Ending != store.EndStartFailed {
			t.Errorf("row: %+v", row.Outcome)
		}
		release()
		if err := os.RemoveAll(b.runner.Jobs); err != nil {
			t.Fatal(err)
		}
		syscall.Sync() // a file system may free later what was removed
		if out := b.runner.Run(t.Context(), b.request("out=again")); out.Answer.Text != "again" {
			t.Errorf("with space again: %+v", out.Answer.Failure)
		}
	})
}

// TestDiskFullUnderTheRecord: T30, of the record. The end of what was accepted is reported, and recorded when there is
// space; what cannot be recorded is refused.
func TestDiskFullUnderTheRecord(t *testing.T) {
	disk.Each(t, 8<<20, func(t *testing.T, root string) {
		b := newFixtureIn(t, filepath.Join(root, "home"), "")
		step, open := b.gate()
		id := b.submit("out=words", step).Row.ID
		until(t, "its output", func() bool {
			s, err := b.runner.Status(t.Context(), store.Local, id)
			return err == nil && s.Printed == 5
		})
		long := store.Job{Principal: store.Local, ID: store.NewID(), Tool: "acme_request", Prompt: strings.Repeat("long ", 100_000)}
		release := disk.Fill(t, root)
		if err := b.store.Begin(t.Context(), long); err == nil {
			t.Error("there was space for a long row")
		}
		touched := filepath.Join(b.dir, "touched")
		out := b.runner.Run(t.Context(), b.request("pid="+touched))
		if class(out) != lang.ClassDisk && class(out) != lang.ClassRecord || pidIn(touched) != 0 {
			t.Errorf("a call on a full disk: %+v", out.Answer.Failure)
		}
		open()
		// It ended well, but who knows what it could not write.
		end := b.await(id)
		if out := b.runner.Completion(end); end.State != call.Failed || class(out) != lang.ClassDisk || out.ExitCode != 0 || out.Answer.Shown != "words" {
			t.Errorf("on a full disk: %+v, %+v", out, out.Answer.Failure)
		}
		release()
		b.await(id)
		if row, err := b.store.Job(t.Context(), store.Local, id); err != nil || row.Outcome.ErrorClass != lang.ClassDisk || row.Outcome.Response != "words" {
			t.Errorf("row: %+v, %v", row.Outcome, err)
		}
		b.sound()
	})
}

// sound checks the file of the record.
func (b *fixture) sound() {
	b.t.Helper()
	db, err := sql.Open("sqlite", filepath.Join(b.home, "logs.db"))
	if err != nil {
		b.t.Fatal(err)
	}
	defer db.Close()
	var verdict string
	if err := db.QueryRow("PRAGMA integrity_check").Scan(&verdict); err != nil || verdict != "ok" {
		b.t.Errorf("integrity: %q, %v", verdict, err)
	}
}
