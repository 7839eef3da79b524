package job

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/llm-cli-gateway/gateway/engine/call"
	"github.com/llm-cli-gateway/gateway/engine/catalog"
	"github.com/llm-cli-gateway/gateway/engine/catalog/access"
	"github.com/llm-cli-gateway/gateway/engine/catalog/extract"
	"github.com/llm-cli-gateway/gateway/engine/job/attempts"
	"github.com/llm-cli-gateway/gateway/engine/job/environment"
	"github.com/llm-cli-gateway/gateway/engine/lang"
	"github.com/llm-cli-gateway/gateway/engine/session"
	"github.com/llm-cli-gateway/gateway/engine/store"
	"github.com/llm-cli-gateway/gateway/engine/supervisor"
	"github.com/llm-cli-gateway/gateway/engine/text"
)

// ended is an attempt that has ended, with what decides about what follows.
type ended struct {
	row  store.Job // with its texts not cut; its Outcome is that of the attempt
	out  *call.Completion
	run  *run          // of this gateway, if it made the attempt
	open time.Duration // for how long a breaker lets nothing through
}

// conclude records the end of an attempt, once, and what follows it: the job has ended then,
// or is between two attempts. The error is ErrDone if others were first.
func (r *Runner) conclude(records Store, e *ended) (call.Job, error) {
	ctx := context.Background()
	row, now := &e.row, time.Now()
	cli, _ := r.Current().CLI(row.CLI)
	if cli == nil || row.Mode == program {
		return r.ends(e), r.finish(records, *row)
	}
	step := store.Step{Attempt: attemptOf(row)}
	begun := step.Attempt.Begun
	t := attempts.Try{Job: row.ID, Begun: begun, Class: row.Outcome.ErrorClass, Message: row.Outcome.ErrorMessage}
	var open time.Duration
	step.Breakers, open, step.Attempt.Breaker = r.breakerChanges(records, cli, e, t, now)
	e.open = max(e.open, open)
	plan := planOf(row)
	d := attempts.Next(plan, attempts.LimitsOf(r.Current().Settings.Retry, cli.Retry), r.event(cli, e), now)
	if a := e.out.Answer; a.Failure != nil && d.Kind == attempts.End {
		a.Failure.RetryAfterMs = max(a.Failure.RetryAfterMs, d.After.Milliseconds())
	}
	step.Attempt.Tries, step.Attempt.Effects, step.Attempt.Next = e.out.Answer.Tries, e.out.Answer.Effects == extract.EffectsSome, d.Why
	if d.Kind == attempts.End && row.N() == 1 && len(step.Breakers) == 0 {
		return r.ends(e), r.finish(records, *row)
	}
	if d.Kind != attempts.End {
		step.Attempt.Next, step.Attempt.Wait, step.Next, step.Plan = store.NextRetry, d.Wait, now.Add(d.Wait), text.MustJSON(d.Plan)
		if d.Kind == attempts.Fallback {
			step.Attempt.Next = store.NextFallback
		}
		if err := records.EndAttempt(ctx, row.ID, step); err != nil {
			return r.ends(e), err
		}
		r.opened(ctx, records, step)
		row.Attempt, row.Next, row.Plan, row.Outcome = row.N(), step.Next, step.Plan, store.Outcome{}
		r.proceed(records, *row, e.run, row.Next)
		return r.retrying(ctx, records, *row)
	}
	row.Plan = text.MustJSON(d.Plan)
	if row.N() == 1 {
		step.Attempt.Job = "" // the row says it all
	} else if err := r.total(ctx, records, e); err != nil {
		return r.ends(e), err
	}
	return r.ends(e), r.finishAttempt(ctx, records, row, step)
}

// explain adds to the failure of a job that has ended when it may be made again, and why it was
// not by itself.
func (r *Runner) explain(row store.Job, out *call.Completion) {
	cli, ok := r.Current().CLI(row.CLI)
	f := out.Answer.Failure
	if !ok || f == nil || !out.Answer.Passing {
		return
	}
	switch event := r.effectsOf(cli, &row, out.Answer); {
	case event.Effects == attempts.EffectsSome || event.Effects == attempts.EffectsUnknown && !event.Reads:
		out.Warnings = append(out.Warnings, "it was not tried again by itself, because it may have changed something: look at what was done before you call again")
	case event.Keeps:
		out.Warnings = append(out.Warnings, "it was not tried again by itself, because the conversation may hold the prompt already")
	}
	records, err := r.Record()
	if err != nil {
		return
	}
	list, err := records.Breakers(context.Background(), attempts.Keys(row.CLI, row.Model)...)
	if err != nil {
		return
	}
	for _, b := range list {
		if wait := time.Until(b.Until); b.State == store.BreakerOpen && wait > 0 {
			f.RetryAfterMs = max(f.RetryAfterMs, wait.Milliseconds())
		}
	}
}

