package job

import (
	"strings"
	"testing"
	"time"

	"github.com/llm-cli-gateway/gateway/engine/budget"
	"github.com/llm-cli-gateway/gateway/engine/call"
	"github.com/llm-cli-gateway/gateway/engine/lang"
	"github.com/llm-cli-gateway/gateway/engine/store"
)

// TestReservationOfACall: it is made with the row, and ends with what the call has cost: as its
// program told, as its tokens say, or nothing for one that was not started. Where nobody knows,
// it stays.
func TestReservationOfACall(t *testing.T) {
	b := newFixture(t, jsonl+`models: prices: "m*": {input: 2, output: 4, asOf: "2026-11-30"}`)
	limits := []budget.Limit{{Window: budget.Day, USD: 1000}}
	send := func(conversation string, steps ...string) call.Job {
		t.Helper()
		args := map[string]any{"do": steps, "forceRefresh": true}
		if conversation != "" {
			args["sessionId"] = conversation
		}
		req := call.Request{Principal: store.Local, Catalog: b.catalog, Bound: b.bind("hello", args), Dir: b.dir}
		req.Charge = &call.Charge{USD: 0.5, Fit: budget.Fit(limits, 0.5, time.Now(), new(budget.Decision))}
		job, failure := b.runner.send(t.Context(), req)
		if failure != nil {
			t.Fatal(failure)
		}
		return job
	}
	want := func(what string, job call.Job, cost *float64, estimated, reserved bool) {
		t.Helper()
		row, err := b.store.Job(t.Context(), store.Local, job.Row.ID)
		if err != nil {
			t.Fatal(err)
		}
		o := row.Outcome
		if (o.CostUSD == nil) != (cost == nil) || cost != nil && *o.CostUSD != *cost || o.CostEstimated != estimated || (row.Reserved != nil) != reserved {
			t.Errorf("%s: cost %v, estimated %v, reserved %v", what, o.CostUSD, o.CostEstimated, row.Reserved)
		}
		if a := b.runner.Completion(call.Job{Row: row, State: call.StateOf(o.Ending)}).Answer; row.State == store.Done && (a.Estimated != estimated || (a.CostUSD == nil) != (cost == nil)) {
			t.Errorf("%s: %+v", what, a)
		}
	}
	gate, open := b.gate()
	running := send("conv-1", gate, `out={"result":"x","id":"conv-1","cost":0.25}`+"\n")
	queued := send("conv-1", `out={"result":"x","id":"conv-1"}`+"\n")
	want("under way", running, nil, false, true)
	if end, err := b.runner.Cancel(t.Context(), store.Local, queued.Row.ID, "test", long); err != nil || end.State != call.Canceled {
		t.Errorf("%+v %v", end, err)
	}
	want("canceled before it started", queued, new(0.0), false, false)
	open()
	b.await(running.Row.ID)
	want("its program told", running, new(0.25), false, false)

	tokens := send("", `out={"result":"x","model":"m1","in":1000000,"out":500000}`+"\n")
	b.await(tokens.Row.ID)
	want("its tokens say", tokens, new(4.0), true, false)
	unknown := send("", `out={"result":"x","model":"other","in":1000000,"out":500000}`+"\n")
	b.await(unknown.Row.ID)
	want("nobody knows", unknown, nil, false, true)
	failed := send("", "exit=3")
	b.await(failed.Row.ID)
	want("it failed", failed, nil, false, true)

	limits[0].USD = 1
	req := b.request()
	req.Charge = &call.Charge{USD: 0.5, Fit: budget.Fit(limits, 0.5, time.Now(), new(budget.Decision))}
	if job, failure := b.runner.send(t.Context(), req); failure == nil || failure.Class != lang.ClassBudget || job.Row.ID != "" {
		t.Errorf("%+v, %+v", job, failure)
	}
}

// TestNextAttemptMustFit: an attempt that the budget does not allow is not made, and the job ends as
// the one before did.
func TestNextAttemptMustFit(t *testing.T) {
	b := newFixture(t, tried+soon)
	b.catalog.Settings.Budget.Day = new(1.0)
	other := store.Job{ID: store.NewID(), Principal: store.Local, Tool: "t", CLI: "zeta"}
	if err := b.store.Begin(t.Context(), other); err != nil {
		t.Fatal(err)
	}
	if err := b.store.Finish(t.Context(), other.ID, store.Outcome{Ending: store.EndOK, CostUSD: new(2.0)}, nil); err != nil {
		t.Fatal(err)
	}
	req := b.times(9, 75)
	req.Charge = &call.Charge{USD: 0.5}
	out := b.runner.Run(t.Context(), req)
	row := b.row(out)
	if class(out) != "busy" || b.runs() != 1 || !strings.Contains(row.Outcome.ErrorMessage, "; then no other attempt was made: this call, which is taken to cost $0.50, does not fit into the budget of the day") {
		t.Errorf("%+v after %d runs, %q", out.Answer.Failure, b.runs(), row.Outcome.ErrorMessage)
	}
}
