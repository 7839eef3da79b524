package job

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/llm-cli-gateway/gateway/engine/call"
	"github.com/llm-cli-gateway/gateway/engine/job/attempts"
	"github.com/llm-cli-gateway/gateway/engine/lang"
	"github.com/llm-cli-gateway/gateway/engine/store"
)

// tried is a CLI whose failures may pass, and whose records tell of tools.
const tried = `
	output: {format: "jsonl", end: "event.result != nil", text: "event.result", error: "event.error", cost: "event.cost", effects: "event.tool != nil", tries: "event.again != nil"}
	session: {id: "^[a-z0-9][a-z0-9-]*$", create: ["continue={id}"], resume: ["continue={id}"], capture: "event.id"}
	argv: ["{session}", "{do}"]
	failure: [
		{class: "busy", when: "exit == 75", retry: true},
		{class: "slow", when: "exit == 76", retry: afterMs: "7200000"},
		{class: "overloaded", when: "exit == 77", retry: true, scope: "model"},
		{class: "auth", when: "exit == 78"},
		{class: "later", when: "exit == 79", retry: afterMs: "400"},
	]
`

// patient waits for as long as a program asks for.
const patient = "retry: maxAfterMs: 86400000\n"

// soon makes the next attempt start at once.
const soon = "retry: {baseMs: 1, maxMs: 1}\n"

// times are the steps of a program that fails so often with an exit code, and then answers.
func (b *fixture) times(n, exit int, before ...string) call.Request {
	steps := append([]string{"nth=" + filepath.Join(b.home, "runs")}, before...)
	steps = append(steps, fmt.Sprintf("upto=%d exit=%d", n, exit), `out={"result":"fine","cost":0.5,"id":"conv-1"}`+"\n")
	return b.again(b.request(steps...), map[string]any{"do": steps})
}

// again gives a request the arguments as they were sent, by which another gateway makes it again.
func (b *fixture) again(req call.Request, args map[string]any) call.Request {
	args["prompt"] = "hello"
	req.Args, _ = json.Marshal(args)
	return req
}

func (b *fixture) runs() int {
	info, err := os.Stat(filepath.Join(b.home, "runs"))
	if err != nil {
		return 0
	}
	return int(info.Size())
}

func (b *fixture) attempts(id string) []store.Attempt {
	b.t.Helper()
	list, err := b.store.Attempts(b.t.Context(), id)
	if err != nil {
		b.t.Fatal(err)
	}
	return list
}

