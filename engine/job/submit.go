package job

import (
	"context"

	"github.com/llm-cli-gateway/gateway/engine/call"
	"github.com/llm-cli-gateway/gateway/engine/job/environment"
	"github.com/llm-cli-gateway/gateway/engine/job/queue"
	"github.com/llm-cli-gateway/gateway/engine/lang"
)

// Submit starts a call as a job, or joins the same call if that is under way or was
// answered lately. When it returns, the program runs, or waits in the queue, and goes
// on whatever happens to this gateway, unless Job.Durable is false. With a failure
// nothing runs; the Job has an ID then if the attempt is on record.
func (r *Runner) Submit(ctx context.Context, req *call.Request) (call.Job, *lang.Failure) {
	r.running.Add(1)
	defer r.running.Done()
	return r.newRun(*req).submit(ctx)
}

func (r *run) submit(ctx context.Context) (call.Job, *lang.Failure) {
	if failure := r.validate(ctx); failure != nil {
		return call.Job{}, failure
	}
	if failure := r.open(ctx); failure != nil {
		return call.Job{}, failure
	}
	if failure := r.checkNesting(ctx); failure != nil {
		return call.Job{}, failure
	}
	r.depth = len(r.outer(ctx, r.records))
	return r.begin(ctx)
}

// begin makes the row of the call and starts its program, or joins an equal call. It keeps
// to an order: what the job needs is prepared before there is a row, so that nobody takes a
// job that is being started for a lost one; and nothing runs without a row.
func (r *run) begin(ctx context.Context) (call.Job, *lang.Failure) {
	x := r.executor()
	var failure *lang.Failure
	folder, err := x.folder(r)
	if err != nil {
		failure = environment.StartFailure(err)
	} else {
		failure = r.buildCommand(folder)
	}
	if failure != nil && failure.Class == lang.ClassUsage {
		return call.Job{}, failure
	}
	r.setDedupKey()
	if failure == nil {
		if joined, failure := r.join(ctx); joined != nil || failure != nil {
			return r.recordJoin(ctx, joined), failure
		}
	}
	r.buildRow()
	if failure == nil && r.Asked != nil {
		if _, failure = environment.Program(r.Host, r.Bound.CLI, r.command.Bin); failure == nil { // else there is nothing to ask about
			return r.beginWaiting(ctx)
		}
	}
	var prepared preparation
	if failure == nil {
		prepared, failure = x.prepare(r)
	}
	drop := func(failure *lang.Failure) *lang.Failure {
		if prepared != nil {
			if err := prepared.discard(); err != nil && failure != nil {
				failure.Message += "; what was prepared is left behind: " + err.Error()
			}
		}
		return failure
	}
	defer queue.LockTurn(ctx, r.Pools, r.Bound.CLI.Name, r.Bound.Session)()
	if joined, failure := r.accept(ctx); joined != nil || failure != nil {
		return r.recordJoin(ctx, joined), drop(failure)
	}
	r.warnOfSameTree(ctx)
	var job call.Job
	if failure == nil {
		failure = r.admit(ctx)
	}
	if failure == nil {
		if job, err = prepared.start(r); err != nil {
			failure = environment.NotStarted(r.Bound.CLI, err)
		}
	}
	if failure != nil {
		if job = r.recordStartFailure(failure); job.State == call.Retrying { // or somebody else is asked
			drop(nil)
			return job, nil
		}
		return job, drop(failure)
	}
	if job.State == call.Queued {
		job.Position = r.position(ctx, r.records, job)
	}
	return job, nil
}
