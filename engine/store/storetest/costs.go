package storetest

import (
	"errors"
	"math"
	"testing"
	"time"

	"github.com/llm-cli-gateway/gateway/engine/store"
)

// longAgo is before every job of a test.
var longAgo = time.Unix(1_600_000_000, 0)

// wantCosts holds what counts of the calls of a CLI, or of all.
func wantCosts(t *testing.T, s Store, cli string, since time.Time, spent, estimated, reserved float64) {
	t.Helper()
	got, err := s.Costs(ctx, []store.Costs{{CLI: cli, Since: since}})
	if err != nil || len(got) != 1 {
		t.Fatalf("%v, %v", got, err)
	}
	want := store.Costs{CLI: cli, Since: since, Spent: spent, Estimated: estimated, Reserved: reserved}
	near := func(a, b float64) bool { return math.Abs(a-b) < 1e-9 }
	if g := got[0]; !near(g.Spent, spent) || !near(g.Estimated, estimated) || !near(g.Reserved, reserved) || g.CLI != cli || !g.Since.Equal(since) {
		t.Errorf("costs of %q:\n got %+v\nwant %+v", cli, g, want)
	}
}

func reservedUntilTheEnd(t *testing.T, s Store) {
	for name, tt := range map[string]struct {
		end              store.Outcome
		spent, estimated float64
	}{
		"its cost is known":         {store.Outcome{Ending: store.EndOK, CostUSD: new(0.2)}, 0.2, 0},
		"it failed, and cost":       {store.Outcome{Ending: store.EndError, CostUSD: new(0.7)}, 0.7, 0},
		"it cost nothing":           {store.Outcome{Ending: store.EndOK, CostUSD: new(0.0)}, 0, 0},
		"its cost is reckoned":      {store.Outcome{Ending: store.EndOK, CostUSD: new(0.2), CostEstimated: true}, 0.2, 0.2},
		"nobody knows its cost":     {store.Outcome{Ending: store.EndOK}, 0.5, 0.5},
		"nor that of one that died": {store.Outcome{Ending: store.EndLost}, 0.5, 0.5},
		"it is of a conversation":   {store.Outcome{Ending: store.EndOK, CostUSD: new(9.0), CostScope: store.ScopeSession}, 0.5, 0.5},
		"it never ran":              {store.Outcome{Ending: store.EndStartFailed}, 0, 0},
	} {
		id := begin(t, s, store.Job{CLI: "acme", Created: longAgo, Reserved: new(0.5)})
		wantCosts(t, s, "acme", longAgo, 0, 0, 0.5)
		finish(t, s, id, tt.end)
		wantCosts(t, s, "acme", longAgo, tt.spent, tt.estimated, 0)
		if job := jobOf(t, s, id); (job.Reserved == nil) != tt.end.Settled(1) {
			t.Errorf("%s: %v", name, job.Reserved)
		}
		if err := s.DeleteJob(ctx, id); err != nil {
			t.Fatal(err)
		}
	}
	// What waits for a person is reserved, and released if nothing comes of it.
	waiting := waitingJob(time.Now())
	waiting.Reserved = new(0.5)
	begin(t, s, waiting)
	wantCosts(t, s, "", longAgo, 0, 0, 0.5)
	if err := s.EndWaiting(ctx, waiting.ID, nil, false, store.Outcome{Ending: store.EndError}, nil); err != nil {
		t.Fatal(err)
	}
	wantCosts(t, s, "", longAgo, 0, 0, 0)
	// A job that is known from elsewhere counts likewise.
	for _, end := range []store.Outcome{{Ending: store.EndOK, CostUSD: new(0.25)}, {Ending: store.EndOK}} {
		if _, err := s.ImportJob(ctx, store.Job{ID: store.NewID(), Principal: store.Local, Tool: "t", CLI: "acme", State: store.Done, Outcome: end, Reserved: new(0.5)}); err != nil {
			t.Fatal(err)
		}
	}
	wantCosts(t, s, "acme", longAgo, 0.75, 0.5, 0)
}

var errFull = errors.New("it does not fit")

// within lets a job begin as long as what counts and it stay within a limit.
func within(limit, usd float64) *store.Fit {
	return &store.Fit{Sums: []store.Costs{{Since: longAgo}}, Check: func(sums []store.Costs) error {
		if sums[0].Spent+sums[0].Reserved+usd > limit {
			return errFull
		}
		return nil
	}}
}

func callsThatDoNotFit(t *testing.T, s Store) {
	key := keyedJob(store.Local, "k")
	key.Reserved, key.Fit = new(0.6), within(1, 0.6)
	if joined, err := s.BeginOrJoin(ctx, key, time.Now()); err != nil || joined != nil {
		t.Fatalf("%v, %v", joined, err)
	}
	for _, opens := range []bool{false, true} {
		other := store.Job{ID: store.NewID(), Principal: store.Local, Tool: "t", CLI: "acme", Opens: opens, Session: "s", Reserved: new(0.6), Fit: within(1, 0.6)}
		if err := s.Begin(ctx, other); !errors.Is(err, errFull) {
			t.Errorf("begun: %v", err)
		}
		other.DedupKey = "other"
		if joined, err := s.BeginOrJoin(ctx, other, time.Now()); !errors.Is(err, errFull) || joined != nil {
			t.Errorf("begun or joined: %v, %v", joined, err)
		}
		if _, err := s.Job(ctx, store.Local, other.ID); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("there is a row: %v", err)
		}
	}
	// To join costs nothing.
	again := keyedJob(store.Local, "k")
	again.Reserved, again.Fit = new(0.6), within(1, 0.6)
	if joined, err := s.BeginOrJoin(ctx, again, time.Now()); err != nil || joined == nil || joined.ID != key.ID {
		t.Errorf("joined %v, %v", joined, err)
	}
	// What was reserved and not spent is free again.
	finish(t, s, key.ID, store.Outcome{Ending: store.EndOK, CostUSD: new(0.1)})
	begin(t, s, store.Job{Reserved: new(0.6), Fit: within(1, 0.6)})
}

