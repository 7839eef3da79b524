package job

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"time"

	"github.com/llm-cli-gateway/gateway/engine/call"
	"github.com/llm-cli-gateway/gateway/engine/job/environment"
	"github.com/llm-cli-gateway/gateway/engine/job/jobdir"
	"github.com/llm-cli-gateway/gateway/engine/job/queue"
	"github.com/llm-cli-gateway/gateway/engine/job/storedcall"
	"github.com/llm-cli-gateway/gateway/engine/lang"
	"github.com/llm-cli-gateway/gateway/engine/store"
)

// launch starts a job that waited and was released, as begin starts one that did not wait:
// what it needs is prepared first, then its row says that it runs, of which one of all who
// try it succeeds. With a failure it ends as one that could not be started.
func (r *run) launch(ctx context.Context, failure *lang.Failure) (call.Job, error) {
	row, err := r.records.Job(ctx, store.AnyPrincipal, r.id)
	if err != nil || !row.Waits() || !row.Waiting.Released {
		return r.now(ctx, err)
	}
	x := r.executor()
	if failure == nil {
		failure = r.rebuild(x)
	}
	if failure == nil {
		r.buildRow()
		r.row.ParentID, r.row.DedupKey, r.row.Approval, r.row.Waiting = row.ParentID, row.DedupKey, row.Approval, store.Waiting{Holder: row.Waiting.Holder, Question: row.Waiting.Question}
	} else {
		r.row = row
	}
	if a := call.ReadApproval(row.Approval); a != nil && r.Decisions != nil {
		if err := r.Decisions.RecordDecision(ctx, a.Row(row)); err != nil && failure == nil {
			failure = &lang.Failure{Class: lang.ClassRecord, Message: "nothing was run: the decision about the call cannot be recorded: " + err.Error()}
		}
	}
	var prepared preparation
	if failure == nil {
		jobdir.RemoveUnstarted(filepath.Join(r.folder(), r.id))
		defer queue.LockTurn(ctx, r.Pools, r.Bound.CLI.Name, r.Bound.Session)()
		prepared, failure = x.prepare(r)
	}
	drop := func() {
		if prepared != nil {
			_ = prepared.discard() // what is left has no row, and is found by that
		}
	}
	if err := r.records.StartWaiting(context.WithoutCancel(ctx), r.row); err != nil {
		drop()
		if errors.Is(err, store.ErrNotWaiting) {
			err = nil
		}
		return r.now(ctx, err)
	}
	os.Remove(storedcall.Path(r.folder(), r.id))
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
		drop()
		return r.recordStartFailure(failure), nil
	}
	if job.State == call.Queued {
		job.Position = r.position(ctx, r.records, job)
	}
	return job, nil
}

// now is the job of the run as it stands, unless its row could not be read or changed.
func (r *run) now(ctx context.Context, err error) (call.Job, error) {
	if err != nil {
		return call.Job{}, err
	}
	return r.Status(ctx, store.AnyPrincipal, r.id)
}

// rebuild makes the command line and the environment. What a person was asked about must be
// what is run.
func (r *run) rebuild(x Executor) *lang.Failure {
	folder, err := x.folder(r)
	if err != nil {
		return environment.StartFailure(err)
	}
	if failure := r.buildCommand(folder); failure != nil {
		return failure
	}
	if r.approved != "" && r.approved != storedcall.Digest(r.command) {
		return &lang.Failure{Class: lang.ClassStart, Message: "nothing was run: the specs have changed since a person was asked, and what would run now is not what was approved", Hint: "call again"}
	}
	return nil
}

// restart starts a job that was released and whose gateway is gone, or does not start it.
func (r *Runner) restart(ctx context.Context, records Store, id string) (call.Job, error) {
	row, err := records.Job(ctx, store.AnyPrincipal, id)
	if err != nil {
		return call.Job{}, err
	}
	run := r.runOf(records, row)
	return run.launch(ctx, run.restore(row))
}

// runOf is the call of a row, as far as the row has it.
func (r *Runner) runOf(records Store, row store.Job) *run {
	run := &run{Runner: r, id: row.ID, started: row.Created, records: records}
	run.Request = call.Request{Principal: row.Principal, Tool: row.Tool, Dir: row.Cwd, Client: call.Client{Name: row.ClientName, Version: row.ClientVersion}, Catalog: r.Current()}
	return run
}

// restore makes the call of a row again, out of what the gateway stored that had it.
func (r *run) restore(row store.Job) *lang.Failure {
	stored, err := storedcall.Load(r.folder(), row.ID)
	if err == nil {
		r.Bound, err = stored.Bind(r.Request.Catalog, row)
	}
	if err != nil {
		return &lang.Failure{Class: lang.ClassStart, Message: "nothing was run: the gateway that had the call is gone, and it cannot be made again: " + err.Error(), Hint: "call again"}
	}
	r.Args, r.Roots, r.depth, r.approved = stored.Args, stored.Roots, stored.Depth, stored.Command
	return nil
}

// holderGone reports whether the gateway that held the call of a job is gone.
func (r *Runner) holderGone(row store.Job) bool {
	return row.Waiting.Holder == "" || r.ownerDead(row.Waiting.Holder)
}

// restartReleased starts a job that a person approved and whose gateway is gone. A gateway that
// runs inside a job leaves that to others.
func (r *Runner) restartReleased(ctx context.Context, records Store, row store.Job) error {
	if !row.Waits() || !row.Waiting.Released || !r.holderGone(row) || len(r.outer(ctx, records)) > 0 {
		return nil
	}
	_, err := r.restart(ctx, records, row.ID)
	return err
}

// pruneStored removes calls that were stored for jobs which do not wait any more.
func (r *Runner) pruneStored(ctx context.Context, records Store, now time.Time) {
	for _, id := range storedcall.IDs(r.folder()) {
		if now.Sub(store.IDTime(id)) < rowDelay { // its row may be on its way
			continue
		}
		if row, err := records.Job(ctx, store.AnyPrincipal, id); errors.Is(err, store.ErrNotFound) || err == nil && !row.Waits() {
			os.Remove(storedcall.Path(r.folder(), id))
		}
	}
}
