package job

import (
	"cmp"
	"context"
	"errors"
	"io/fs"
	"slices"
	"time"

	"github.com/llm-cli-gateway/gateway/engine/call"
	"github.com/llm-cli-gateway/gateway/engine/job/early"
	"github.com/llm-cli-gateway/gateway/engine/job/environment"
	"github.com/llm-cli-gateway/gateway/engine/job/leave"
	"github.com/llm-cli-gateway/gateway/engine/job/nesting"
	"github.com/llm-cli-gateway/gateway/engine/job/outcome"
	"github.com/llm-cli-gateway/gateway/engine/session"
	"github.com/llm-cli-gateway/gateway/engine/store"
	"github.com/llm-cli-gateway/gateway/engine/supervisor"
)

// cancelWait is how long a cancellation is waited for: the usual grace and a bit more.
const cancelWait = 8 * time.Second

// Await waits until a job of a principal has ended, for d at most, and returns its status then.
// The end of ctx ends the wait, not the job.
func (r *Runner) Await(ctx context.Context, principal, id string, d time.Duration) (call.Job, error) {
	job, err := r.Status(ctx, principal, id)
	if err != nil || d <= 0 || job.State.Ended() {
		return job, err
	}
	return r.Wait(ctx, job, d)
}

// Wait is Await for a job whose status is known; 0 means without a limit.
func (r *Runner) Wait(ctx context.Context, job call.Job, d time.Duration) (call.Job, error) {
	if job.State.Ended() {
		return job, nil
	}
	if job.State.Idle() {
		return r.waitStarted(ctx, job, d)
	}
	began := time.Now()
	var late <-chan time.Time
	if d > 0 {
		timer := time.NewTimer(d)
		defer timer.Stop()
		late = timer.C
	}
	id, stop, done := job.Row.ID, ctx.Done(), make(chan struct{})
	var ended <-chan struct{}
	h := job.Handle
	x, err := r.executor().find(id)
	if h == nil && err == nil {
		h = x.handle()
	}
	switch {
	case h != nil:
		ended = h.Done()
	case err != nil:
		return r.Status(context.WithoutCancel(ctx), job.Row.Principal, id)
	default:
		seen := make(chan struct{})
		ended = seen
		go func() {
			defer close(seen)
			x.wait(done)
		}()
		if cli, ok := r.Current().CLI(job.Row.CLI); ok && job.Row.Mode != program {
			go early.End(x, cli.At(job.Row.CLIVersion), done)
		}
	}
	defer close(done)
	select {
	case <-ended:
	case <-stop:
	case <-late:
	}
	if h != nil {
		select {
		case <-h.Done():
			if last, seen := h.Last(); seen {
				if last.Joined = job.Joined; last.State == call.Retrying {
					return r.waitStarted(ctx, last, remaining(d, began))
				}
				return last, nil
			}
		default:
		}
	}
	again, err := r.Status(context.WithoutCancel(ctx), job.Row.Principal, id)
	if err != nil && r.live(&job) { // it has a record of its own, which says so
		return job, nil
	}
	again.Joined = job.Joined
	if again.State == call.Retrying && err == nil {
		return r.waitStarted(ctx, again, remaining(d, began))
	}
	again.Handle = job.Handle
	return again, err
}

// waitStarted is Wait for a job of which nothing runs, because a person has to decide or its
// next attempt has to wait.
func (r *Runner) waitStarted(ctx context.Context, job call.Job, d time.Duration) (call.Job, error) {
	began := time.Now()
	job, err := r.Decided(ctx, job, d)
	if err != nil || job.State.Idle() || ctx.Err() != nil {
		return job, err
	}
	return r.Wait(ctx, job, remaining(d, began))
}

// remaining is what is left of a wait; 0 is one without an end.
func remaining(d time.Duration, began time.Time) time.Duration {
	if d <= 0 {
		return d
	}
	return max(time.Millisecond, d-time.Since(began))
}

// live reports whether a job is under way by what its directory says, and updates its
// state.
func (r *Runner) live(job *call.Job) bool {
	x, err := r.executor().find(job.Row.ID)
	if err != nil {
		return false
	}
	now, err := x.status()
	switch {
	case err == nil && now.phase == supervisor.Queued:
		job.State = call.Queued
	case err == nil && now.phase == supervisor.Running:
		job.State = call.Running
	default:
		return false
	}
	job.Pid, job.Canceling = now.pid, now.canceling
	return true
}

