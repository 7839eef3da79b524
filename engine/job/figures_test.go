//go:build linux

package job

import (
	"fmt"
	"testing"

	"github.com/llm-cli-gateway/gateway/engine/call"
	"github.com/llm-cli-gateway/gateway/engine/store"
)

// TestFiguresAreOfTheCall: what a program counts since its conversation began is told and
// recorded as what each call used, where the turns before are on record.
func TestFiguresAreOfTheCall(t *testing.T) {
	b := newFixture(t, jsonl+`output: {costScope: "session", usage: scope: "session"}`)
	turn := func(conversation string, args map[string]any, input int, cost float64) call.Completion {
		t.Helper()
		args["do"] = []string{fmt.Sprintf(`out={"result":"x","id":%q,"in":%d,"cost":%v}`+"\n", conversation, input, cost)}
		return b.runner.Run(t.Context(), call.Request{Principal: store.Local, Catalog: b.catalog, Bound: b.bind("more", args), Dir: b.dir})
	}
	resume := func(conversation string, input int, cost float64) call.Completion {
		t.Helper()
		return turn(conversation, map[string]any{"sessionId": conversation}, input, cost)
	}
	want := func(out call.Completion, input int64, cost float64, scope string) {
		t.Helper()
		row := b.row(out)
		again := b.runner.Completion(call.Job{Row: row, State: call.Completed})
		if o := row.Outcome; *o.InputTokens != input || *o.CostUSD != cost || o.UsageScope != scope || o.CostScope != scope {
			t.Errorf("row: %d %v %q %q", *o.InputTokens, *o.CostUSD, o.UsageScope, o.CostScope)
		}
		for _, out := range []call.Completion{out, again} {
			if a := out.Answer; a.Usage["inputTokens"] != input || a.CostUSD == nil || *a.CostUSD != cost || a.Scope != scope || a.CostScope != scope {
				t.Errorf("%+v", a)
			}
		}
	}
	want(turn("conv-1", map[string]any{}, 100, 1), 100, 1, "")
	want(resume("conv-1", 150, 1.5), 50, 0.5, "")
	want(resume("conv-1", 175, 3.5), 25, 2, "")
	// It began outside of the gateway; from then on the turns are known.
	want(resume("conv-2", 900, 9), 900, 9, store.ScopeSession)
	want(resume("conv-2", 950, 9.5), 50, 0.5, "")
	// The program counts anew.
	want(resume("conv-1", 20, 0.25), 20, 0.25, store.ScopeSession)
	want(resume("conv-1", 30, 0.75), 10, 0.5, "")
}
