package job

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"

	"github.com/llm-cli-gateway/gateway/engine/call"
	"github.com/llm-cli-gateway/gateway/engine/catalog"
	"github.com/llm-cli-gateway/gateway/engine/catalog/extract"
	"github.com/llm-cli-gateway/gateway/engine/job/attempts"
	"github.com/llm-cli-gateway/gateway/engine/job/environment"
	"github.com/llm-cli-gateway/gateway/engine/job/outcome"
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
	step := store.Step{Attempt: attempts.Of(row)}
	var open time.Duration
	step.Breakers, open, step.Attempt.Breaker = attempts.Heard(records, attempts.BreakerLimitsOf(r.Current().Settings.Breaker, cli.Breaker), row, e.out.Answer, now)
	e.open = max(e.open, open)
	plan := attempts.PlanOf(row)
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
			if t := d.Plan.Asked(); t != nil && t.CLI != "" { // its session is begun by the next call, if any
				step.Turn, step.Outcome = session.Ended(cli, *row), row.Outcome
			}
		}
		if err := records.EndAttempt(ctx, row.ID, step); err != nil {
			return r.ends(e), err
		}
		r.opened(ctx, records, step)
		if r.Failed != nil {
			r.Failed(*row, step.Attempt)
		}
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
	if records, err := r.Record(); err == nil {
		out.Warnings = append(out.Warnings, attempts.Explain(records, &row, out.Answer, keeps(cli))...)
	}
}

// keeps reports whether a conversation of a CLI keeps what a turn said that failed.
func keeps(cli *catalog.CLI) bool { return cli.Session.Failed != "nothing" }

// ends is the job of an attempt after which it has ended.
func (r *Runner) ends(e *ended) call.Job {
	end := e.row.Outcome
	return call.Job{Row: e.row, State: call.StateOf(end.Ending), Durable: r.durable(e.row), Printed: end.OutBytes + end.ErrBytes}
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
		r.tellEnded(*row)
	}
	return err
}

// event is what an attempt that has ended means for its call.
func (r *Runner) event(cli *catalog.CLI, e *ended) attempts.Ended {
	row, a := &e.row, e.out.Answer
	event := attempts.EventOf(row, a, keeps(cli))
	event.Open, event.Jitter = e.open, rand.Float64()
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

// total adds to the end of a job what its other attempts have used.
func (r *Runner) total(ctx context.Context, records Store, e *ended) error {
	before, err := records.Attempts(ctx, e.row.ID)
	if err == nil {
		outcome.Total(before, &e.row.Outcome, &e.out.Answer)
	}
	return err
}

// admit asks the breakers of the CLI and the model of a call whether an attempt may begin. The
// failure says when it may.
func (r *run) admit(ctx context.Context) *lang.Failure {
	ctx = context.WithoutCancel(ctx) // the job is on record
	cli := r.Bound.CLI
	wait, by, err := attempts.Ask(ctx, r.records, attempts.Keys(cli.Name, r.row.Model), attempts.BreakerLimitsOf(r.Catalog.Settings.Breaker, cli.Breaker), r.id, r.lives)
	if err != nil {
		return r.recordFailure(ctx, err)
	}
	if wait <= 0 {
		return nil
	}
	r.closed = wait
	return attempts.Refusal(by, cli.Name, cli.DisplayName(), wait)
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
			_ = x.Cancel(byBreaker)
		}
	}
}
