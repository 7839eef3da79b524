package sqlite

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/llm-cli-gateway/gateway/engine/budget"
	"github.com/llm-cli-gateway/gateway/engine/store"
)

const (
	racers   = 25   // in each process
	each     = 10   // calls of each racer
	callUSD  = 0.25 // what a call costs
	limitUSD = 20.1 // not a multiple of it
)

// spend is a gateway with many calls at once, of which some end without telling their cost.
func spend(path string) error {
	s, err := Open(path)
	if err != nil {
		return err
	}
	limits := []budget.Limit{{CLI: "acme", Window: budget.Month, USD: limitUSD}, {Window: budget.Month, USD: 10 * limitUSD}}
	failed := make([]error, racers)
	var all sync.WaitGroup
	for i := range racers {
		all.Go(func() {
			for n := range each {
				job := store.Job{ID: store.NewID(), Principal: store.Local, Tool: "t", CLI: "acme", DedupKey: fmt.Sprint(path, i, n, time.Now().UnixNano()), Reserved: new(callUSD)}
				job.Fit = budget.Fit(limits, callUSD, time.Unix(0, 0), new(budget.Decision)) // no month ends in between
				var exceeded *budget.Exceeded
				switch _, err := s.BeginOrJoin(ctx, job, time.Now()); {
				case errors.As(err, &exceeded):
					continue
				case err != nil:
					failed[i] = err
					return
				}
				end := store.Outcome{Ending: store.EndOK, CostUSD: new(callUSD)}
				if n%3 == 1 {
					end = store.Outcome{Ending: store.EndLost}
				}
				if err := s.Finish(ctx, job.ID, end, nil); err != nil {
					failed[i] = err
					return
				}
			}
		})
	}
	all.Wait()
	return errors.Join(append(failed, s.Close())...)
}

// TestRaceOverspendsByACall: of a thousand calls of four gateways as many begin as the budget is for.
func TestRaceOverspendsByACall(t *testing.T) {
	path := filepath.Join(t.TempDir(), "calls.db")
	together(t, 4, "spend", path)
	s := mustOpen(t, path)
	wantSound(t, s, -1)
	sums, err := s.Costs(ctx, []store.Costs{{CLI: "acme", Since: time.Unix(0, 0)}})
	if err != nil || sums[0].Spent < limitUSD-callUSD || sums[0].Spent > limitUSD+callUSD || sums[0].Reserved != 0 || sums[0].Estimated == 0 {
		t.Errorf("%+v, %v", sums, err)
	}
}

// TestCostsAreInAnIndex: a look at what counts does not read the rows, which are large.
func TestCostsAreInAnIndex(t *testing.T) {
	s := newStore(t)
	for _, query := range []string{costsSQL, meanCostSQL} {
		plan, err := queryAll(ctx, s.reader, func(p *string) []any { return []any{new(int), new(int), new(int), p} }, "EXPLAIN QUERY PLAN "+query, 0, "acme", "", 1)
		if err != nil || !strings.Contains(strings.Join(plan, "\n"), "USING COVERING INDEX job_cost (created_ns>?)") {
			t.Errorf("%q, %v", plan, err)
		}
	}
}

// TestBudgetsView: people see what counts by day.
func TestBudgetsView(t *testing.T) {
	s := newStore(t)
	created := time.Date(2026, 11, 30, 12, 0, 0, 0, time.Local)
	for _, end := range []store.Outcome{{Ending: store.EndOK, CostUSD: new(1.5)}, {Ending: store.EndLost}, {Ending: store.EndOK, CostUSD: new(0.25), CostEstimated: true}} {
		id := mustBegin(t, s, store.Job{CLI: "acme", Created: created, Reserved: new(0.5)})
		if err := s.Finish(ctx, id, end, nil); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Finish(ctx, mustBegin(t, s, store.Job{CLI: "acme", Created: created}), store.Outcome{Ending: store.EndOK}, nil); err != nil {
		t.Fatal(err)
	}
	mustBegin(t, s, store.Job{CLI: "acme", Created: created, Reserved: new(0.125)})
	var day, cli string
	var calls, unknown int
	var spent, estimated, reserved float64
	err := s.reader.QueryRow("SELECT day, cli, calls, spent_usd, estimated_usd, reserved_usd, unknown FROM budgets").Scan(&day, &cli, &calls, &spent, &estimated, &reserved, &unknown)
	if err != nil || day != "2026-11-30" || cli != "acme" || calls != 5 || spent != 2.25 || estimated != 0.75 || reserved != 0.125 || unknown != 1 {
		t.Errorf("%s %s: %d calls, %v spent, %v estimated, %v reserved, %d unknown, %v", day, cli, calls, spent, estimated, reserved, unknown, err)
	}
}
