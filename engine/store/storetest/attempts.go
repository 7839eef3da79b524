package storetest

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/llm-cli-gateway/gateway/engine/store"
)

// failedStep is the end of an attempt that another one follows.
func failedStep(id string, n int, next time.Time) store.Step {
	outcome := FullOutcome()
	outcome.Ending, outcome.Response, outcome.Model = store.EndError, "", ""
	outcome.OutBytes, outcome.ErrBytes, outcome.Truncated, outcome.UsageScope, outcome.CostScope = 0, 0, false, "", ""
	outcome.CostEstimated, outcome.Started, outcome.Warnings = false, time.Time{}, nil
	return store.Step{Next: next, Plan: json.RawMessage(`{"tries":1}`), Attempt: store.Attempt{
		Job: id, N: n, Begun: next.Add(-time.Minute), CLI: "acme", CLIVersion: "1.2", Model: "large", SessionID: "s", Outcome: outcome,
		Tries: 3, Effects: true, Next: store.NextRetry, Wait: 1500 * time.Millisecond, Breaker: store.BreakerClosed}}
}

func anHour() time.Time { return time.Now().Add(time.Hour).UTC().Truncate(time.Microsecond) }

func twoAttempts(t *testing.T, s Store) {
	want := FullJob()
	want.Waiting, want.DedupKey, want.Opens = store.Waiting{}, "", false
	if err := s.Begin(ctx, want); err != nil {
		t.Fatal(err)
	}
	first, next := failedStep(want.ID, 1, anHour()), anHour()
	first.Next = next
	wantNoZeroField(t, first.Attempt)
	if err := s.EndAttempt(ctx, want.ID, first); err != nil {
		t.Fatal(err)
	}
	want.State, want.Attempt, want.Next, want.Plan = store.Live, 1, next, first.Plan
	want.Reserved = new(*want.Reserved + *first.Attempt.Outcome.CostUSD)
	if got := jobOf(t, s, want.ID); !reflect.DeepEqual(got, want) || !got.Between() || got.N() != 1 {
		t.Errorf("between:\n got %+v\nwant %+v", got, want)
	}
	if err := s.EndAttempt(ctx, want.ID, first); !errors.Is(err, store.ErrDone) {
		t.Errorf("an attempt ended twice: %v", err)
	}
	want.Attempt, want.Begun, want.CLI, want.Asked, want.CLIVersion, want.Mode, want.Model, want.SpecHash, want.SessionID = 2, next, "zeta", "acme", "9", "new", "small", "h2", "s2"
	want.ModelResolved = want.Model
	want.Plan, want.Argv, want.Next = json.RawMessage(`{"tries":2}`), []string{"-y"}, time.Time{}
	if err := s.StartNext(ctx, want); err != nil {
		t.Fatal(err)
	}
	if got := jobOf(t, s, want.ID); !reflect.DeepEqual(got, want) || got.Between() || got.N() != 2 {
		t.Errorf("started:\n got %+v\nwant %+v", got, want)
	}
	if err := s.EndAttempt(ctx, want.ID, first); !errors.Is(err, store.ErrDone) {
		t.Errorf("the first attempt ended again: %v", err)
	}
	last := failedStep(want.ID, 2, time.Time{})
	last.Attempt.Begun, last.Outcome, last.Attempt.Next = next, FullOutcome(), ""
	if err := s.EndAttempt(ctx, want.ID, last); err != nil {
		t.Fatal(err)
	}
	want.State, want.Outcome, want.ResponseBytes = store.Done, last.Outcome, int64(len(last.Outcome.Response))
	wantNoZeroField(t, want, "Next", "Waiting", "DedupKey", "Opens", "Fit", "Refused", "TextsDropped")
	if got := jobOf(t, s, want.ID); !reflect.DeepEqual(got, want) {
		t.Errorf("done:\n got %+v\nwant %+v", got, want)
	}
	if got, err := s.Attempts(ctx, want.ID); err != nil || !reflect.DeepEqual(got, []store.Attempt{first.Attempt, last.Attempt}) {
		t.Errorf("attempts %v:\n got %+v\nwant %+v", err, got, []store.Attempt{first.Attempt, last.Attempt})
	}
	if err := s.StartNext(ctx, want); !errors.Is(err, store.ErrDone) {
		t.Errorf("an attempt of a job that is done: %v", err)
	}
}

func oneStartsNext(t *testing.T, s Store) {
	id := begin(t, s, store.Job{CLI: "acme"})
	if err := s.StartNext(ctx, store.Job{ID: id, Attempt: 2}); !errors.Is(err, store.ErrDone) {
		t.Errorf("the next attempt of one that runs: %v", err)
	}
	if err := s.EndAttempt(ctx, id, failedStep(id, 1, anHour())); err != nil {
		t.Fatal(err)
	}
	var started atomic.Int32
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			job := jobOf(t, s, id)
			if job.Attempt = 2; s.StartNext(ctx, job) == nil {
				started.Add(1)
			}
		})
	}
	if all.Wait(); started.Load() != 1 {
		t.Errorf("the next attempt was started %d times", started.Load())
	}
}

