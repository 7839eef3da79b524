package job

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/llm-cli-gateway/gateway/engine/call"
	"github.com/llm-cli-gateway/gateway/engine/catalog"
	"github.com/llm-cli-gateway/gateway/engine/catalog/access"
	"github.com/llm-cli-gateway/gateway/engine/store"
)

// TestTwoJobsInOneTree: the second of two jobs that may write in one working tree names the
// first, or waits for it.
func TestTwoJobsInOneTree(t *testing.T) {
	b := newFixture(t, `access: {read: ["out=read"], edit: ["out=edit"], full: ["out=full"]}
		params: do: safe: true
		argv: ["{do}", "{access}"]`)
	root := filepath.Join(b.dir, "tree")
	for _, dir := range []string{filepath.Join(root, ".git"), filepath.Join(root, "sub"), filepath.Join(b.dir, "other")} {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	gate, open := b.gate()
	start := func(level, dir string, steps ...string) (call.Job, []string) {
		t.Helper()
		bound := b.bind("hello "+level+dir, map[string]any{"access": level, "do": steps, "forceRefresh": true})
		granted, wrong := b.catalog.Access(bound, access.Ceiling{})
		if wrong != nil {
			t.Fatal(wrong)
		}
		bound = bound.WithAccess(granted, catalog.Place{Dir: dir})
		job, failure := b.runner.send(t.Context(), call.Request{Principal: store.Local, Catalog: b.catalog, Bound: bound, Dir: dir})
		if failure != nil {
			t.Fatal(failure)
		}
		return job, bound.Notes
	}
	first, notes := start("edit", root, gate)
	if len(notes) > 0 {
		t.Error(notes)
	}
	for _, c := range []struct {
		level, dir string
		warns      bool
	}{{"edit", root, true}, {"full", filepath.Join(root, "sub"), true}, {"read", root, false}, {"edit", filepath.Join(b.dir, "other"), false}} {
		job, notes := start(c.level, c.dir)
		if warns := strings.Contains(strings.Join(notes, " "), first.Row.ID); warns != c.warns {
			t.Errorf("%+v: %q", c, notes)
		}
		b.await(job.Row.ID)
	}
	b.catalog.Settings.Jobs.SameTree = "wait"
	second, openSecond := b.gate()
	holder, _ := start("edit", root, second)
	waiting, _ := start("full", filepath.Join(root, "sub"))
	if waiting.State != call.Queued {
		t.Errorf("%+v", waiting)
	}
	reader, _ := start("read", root)
	b.await(reader.Row.ID) // it waits for nobody
	open()
	openSecond()
	for _, job := range []call.Job{first, holder, waiting} {
		b.await(job.Row.ID)
	}
}
