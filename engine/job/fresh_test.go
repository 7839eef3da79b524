//go:build linux

package job

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/llm-cli-gateway/gateway/engine/call"
	"github.com/llm-cli-gateway/gateway/engine/changes"
	"github.com/llm-cli-gateway/gateway/engine/store"
)

// edit changes a file below the working directory, later than a job did anything.
func (b *fixture) edit(job call.Job) {
	b.t.Helper()
	path := filepath.Join(b.dir, "main.go")
	until(b.t, "a later time of the file", func() bool {
		if err := os.WriteFile(path, []byte(b.t.Name()), 0o600); err != nil {
			b.t.Fatal(err)
		}
		info, err := os.Stat(path)
		return err == nil && info.ModTime().After(job.Row.Created) && info.ModTime().After(job.Row.Outcome.Ended)
	})
}

// TestAnswerIsOfTheFilesAsTheyAre: edit, review, edit, review gets another review.
func TestAnswerIsOfTheFilesAsTheyAre(t *testing.T) {
	b := joining(t, "")
	count, runs := b.counting()
	first := b.await(b.submit(count, "out=fine").Row.ID)
	again := b.submit(count, "out=fine")
	if !again.Joined || again.Row.ID != first.Row.ID || again.Age <= 0 {
		t.Fatalf("nothing has changed: %+v", again)
	}
	b.edit(first)
	twins := []call.Job{b.submit(count, "out=fine"), b.other().submit(count, "out=fine")}
	if twins[0].Joined || !twins[1].Joined || twins[1].Row.ID != twins[0].Row.ID {
		t.Errorf("a file has changed: %+v", twins)
	}
	second := b.await(twins[0].Row.ID)
	if again := b.submit(count, "out=fine"); again.Row.ID != second.Row.ID {
		t.Errorf("nothing has changed since: %+v", again)
	}
	if n := runs(); n != 2 {
		t.Errorf("it ran %d times", n)
	}
}

// TestEditWhileItRuns: who joins a running job gets its answer, later callers do not.
func TestEditWhileItRuns(t *testing.T) {
	b := joining(t, "")
	begun, begin := b.gate()
	gate, open := b.gate()
	first := b.submit(begun, gate, "out=fine")
	begin()
	b.edit(first)
	if twin := b.submit(begun, gate, "out=fine"); !twin.Joined || twin.Age != 0 {
		t.Errorf("a running one: %+v", twin)
	}
	open()
	b.await(first.Row.ID)
	again := b.submit(begun, gate, "out=fine")
	if again.Joined {
		t.Errorf("%+v", again)
	}
	begin()
	open()
	b.await(again.Row.ID)
}

// TestItsOwnChanges: what a call that may change files changed while it ran is taken to be
// its own work, which must not be done again.
func TestItsOwnChanges(t *testing.T) {
	b := joining(t, `params: force: {doc: "Act", type: "bool", words: ["continue=1"], danger: true}
	argv: ["{params}", "{do}"]`)
	submit := func(force bool) call.Job {
		t.Helper()
		bound := b.bind("hello", map[string]any{"force": force, "do": []string{"touch=" + b.dir, "out=fine"}})
		job, failure := b.runner.send(t.Context(), call.Request{Principal: store.Local, Catalog: b.catalog, Bound: bound, Dir: b.dir})
		if failure != nil {
			t.Fatal(failure)
		}
		end := b.await(job.Row.ID)
		end.Joined = job.Joined
		return end
	}
	first := submit(true)
	if again := submit(true); !again.Joined {
		t.Errorf("its own work was done again: %+v", again)
	}
	b.edit(first)
	if again := submit(true); again.Joined {
		t.Errorf("a file has changed: %+v", again)
	}
	submit(false)
	if again := submit(false); again.Joined {
		t.Errorf("it was not to change anything: %+v", again)
	}
}

// TestTooMuchToLookAt: where it cannot be said whether something has changed, it runs.
func TestTooMuchToLookAt(t *testing.T) {
	b := joining(t, "")
	for i := range changes.MaxEntries {
		if err := os.Symlink("none", filepath.Join(b.dir, fmt.Sprint(i))); err != nil {
			t.Fatal(err)
		}
	}
	b.await(b.submit("out=fine").Row.ID)
	if again := b.submit("out=fine"); again.Joined {
		t.Errorf("%+v", again)
	} else {
		b.await(again.Row.ID)
	}
}