func endBetween(t *testing.T, s Store) {
	id := begin(t, s, store.Job{CLI: "acme"})
	end := store.Step{Waiting: true, Attempt: store.Attempt{N: 1}, Outcome: store.Outcome{Ending: store.EndCanceled, ErrorClass: "canceled", Ended: anHour()}}
	if err := s.EndAttempt(ctx, id, end); !errors.Is(err, store.ErrDone) {
		t.Errorf("one that runs was ended as if it did not: %v", err)
	}
	if err := s.EndAttempt(ctx, id, failedStep(id, 1, anHour())); err != nil {
		t.Fatal(err)
	}
	if err := s.EndAttempt(ctx, id, end); err != nil {
		t.Fatal(err)
	}
	job := jobOf(t, s, id)
	if job.State != store.Done || job.Outcome.Ending != store.EndCanceled || !job.Next.IsZero() {
		t.Errorf("%+v", job)
	}
	if err := s.StartNext(ctx, store.Job{ID: id, Attempt: 2}); !errors.Is(err, store.ErrDone) {
		t.Errorf("started after its end: %v", err)
	}
	if list, err := s.Attempts(ctx, id); err != nil || len(list) != 1 {
		t.Errorf("%+v, %v", list, err)
	}
}

func attemptOfTurn(t *testing.T, s Store) {
	id := begin(t, s, store.Job{CLI: "acme"})
	step := failedStep(id, 1, time.Time{})
	step.Outcome = store.Outcome{Ending: store.EndOK, Ended: anHour()}
	step.Turn = &store.Turn{Principal: store.Local, CLI: "acme", Native: "native", Answered: true, Began: true}
	if err := s.EndAttempt(ctx, id, step); err != nil {
		t.Fatal(err)
	}
	if found, err := s.FindSessions(ctx, store.Local, "acme", "native"); err != nil || len(found) != 1 || found[0].Turns != 1 || found[0].Opener != id {
		t.Errorf("%+v, %v", found, err)
	}
	if err := s.EndAttempt(ctx, id, step); !errors.Is(err, store.ErrDone) {
		t.Error(err)
	}
	if found, _ := s.FindSessions(ctx, store.Local, "acme", "native"); found[0].Turns != 1 {
		t.Errorf("the turn was counted twice: %+v", found)
	}
}

func attemptsDeleted(t *testing.T, s Store) {
	id := begin(t, s, store.Job{CLI: "acme"})
	if err := s.EndAttempt(ctx, id, failedStep(id, 1, time.Time{})); err == nil {
		t.Fatal("a job ended without an ending")
	}
	step := failedStep(id, 1, time.Time{})
	step.Outcome = store.Outcome{Ending: store.EndError}
	if err := s.EndAttempt(ctx, id, step); err != nil {
		t.Fatal(err)
	}
	if err := s.DeleteJob(ctx, id); err != nil {
		t.Fatal(err)
	}
	if list, err := s.Attempts(ctx, id); err != nil || len(list) != 0 {
		t.Errorf("%+v, %v", list, err)
	}
}

func breakerChanges(t *testing.T, s Store) {
	fail := func(b store.Breaker) store.Breaker {
		b.Failures++
		b.State, b.Opened, b.Until, b.Trial, b.Class, b.Message, b.Changed = store.BreakerOpen, anHour(), anHour(), "job", "transient", "it is busy", anHour()
		return b
	}
	if list, err := s.Breakers(ctx, "acme"); err != nil || len(list) != 0 {
		t.Fatalf("%+v, %v", list, err)
	}
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			if _, err := s.ChangeBreakers(ctx, store.BreakerChange{Key: "acme", Change: fail}); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	id := begin(t, s, store.Job{CLI: "acme"})
	step := failedStep(id, 1, anHour())
	step.Breakers = []store.BreakerChange{{Key: "acme", Change: fail}, {Key: "acme/large", Change: func(b store.Breaker) store.Breaker { return b }}}
	if err := s.EndAttempt(ctx, id, step); err != nil {
		t.Fatal(err)
	}
	if err := s.EndAttempt(ctx, id, step); !errors.Is(err, store.ErrDone) {
		t.Error(err)
	}
	list, err := s.Breakers(ctx, "none", "acme", "acme/large")
	if err != nil || len(list) != 1 || list[0].Failures != 9 || list[0].Key != "acme" {
		t.Fatalf("%+v, %v", list, err)
	}
	wantNoZeroField(t, list[0])
	closed, err := s.ChangeBreakers(ctx, store.BreakerChange{Key: "acme", Change: func(b store.Breaker) store.Breaker {
		return store.Breaker{Key: b.Key, State: store.BreakerClosed, Changed: b.Changed}
	}})
	if err != nil || len(closed) != 1 || closed[0].State != store.BreakerClosed {
		t.Errorf("%+v, %v", closed, err)
	}
	if all, err := s.Breakers(ctx); err != nil || fmt.Sprint(all) != fmt.Sprint(closed) {
		t.Errorf("\n got %+v, %v\nwant %+v", all, err, closed)
	}
}