// effectsOf is what is known of what an attempt changed.
func (r *Runner) effectsOf(cli *catalog.CLI, row *store.Job, a extract.Answer) (event attempts.Ended) {
	event.Effects = effects[a.Effects]
	if row.Outcome.Ending == store.EndStartFailed {
		event.Effects = attempts.EffectsNone
	}
	event.Keeps = row.Mode != string(lang.New) && cli.Session.Failed != "nothing"
	if known := catalog.AccessIn(row.Args); known != nil {
		event.Reads = known.Level == access.Read.String()
	}
	return event
}

// ends is the job of an attempt after which it has ended.
func (r *Runner) ends(e *ended) call.Job {
	end := e.row.Outcome
	return call.Job{Row: e.row, State: stateOf(end.Ending), Durable: r.durable(e.row), Printed: end.OutBytes + end.ErrBytes}
}

// finishAttempt records the end of a job with that of an attempt, as finish does.
func (r *Runner) finishAttempt(ctx context.Context, records Store, row *store.Job, step store.Step) error {
	if err := r.logCall(ctx, *row); err != nil {
		return err
	}
	cli, _ := r.Current().CLI(row.CLI)
	step.Outcome, step.Turn, step.Plan = row.Outcome, session.Ended(cli, *row), row.Plan
	if t := step.Turn; t != nil && t.Answered && t.Native == "" && row.N() > 1 {
		t.Native = row.SessionID // which each attempt has made up anew
	}
	err := records.EndAttempt(ctx, row.ID, step)
	if err == nil {
		r.opened(ctx, records, step)
	}
	return err
}

// attemptOf is the attempt of a row that has its outcome.
func attemptOf(row *store.Job) store.Attempt {
	o := row.Outcome
	o.Response, o.Model = "", ""
	begun := cmpTime(row.Begun, row.Created)
	if o.Duration = o.Ended.Sub(begun); o.Ended.IsZero() {
		o.Duration = time.Since(begun)
	}
	return store.Attempt{Job: row.ID, N: row.N(), Begun: begun, CLI: row.CLI, CLIVersion: row.CLIVersion, Model: cmp.Or(row.Outcome.Model, row.Model), SessionID: row.SessionID, Outcome: o}
}

// cmpTime is the first of two times that is set.
func cmpTime(a, b time.Time) time.Time {
	if a.IsZero() {
		return b
	}
	return a
}

// planOf is the plan of the job of a row. Without one it has no other targets.
func planOf(row *store.Job) (p attempts.Plan) {
	if len(row.Plan) > 0 && json.Unmarshal(row.Plan, &p) != nil {
		p.Last = true
	}
	return p
}

// event is what an attempt that has ended means for its call.
func (r *Runner) event(cli *catalog.CLI, e *ended) attempts.Ended {
	row, a := &e.row, e.out.Answer
	event := r.effectsOf(cli, row, a)
	event.OK, event.Class, event.Passing = row.Outcome.Ending == store.EndOK, row.Outcome.ErrorClass, a.Passing || neverBegan(row.Outcome)
	event.Open, event.Jitter = e.open, rand.Float64()
	if f := a.Failure; f != nil {
		event.After = time.Duration(f.RetryAfterMs) * time.Millisecond
	}
	if event.OK || event.Effects == attempts.EffectsSome {
		return event
	}
	if e.run == nil || e.run.Bound == nil {
		again, err := r.again(*row)
		if err != nil { // nobody can make the call again
			event.Passing, event.Last = false, true
			return event
		}
		e.run = again
	}
	bound := e.run.Bound
	// An id that the caller chose can be begun once.
	event.Keeps = event.Keeps || row.Mode == string(lang.New) && row.Session == "" && row.SessionID != "" && bound.SessionChoice.ID != ""
	if wall := environment.Limits(e.run.Catalog, bound).Wall; wall > 0 {
		event.Deadline = row.Created.Add(wall)
	}
	return event
}

// neverBegan reports whether a gateway ended before it had started the program, so that to
// start it is safe, and promises more than that what could not be started would now.
func neverBegan(o store.Outcome) bool {
	return o.Ending == store.EndStartFailed && strings.HasPrefix(o.Detail, string(supervisor.NeverStarted))
}

var effects = map[extract.Effects]attempts.Effects{
	extract.EffectsUnknown: attempts.EffectsUnknown, extract.EffectsNone: attempts.EffectsNone, extract.EffectsSome: attempts.EffectsSome,
}

// total adds to the end of a job what its other attempts have used.
func (r *Runner) total(ctx context.Context, records Store, e *ended) error {
	before, err := records.Attempts(ctx, e.row.ID)
	if err != nil {
		return err
	}
	o := &e.row.Outcome
	for _, a := range before {
		o.Use(a.Outcome)
	}
	a := &e.out.Answer
	a.CostUSD = o.CostUSD
	for name, n := range map[string]*int64{
		extract.UsageInput: o.InputTokens, extract.UsageOutput: o.OutputTokens, extract.UsageCacheRead: o.CacheReadTokens,
		extract.UsageCacheWrite: o.CacheWriteTokens, extract.UsageReasoning: o.ReasoningTokens,
	} {
		if n != nil && a.Usage != nil {
			a.Usage[name] = *n
		}
	}
	return nil
}