func TestAttempts(t *testing.T) {
	tool := `out={"tool":"write"}` + "\n"
	for name, c := range map[string]struct {
		spec         string
		fails, exit  int
		before       []string
		runs         int
		class        string
		why          string
		retryAfterMs int64
	}{
		"answers at once":               {runs: 1},
		"passes after two":              {fails: 2, exit: 75, runs: 3},
		"never passes":                  {fails: 9, exit: 75, runs: 5, class: "busy", why: attempts.WhyAttempts, spec: soon + "breaker: failures: 0"},
		"as many as the spec says":      {fails: 9, exit: 75, runs: 3, class: "busy", why: attempts.WhyAttempts, spec: soon + "retry: attempts: 3"},
		"tries again by itself":         {fails: 9, exit: 75, runs: 2, class: "busy", why: attempts.WhyAttempts, spec: soon + "retry: own: true"},
		"by class":                      {fails: 9, exit: 75, runs: 1, class: "busy", spec: soon + "retry: classes: busy: attempts: 1"},
		"does not pass":                 {fails: 9, exit: 78, runs: 1, class: "auth"},
		"too long a wait":               {fails: 9, exit: 76, runs: 1, class: "slow", retryAfterMs: 7200000},
		"a tool has begun":              {fails: 9, exit: 75, before: []string{tool}, runs: 1, class: "busy"},
		"a record cannot be read":       {fails: 9, exit: 75, before: []string{`out={"to`}, runs: 1, class: "busy"},
		"its own tries are no effects":  {fails: 1, exit: 75, before: []string{`out={"again":1}` + "\n"}, runs: 2},
		"the breaker opens meanwhile":   {fails: 9, exit: 75, runs: 2, class: "busy", why: attempts.WhyBreaker, spec: soon + "breaker: {failures: 2, openMs: 60000}", retryAfterMs: 60000},
		"the call has no time for more": {fails: 9, exit: 76, runs: 1, class: "slow", spec: patient + "timeouts: wallMs: 1000", retryAfterMs: 7200000},
	} {
		t.Run(name, func(t *testing.T) {
			b := newFixture(t, tried+cmp.Or(c.spec, soon))
			out := b.runner.Run(t.Context(), b.times(c.fails, c.exit, c.before...))
			if class(out) != c.class || b.runs() != c.runs {
				t.Fatalf("%+v after %d runs", out.Answer.Failure, b.runs())
			}
			row, made := b.row(out), b.attempts(out.ID)
			if c.class != "" && (out.Answer.Failure.RetryAfterMs > c.retryAfterMs || out.Answer.Failure.RetryAfterMs < c.retryAfterMs-30_000) {
				t.Errorf("again after %d ms", out.Answer.Failure.RetryAfterMs)
			}
			if row.Outcome.ErrorClass != c.class || row.N() != c.runs {
				t.Errorf("row: attempt %d, %+v", row.N(), row.Outcome)
			}
			if c.runs == 1 {
				if len(made) != 0 {
					t.Errorf("attempts: %+v", made)
				}
				return
			}
			if len(made) != c.runs {
				t.Fatalf("%d attempts on record: %+v", len(made), made)
			}
			seen := map[string]bool{}
			for i, a := range made {
				last := i == len(made)-1
				if a.N != i+1 || a.CLI != "acme" || seen[a.SessionID] || !last && (a.Next != store.NextRetry || a.Outcome.ErrorClass == "") || last && a.Next != c.why {
					t.Errorf("attempt %+v", a)
				}
				seen[a.SessionID] = true
			}
			if list, err := b.store.FindSessions(t.Context(), store.Local, "acme", "conv-1"); c.class == "" && (err != nil || len(list) != 1 || list[0].Turns != 1) {
				t.Errorf("session: %+v, %v", list, err)
			}
		})
	}
}

// TestAttemptsAreShown: who waits is told, who joins gets the answer of the last, and what the
// failed ones cost counts.
func TestAttemptsAreShown(t *testing.T) {
	b := newFixture(t, tried+patient)
	b.catalog.Settings.Jobs.DedupMs = 3_600_000
	req := b.times(1, 76, `out={"cost":0.25}`+"\n")
	job, failure := b.runner.send(t.Context(), req)
	if failure != nil {
		t.Fatal(failure)
	}
	var shown call.Job
	until(t, "a wait for the second attempt", func() bool {
		var err error
		shown, err = b.runner.Status(t.Context(), store.Local, job.Row.ID)
		return err == nil && shown.State == call.Retrying
	})
	if len(shown.Attempts) != 1 || shown.Attempts[0].Outcome.ErrorClass != "slow" || !strings.Contains(call.Again(shown), "attempt 1 failed (slow:") || !strings.Contains(call.Again(shown), "attempt 2 starts in ") {
		t.Errorf("%q, %+v", call.Again(shown), shown.Attempts)
	}
	joined, failure := b.runner.send(t.Context(), b.times(1, 76, `out={"cost":0.25}`+"\n"))
	if failure != nil || !joined.Joined || joined.Row.ID != job.Row.ID || joined.State != call.Retrying {
		t.Errorf("%s, %v, %v, %v", joined.State, joined.Joined, joined.Notes, failure)
	}
	if waited, err := b.runner.Await(t.Context(), store.Local, job.Row.ID, time.Millisecond); err != nil || waited.State != call.Retrying {
		t.Errorf("%s, %v", waited.State, err)
	}
	if list, err := b.runner.List(t.Context(), Filter{Principal: store.Local, State: call.Retrying}); err != nil || len(list) != 1 {
		t.Errorf("%d listed, %v", len(list), err)
	}
	ended, err := b.runner.Cancel(t.Context(), store.Local, job.Row.ID, "enough", time.Minute)
	if err != nil || ended.State != call.Canceled || b.runs() != 1 {
		t.Errorf("%s, %v", ended.State, err)
	}
	if row, err := b.store.Job(t.Context(), store.Local, job.Row.ID); err != nil || row.Outcome.Ending != store.EndCanceled || *row.Outcome.CostUSD != 0.25 {
		t.Errorf("%+v, %v", row.Outcome, err)
	}
}