func costOfAttempts(t *testing.T, s Store) {
	id := begin(t, s, store.Job{CLI: "acme", Created: longAgo, Reserved: new(0.5)})
	known := failedStep(id, 1, anHour())
	known.Attempt.Outcome.CostUSD = new(0.1)
	if err := s.EndAttempt(ctx, id, known); err != nil {
		t.Fatal(err)
	}
	wantCosts(t, s, "acme", longAgo, 0, 0, 0.6)
	next := store.Job{ID: id, CLI: "acme", Attempt: 2, Fit: within(0.6, 0.1)}
	if err := s.StartNext(ctx, next); !errors.Is(err, errFull) {
		t.Errorf("the next attempt started: %v", err)
	}
	next.Fit = within(0.6, 0)
	if err := s.StartNext(ctx, next); err != nil {
		t.Fatal(err)
	}
	unknown := failedStep(id, 2, anHour())
	unknown.Attempt.Outcome.CostUSD = nil
	if err := s.EndAttempt(ctx, id, unknown); err != nil {
		t.Fatal(err)
	}
	wantCosts(t, s, "acme", longAgo, 0, 0, 0.9)
	last := store.Step{Waiting: true, Attempt: store.Attempt{N: 2}, Outcome: store.Outcome{Ending: store.EndStartFailed}}
	if err := s.EndAttempt(ctx, id, last); err != nil {
		t.Fatal(err)
	}
	wantCosts(t, s, "acme", longAgo, 0.9, 0.9, 0) // the attempts before ran
}

func costSums(t *testing.T, s Store) {
	noon := longAgo.Add(12 * time.Hour)
	for _, job := range []store.Job{{CLI: "acme", Created: longAgo}, {CLI: "acme", Created: noon}, {CLI: "zeta", Created: noon}} {
		job.ParentID = store.NewID() // whose cost is its own
		finish(t, s, begin(t, s, job), store.Outcome{Ending: store.EndOK, CostUSD: new(1.0)})
	}
	finish(t, s, begin(t, s, store.Job{CLI: "acme", Created: noon}), store.Outcome{Ending: store.EndOK})
	finish(t, s, begin(t, s, store.Job{CLI: "acme", Created: noon}), store.Outcome{Ending: store.EndOK, CostUSD: new(7.0), CostScope: store.ScopeSession})
	begin(t, s, store.Job{Principal: "other", CLI: "zeta", Created: noon, Reserved: new(0.25)})
	wantCosts(t, s, "", longAgo, 3, 0, 0.25)
	wantCosts(t, s, "", noon, 2, 0, 0.25)
	wantCosts(t, s, "acme", noon, 1, 0, 0)
	wantCosts(t, s, "zeta", noon.Add(1), 0, 0, 0)
	if list, err := s.Costs(ctx, nil); err != nil || len(list) != 0 {
		t.Errorf("%v, %v", list, err)
	}
}

func meanCost(t *testing.T, s Store) {
	want := func(cli, model string, since time.Time, usd float64, known int) {
		t.Helper()
		got, n, err := s.MeanCost(ctx, cli, model, since)
		if err != nil || math.Abs(got-usd) > 1e-9 || n != known {
			t.Errorf("%s %q: %v of %d, %v; want %v of %d", cli, model, got, n, err, usd, known)
		}
	}
	want("acme", "", longAgo, 0, 0)
	for i := range 30 { // the first ten are too old to count
		cost := 1.0
		if i < 10 {
			cost = 100
		}
		finish(t, s, begin(t, s, store.Job{CLI: "acme", Model: "large", Created: longAgo.Add(time.Duration(i) * time.Minute)}), store.Outcome{Ending: store.EndOK, CostUSD: &cost})
	}
	finish(t, s, begin(t, s, store.Job{CLI: "acme", Model: "small", Created: longAgo.Add(time.Hour)}), store.Outcome{Ending: store.EndOK, CostUSD: new(0.5)})
	finish(t, s, begin(t, s, store.Job{CLI: "acme", Model: "large", Created: longAgo.Add(time.Hour)}), store.Outcome{Ending: store.EndError, CostUSD: new(0.0)})
	finish(t, s, begin(t, s, store.Job{CLI: "acme", Model: "large", Created: longAgo.Add(time.Hour)}), store.Outcome{Ending: store.EndOK, CostUSD: new(50.0), CostScope: store.ScopeSession})
	begin(t, s, store.Job{CLI: "acme", Model: "large", Reserved: new(30.0)})
	want("acme", "large", longAgo, 1, 20)
	want("acme", "small", longAgo, 0.5, 1)
	want("acme", "", longAgo, (19*1+0.5)/20, 20)
	want("acme", "", longAgo.Add(time.Hour), 0.5, 1)
	want("zeta", "", longAgo, 0, 0)
}