// breakerChanges are what an attempt that has ended means for the breakers of its CLI and its
// model, for how long they let nothing through then, and the state of the one that is not closed.
func (r *Runner) breakerChanges(records Store, cli *catalog.CLI, e *ended, t attempts.Try, now time.Time) (changes []store.BreakerChange, open time.Duration, state store.BreakerState) {
	row, a := &e.row, e.out.Answer
	limits := attempts.BreakerLimitsOf(r.Current().Settings.Breaker, cli.Breaker)
	keys := attempts.Keys(row.CLI, row.Model)
	known, err := records.Breakers(context.Background(), keys...)
	if err != nil {
		return nil, 0, ""
	}
	blamed := ""
	if a.Passing && row.Outcome.Ending == store.EndError {
		switch {
		case a.Blame == extract.BlameModel && row.Model != "":
			blamed = attempts.ModelKey(row.CLI, row.Model)
		case a.Blame != extract.BlameCall:
			blamed = row.CLI
		}
	}
	for _, key := range keys {
		b := store.Breaker{Key: key, State: store.BreakerClosed}
		if i := slices.IndexFunc(known, func(b store.Breaker) bool { return b.Key == key }); i >= 0 {
			b = known[i]
		}
		change := func(b store.Breaker) store.Breaker {
			switch {
			case row.Outcome.Ending == store.EndOK:
				return attempts.Succeeded(b, t, now)
			case row.Outcome.Ending == store.EndLost:
				return attempts.Lost(b, limits, t, now)
			case key == blamed:
				return attempts.Failed(b, limits, t, now)
			}
			return attempts.Vanished(b, t, now)
		}
		after := change(b)
		if after != b {
			changes = append(changes, store.BreakerChange{Key: key, Change: change})
		}
		if after.State == store.BreakerOpen && after.Until.After(now) {
			open = max(open, after.Until.Sub(now))
		}
		if state == "" || state == store.BreakerClosed {
			state = after.State
		}
	}
	return changes, open, state
}

// admit asks the breakers of the CLI and the model of a call whether an attempt may begin. The
// failure says when it may.
func (r *run) admit(ctx context.Context) *lang.Failure {
	ctx = context.WithoutCancel(ctx) // the job is on record
	cli := r.Bound.CLI
	keys := attempts.Keys(cli.Name, r.row.Model)
	known, err := r.records.Breakers(ctx, keys...)
	if err != nil {
		return r.recordFailure(ctx, err)
	}
	limits := attempts.BreakerLimitsOf(r.Catalog.Settings.Breaker, cli.Breaker)
	for _, b := range known {
		lives := b.Trial != "" && r.lives(ctx, b.Trial)
		var wait time.Duration
		change := func(b store.Breaker) (after store.Breaker) {
			after, wait = attempts.Admit(b, limits, r.id, lives, time.Now())
			return after
		}
		if change(b) != b {
			if _, err := r.records.ChangeBreakers(ctx, store.BreakerChange{Key: b.Key, Change: change}); err != nil {
				return r.recordFailure(ctx, err)
			}
		}
		if wait > 0 {
			r.closed = wait
			return breakerFailure(b, cli, wait)
		}
	}
	return nil
}

// lives reports whether a job has not ended, of a breaker that waits for it.
func (r *Runner) lives(ctx context.Context, id string) bool {
	records, err := r.Record()
	if err != nil {
		return true
	}
	row, err := records.Job(ctx, store.AnyPrincipal, id)
	if err != nil {
		return !errors.Is(err, store.ErrNotFound)
	}
	job, err := r.status(ctx, records, row)
	return err != nil || !job.State.Ended()
}

func breakerFailure(b store.Breaker, cli *catalog.CLI, wait time.Duration) *lang.Failure {
	what := "calls of " + cli.DisplayName()
	if b.Key != cli.Name {
		what += " with this model"
	}
	return &lang.Failure{Class: lang.ClassBreaker, Retryable: true, RetryAfterMs: wait.Milliseconds(),
		Message: fmt.Sprintf("%d %s failed in a row, the last with %s: %s; nothing was run", b.Failures, what, b.Class, text.Head(text.OneLine(b.Message), 200)),
		Hint:    fmt.Sprintf("call again in %s, or use another model or CLI; `gateway breaker reset %s` lets calls through at once", wait.Round(time.Second), b.Key)}
}

// opened ends the queued jobs of a breaker that a step has opened: they would fail as well.
func (r *Runner) opened(ctx context.Context, records Store, step store.Step) {
	if step.Attempt.Breaker != store.BreakerOpen {
		return
	}
	f := store.Filter{Principal: store.AnyPrincipal, CLI: step.Attempt.CLI, State: store.Live, Limit: 500}
	rows, err := records.Jobs(ctx, f)
	if err != nil { // they will find out by themselves
		return
	}
	for _, row := range rows {
		if row.ID == step.Attempt.Job || row.Between() || row.Waits() {
			continue
		}
		x, err := r.executor().find(row.ID)
		if err != nil {
			continue
		}
		if now, err := x.status(); err == nil && now.phase == supervisor.Queued {
			_ = x.cancel(byBreaker)
		}
	}
}