func TestWhatFailedAttemptsCostCounts(t *testing.T) {
	b := newFixture(t, tried+soon)
	out := b.runner.Run(t.Context(), b.times(2, 75, `upto=2 out={"cost":0.25}`+"\n"))
	if out.Answer.Failure != nil || out.Answer.CostUSD == nil || *out.Answer.CostUSD != 1 {
		t.Errorf("%+v", out.Answer)
	}
	if row := b.row(out); *row.Outcome.CostUSD != 1 {
		t.Errorf("%v", *row.Outcome.CostUSD)
	}
}

// TestAnotherGatewayGoesOn: the gateway stops between two attempts, and another one makes the
// next, once, whichever of them looks.
func TestAnotherGatewayGoesOn(t *testing.T) {
	b := newFixture(t, tried+soon)
	job, failure := b.runner.send(t.Context(), b.times(1, 79))
	if failure != nil {
		t.Fatal(failure)
	}
	until(t, "the end of the first attempt", func() bool {
		row, err := b.store.Job(t.Context(), store.Local, job.Row.ID)
		return err == nil && row.Between()
	})
	b.runner.Close()
	var others []*fixture
	for range 3 {
		others = append(others, newFixtureIn(t, b.home, tried+soon))
	}
	var all sync.WaitGroup
	for _, o := range others {
		o.dir = b.dir
		all.Go(func() {
			ended, err := o.runner.Await(context.Background(), store.Local, job.Row.ID, 30*time.Second)
			if err != nil || ended.State != call.Completed || o.runner.Completion(ended).Answer.Text != "fine" {
				t.Errorf("%s, %v, %+v", ended.State, err, ended.Row.Outcome)
			}
		})
	}
	if all.Wait(); b.runs() != 2 {
		t.Errorf("%d runs", b.runs())
	}
	if made := b.attempts(job.Row.ID); len(made) != 2 || made[0].SessionID == made[1].SessionID {
		t.Errorf("%+v", made)
	}
}

// TestBreakerKeepsCallsOut: after as many failures as the spec says no program is started, a
// trial is after a while, and what it comes to counts.
func TestBreakerKeepsCallsOut(t *testing.T) {
	b := newFixture(t, tried+soon+"retry: attempts: 1\n breaker: {failures: 2, openMs: 60000}")
	for range 2 {
		if out := b.runner.Run(t.Context(), b.times(9, 75)); class(out) != "busy" {
			t.Fatal(out.Answer.Failure)
		}
	}
	out := b.runner.Run(t.Context(), b.times(9, 75))
	if f := out.Answer.Failure; class(out) != lang.ClassBreaker || f.RetryAfterMs <= 0 || !f.Retryable || !strings.Contains(f.Hint, "breaker reset acme") || b.runs() != 2 {
		t.Fatalf("%+v after %d runs", f, b.runs())
	}
	if row := b.row(out); row.Outcome.Ending != store.EndStartFailed || row.Outcome.ErrorClass != lang.ClassBreaker {
		t.Errorf("%+v", row.Outcome)
	}
	due := func() {
		if _, err := b.store.ChangeBreakers(t.Context(), store.BreakerChange{Key: "acme", Change: func(b store.Breaker) store.Breaker { b.Until = time.Now(); return b }}); err != nil {
			t.Fatal(err)
		}
	}
	due()
	if out := b.runner.Run(t.Context(), b.times(9, 75)); class(out) != "busy" || b.runs() != 3 {
		t.Errorf("the trial: %+v after %d runs", out.Answer.Failure, b.runs())
	}
	if out := b.runner.Run(t.Context(), b.times(9, 75)); class(out) != lang.ClassBreaker {
		t.Errorf("after a trial that failed: %+v", out.Answer.Failure)
	}
	due()
	if out := b.runner.Run(t.Context(), b.times(0, 75)); out.Answer.Text != "fine" {
		t.Errorf("the second trial: %+v", out.Answer.Failure)
	}
	if out := b.runner.Run(t.Context(), b.times(9, 78)); class(out) != "auth" {
		t.Errorf("after a trial that succeeded: %+v", out.Answer.Failure)
	}
	if list, err := b.store.Breakers(t.Context()); err != nil || len(list) != 1 || list[0].State != store.BreakerClosed || list[0].Failures != 0 {
		t.Errorf("%+v, %v", list, err)
	}
}

