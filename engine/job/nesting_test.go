//go:build linux

package job

import (
	"strings"
	"testing"

	"github.com/llm-cli-gateway/gateway/engine/call"
	"github.com/llm-cli-gateway/gateway/engine/catalog"
	"github.com/llm-cli-gateway/gateway/engine/catalog/access"
	"github.com/llm-cli-gateway/gateway/engine/lang"
	"github.com/llm-cli-gateway/gateway/engine/store"
)

// inside is a gateway that a job started.
func (b *fixture) inside(id string) *fixture {
	b.t.Helper()
	o := b.other()
	o.runner.Parent = id
	return o
}

func TestCallsInsideOfCallsEnd(t *testing.T) {
	b := newFixture(t, "")
	at, ids := b, []string{}
	for depth := range 4 {
		job := at.submit("sleep")
		if got := len(at.runner.outer(t.Context(), b.store)); got != depth || job.State != call.Running {
			t.Errorf("depth %d: %d, %+v", depth, got, job)
		}
		ids = append(ids, job.Row.ID)
		at = b.inside(job.Row.ID)
	}
	_, failure := at.runner.send(t.Context(), b.request("out=x"))
	if failure == nil || failure.Class != lang.ClassNested || !strings.Contains(failure.Message, "at most 3 deep") || failure.Hint == "" {
		t.Fatalf("%+v", failure)
	}
	for _, id := range ids {
		if !strings.Contains(failure.Message, id) {
			t.Errorf("%s lacks %s", failure.Message, id)
		}
	}
	if rows, err := b.store.Jobs(t.Context(), store.Filter{Principal: store.Local}); err != nil || len(rows) != 4 || rows[0].ParentID != ids[2] || rows[3].ParentID != "" {
		t.Errorf("%d rows, %v", len(rows), err)
	}
	if end, err := b.runner.Cancel(t.Context(), store.Local, ids[0], "test", long); err != nil || end.State != call.Canceled {
		t.Errorf("%+v %v", end, err)
	}
	for _, id := range ids {
		b.await(id)
	}
}

// TestCeilingIsThatOfTheCaller: a call may do at most what the job may do that makes it, and
// only read where that is not known.
func TestCeilingIsThatOfTheCaller(t *testing.T) {
	b := newFixture(t, `access: {read: ["out=x"], edit: ["out=x"], full: []}`)
	start := func(level string) string {
		t.Helper()
		bound := b.bind("hello "+level, map[string]any{"access": level})
		granted, wrong := b.catalog.Access(bound, access.Ceiling{})
		if wrong != nil {
			t.Fatal(wrong)
		}
		job, failure := b.runner.send(t.Context(), call.Request{Principal: store.Local, Catalog: b.catalog, Bound: bound.WithAccess(granted, catalog.Place{Dir: b.dir}), Dir: b.dir})
		if failure != nil {
			t.Fatal(failure)
		}
		b.await(job.Row.ID)
		return job.Row.ID
	}
	for _, c := range []struct {
		caller string
		want   access.Level
	}{{start("read"), access.Read}, {start("edit"), access.Edit}, {start("full"), access.Full}, {start("own"), access.Full}, {store.NewID(), access.Read}, {"", access.None}} {
		got, err := b.inside(c.caller).runner.Ceiling(t.Context())
		if err != nil || got.Level != c.want || !strings.Contains(got.From, c.caller) {
			t.Errorf("%q: %+v, %v; want %s", c.caller, got, err, c.want)
		}
	}
}

// TestNothingRunsUndecided: a CLI that can be held to a level is not run by a call for which
// nobody decided one.
func TestNothingRunsUndecided(t *testing.T) {
	b := newFixture(t, `access: read: ["out=x"]`)
	if _, failure := b.runner.send(t.Context(), call.Request{Principal: store.Local, Catalog: b.catalog, Bound: b.bind("hello", nil), Dir: b.dir}); failure == nil || failure.Class != lang.ClassStart {
		t.Errorf("%+v", failure)
	}
}