// Completion is the result of a job that has ended.
func (r *Runner) Completion(job call.Job) call.Completion {
	out := r.recorded(job.Row)
	if job.Completion != nil {
		out = *job.Completion
	} else if x, err := r.executor().find(job.Row.ID); err == nil {
		if read, ok := x.completion(job.Row); ok {
			read.ID, read.Duration = out.ID, out.Duration
			if out = read; job.Row.State == store.Done {
				outcome.SetFigures(&out.Answer, job.Row.Outcome)
			}
		}
	}
	r.explain(job.Row, &out)
	out.Warnings = slices.Concat(out.Warnings, job.Notes)
	name := job.Row.CLI
	cli, ok := r.Current().CLI(name)
	if ok {
		name = cli.DisplayName()
	}
	if records, err := r.Record(); err == nil {
		out.Warnings = append(out.Warnings, session.Uncertain(records, name, job.Row)...)
	}
	if ok {
		out.Warnings = append(out.Warnings, environment.KeyWarnings(r.Host, cli, out.Answer.Keys)...)
	}
	if cli, ok := r.Current().CLI(job.Row.CLI); ok && job.Row.Mode != program {
		out.Account = environment.Payer(r.Host, r.Current(), cli, out.Answer.Keys)
	}
	return out
}

// Cancel asks for the end of a job of a principal, of all that it started and of the jobs that it asked
// gateways for, and waits for it, for d at most. A job that has ended stays as it is. One
// of which the record cannot be read is ended all the same where the user of this machine
// asks, who could end its process as well, and the error is the record's.
func (r *Runner) Cancel(ctx context.Context, principal, id, by string, d time.Duration) (call.Job, error) {
	job, err := r.Status(ctx, principal, id)
	if none := (*NoJobError)(nil); errors.As(err, &none) || err == nil && job.State.Ended() || err != nil && principal != store.Local {
		return job, err
	}
	if failed := r.cancel(ctx, id, by, 0); err == nil {
		err = failed
	}
	if err != nil {
		return job, err
	}
	if d <= 0 {
		return r.Status(ctx, principal, id)
	}
	return r.Wait(ctx, job, d)
}

func (r *Runner) cancel(ctx context.Context, id, by string, depth int) error {
	if ended, err := r.cancelBetween(ctx, id); ended {
		return err
	}
	x, err := r.executor().find(id)
	switch {
	case errors.Is(err, fs.ErrNotExist) || errors.Is(err, supervisor.ErrUnsupported):
		return r.cancelWaiting(ctx, id, by)
	case err != nil:
		return err
	}
	if err := x.Cancel(by); err != nil {
		return err
	}
	records, err := r.Record()
	if err != nil || depth == nesting.MaxDepth {
		return err
	}
	f := store.Filter{Principal: store.AnyPrincipal, ParentID: id, State: store.Live, Limit: 500}
	for {
		rows, err := records.Jobs(ctx, f)
		if err != nil {
			return err
		}
		for _, row := range rows {
			f.Before = row.ID
			// A job that cannot be canceled from here must not prevent the others from being canceled.
			if e := r.cancel(ctx, row.ID, "the job "+id+" was canceled", depth+1); e != nil && !errors.Is(e, ErrElsewhere) {
				err = e
			}
		}
		if err != nil || len(rows) < f.Limit {
			return err
		}
	}
}

// cancelWaiting ends a job that waits for a person. The error is ErrElsewhere if it does not.
func (r *Runner) cancelWaiting(ctx context.Context, id, by string) error {
	records, err := r.Record()
	if err != nil {
		return err
	}
	row, err := records.Job(ctx, store.AnyPrincipal, id)
	if err != nil || !row.Waits() {
		return cmp.Or(err, ErrElsewhere)
	}
	_, err = r.endWaiting(ctx, records, row, call.Abandoned)
	if other := (*NotWaitingError)(nil); errors.As(err, &other) {
		if err = nil; !other.Job.State.Ended() { // it was started just now
			err = r.cancel(ctx, id, by, nesting.MaxDepth)
		}
	}
	return err
}

// Abandon is for a job whose caller does not wait any more because ctx has ended. If
// the caller's user wanted that, it is canceled, unless its spec says otherwise or it is
// shared with another caller; in all other cases it goes on.
func (r *Runner) Abandon(ctx context.Context, job call.Job) (call.Job, error) {
	reason, wanted := leave.Wanted(r.Current(), &job, context.Cause(ctx))
	detached := context.WithoutCancel(ctx)
	if !wanted {
		return r.Status(detached, job.Row.Principal, job.Row.ID)
	}
	if joins, err := r.Joins(detached, job.Row.Principal, job.Row.ID); job.State == call.Waiting && (err != nil || len(joins) > 0) {
		return r.Status(detached, job.Row.Principal, job.Row.ID)
	}
	if x, err := r.executor().find(job.Row.ID); err == nil && x.mark(markAbandoned) != markAbandoned {
		return r.Status(detached, job.Row.Principal, job.Row.ID)
	}
	return r.Cancel(detached, job.Row.Principal, job.Row.ID, reason, cancelWait)
}