// TestLostTrial: the job of the trial was lost without a word to the breaker. The next call is
// the trial then.
func TestLostTrial(t *testing.T) {
	b := newFixture(t, tried+soon)
	half := store.Breaker{Key: "acme", State: store.BreakerHalfOpen, Failures: 5, Trial: store.NewID(), Until: time.Now().Add(time.Hour), Changed: time.Now()}
	if _, err := b.store.ChangeBreakers(t.Context(), store.BreakerChange{Key: "acme", Change: func(store.Breaker) store.Breaker { return half }}); err != nil {
		t.Fatal(err)
	}
	if out := b.runner.Run(t.Context(), b.times(0, 0)); out.Answer.Text != "fine" {
		t.Errorf("%+v", out.Answer.Failure)
	}
}

// TestQueuedJobsHearOfTheBreaker: they would fail as well, and are not started.
func TestQueuedJobsHearOfTheBreaker(t *testing.T) {
	b := newFixture(t, tried+soon+"retry: attempts: 1\n breaker: {failures: 1}\n concurrency: 1")
	step, open := b.gate()
	first, failure := b.runner.send(t.Context(), b.times(9, 75, step))
	if failure != nil {
		t.Fatal(failure)
	}
	var queued []string
	for i, step := range []string{"sleep", "out=never"} { // the first of them may be started before the breaker opens
		job, failure := b.runner.send(t.Context(), b.again(b.request(step, fmt.Sprint("out=", i)), map[string]any{}))
		if failure != nil || job.State != call.Queued {
			t.Fatalf("%+v, %v", job.State, failure)
		}
		queued = append(queued, job.Row.ID)
	}
	open()
	for id, want := range map[string]string{first.Row.ID: "busy", queued[1]: lang.ClassBreaker} {
		ended, err := b.runner.Await(t.Context(), store.Local, id, 30*time.Second)
		if err != nil || ended.Row.Outcome.ErrorClass != want {
			t.Errorf("%s: %v, %+v", want, err, ended.Row.Outcome)
		}
	}
	if _, err := b.runner.Cancel(t.Context(), store.Local, queued[0], "the test is over", time.Minute); err != nil {
		t.Error(err)
	}
}

// TestModelBreaker: a failure of a model keeps calls of that model out.
func TestModelBreaker(t *testing.T) {
	b := newFixture(t, strings.Replace(tried, `argv: ["{session}", "{do}"]`, "", 1)+soon+`retry: attempts: 1
	breaker: {failures: 1}
	params: model: {doc: "Model", type: "string", flag: "--model"}
	argv: ["{params}", "{session}", "{do}"]`)
	with := func(model string) call.Completion {
		req := b.times(9, 77)
		req.Bound = b.bind("hello", map[string]any{"model": model, "do": []string{"exit=77"}})
		return b.runner.Run(t.Context(), req)
	}
	for _, step := range [][2]string{{"small", "overloaded"}, {"small", lang.ClassBreaker}, {"large", "overloaded"}, {"large", lang.ClassBreaker}} {
		if out := with(step[0]); class(out) != step[1] {
			t.Errorf("%v: %+v", step, out.Answer.Failure)
		}
	}
}
