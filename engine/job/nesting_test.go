//go:build linux

package job

import (
	"strings"
	"testing"

	"github.com/llm-cli-gateway/gateway/engine/call"
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

// TestNestedCallsMayNotDoMore holds a call against the one that it is made from.
func TestNestedCallsMayNotDoMore(t *testing.T) {
	b := newFixture(t, `params: {bold: {doc: "B", type: "bool", words: ["continue=b"], danger: true}, tools: {doc: "T", type: "list", flag: "--tools", enum: ["all", "some"], danger: ["all"]}}
		argv: ["{do}", "{params}"]`)
	submit := func(at *fixture, args map[string]any) (call.Job, *lang.Failure) {
		t.Helper()
		args["do"] = []string{"out=x"}
		return at.runner.send(t.Context(), call.Request{Principal: store.Local, Catalog: b.catalog, Bound: b.bind("hello", args), Dir: b.dir})
	}
	start := func(args map[string]any) string {
		t.Helper()
		job, failure := submit(b, args)
		if failure != nil {
			t.Fatal(failure)
		}
		b.await(job.Row.ID)
		return job.Row.ID
	}
	meek, bold, listed := start(map[string]any{}), start(map[string]any{"bold": true}), start(map[string]any{"tools": []string{"all"}})
	for name, c := range map[string]struct {
		caller string
		args   map[string]any
		may    bool
	}{
		"meek from meek":      {meek, map[string]any{}, true},
		"bold from meek":      {meek, map[string]any{"bold": true}, false},
		"bold from bold":      {bold, map[string]any{"bold": true}, true},
		"bold from listed":    {listed, map[string]any{"bold": true}, true},
		"listed from meek":    {meek, map[string]any{"tools": []string{"all"}}, false},
		"harmless from meek":  {meek, map[string]any{"tools": []string{"some"}}, true},
		"bold from a strange": {store.NewID(), map[string]any{"bold": true}, false},
		"meek from a strange": {store.NewID(), map[string]any{}, true},
		"bold from nobody":    {"", map[string]any{"bold": true}, true},
	} {
		_, failure := submit(b.inside(c.caller), c.args)
		if (failure == nil) != c.may || failure != nil && failure.Class != lang.ClassNested {
			t.Errorf("%s: %+v", name, failure)
		}
	}
}
