package tools

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/llm-cli-gateway/gateway/engine/call"
	"github.com/llm-cli-gateway/gateway/engine/catalog"
	"github.com/llm-cli-gateway/gateway/engine/lang"
)

// request makes a call and waits for its answer: not longer than clients do, and then
// the job goes on.
func (t *Tools) request(ctx context.Context, req call.Request, tell func(string)) Result {
	j, failure := t.Runner.Submit(ctx, req)
	if failure != nil {
		out := call.Outcome{ID: j.Row.ID, ExitCode: -1, Answer: catalog.Answer{Failure: failure}, Duration: j.Row.Outcome.Duration, Warnings: j.Notes}
		r := result(req, call.Failed, false, out)
		r.again = failure.Class == catalog.ClassBusy
		return r
	}
	joined, notes := j.Joined, j.Notes
	j, err := t.follow(ctx, j, t.softDeadline(), tell)
	if err == nil && !j.State.Ended() && ctx.Err() != nil {
		var left call.Job
		if left, err = t.Runner.Abandon(ctx, j); err == nil {
			j = left
		}
	}
	if err != nil { // of the record, not of the job, which has begun
		j.Notes = append(j.Notes, "where it stands now cannot be told: "+err.Error())
	}
	for _, note := range notes {
		if !slices.Contains(j.Notes, note) {
			j.Notes = append(j.Notes, note)
		}
	}
	j.Joined = joined
	j.Row.Approval = req.Approval // of this call, be the job another's
	if j.State.Ended() {
		out := t.Runner.Outcome(j)
		r := result(req, j.State, j.Joined, out).joining(j)
		r.none = req.Bound.Mode == lang.Latest && out.Answer.Failure != nil && out.Answer.Failure.Class == catalog.ClassSession && out.Answer.SessionID == ""
		r.again = t.Sessions != nil && out.Answer.Failure != nil && out.Answer.SessionID == "" && t.Sessions.Misjudged(ctx, req.Bound, out.Answer.Failure.Class)
		return r
	}
	return t.begun(j, req.Bound)
}

// softDeadline is for how long a call is waited for; 0 is for as long as it takes.
func (t *Tools) softDeadline() time.Duration {
	return time.Duration(t.Catalog().Settings.Jobs.SyncMs) * time.Millisecond
}

// begun tells of a job that goes on.
func (t *Tools) begun(j call.Job, call *catalog.Call) Result {
	j.Notes = append(j.Notes, call.Notes...)
	return t.told(j, JobResult+" with this jobId returns the answer; waitMs makes it wait.").joining(j)
}

// submit starts a call as a job.
func (t *Tools) submit(ctx context.Context, req call.Request) Result {
	j, failure := t.Runner.Submit(ctx, req)
	if failure == nil {
		j.Row.Approval = req.Approval // of this call, be the job another's
		return t.begun(j, req.Bound)
	}
	s := structured{Status: string(call.Failed), JobID: j.Row.ID, CLI: req.Bound.CLI.Name, CorrelationID: req.Bound.CorrelationID, Error: failure, Warnings: j.Notes, MCP: req.Bound.Equipment()}
	return Result{Text: []string{failureText(req.Bound.CLI.Heading(), *failure), trailer(s)}, Structured: encode(s), IsError: true, Bare: true, again: failure.Class == catalog.ClassBusy}
}

// joining adds that the call did not start the job.
func (r Result) joining(j call.Job) Result {
	if j.Joined {
		note := fmt.Sprintf("The same call had been made: this is job %s, and nothing was run again. forceRefresh runs it again.", j.Row.ID)
		r.Text = append(r.Text, note)
	}
	return r
}

// tellEvery is how often a wait looks whether there is something to report.
const tellEvery = 250 * time.Millisecond

// follow waits for a job, for d at most if that is not 0, and reports meanwhile what it
// does. With an error the job is as it stood when that was last known.
func (t *Tools) follow(ctx context.Context, j call.Job, d time.Duration, tell func(string)) (call.Job, error) {
	if tell == nil {
		next, err := t.Runner.Wait(ctx, j, d)
		if err != nil {
			return j, err
		}
		return next, nil
	}
	deadline := time.Now().Add(d)
	tail := t.Runner.Tail(j)
	defer tail.Close()
	said := t.standing(j, "") // at once, whatever there is to read
	tell(said)
	for {
		slice := tellEvery
		if d > 0 {
			slice = max(time.Millisecond, min(slice, time.Until(deadline)))
		}
		next, err := t.Runner.Wait(ctx, j, slice)
		if err != nil {
			return j, err
		}
		if j = next; j.State.Ended() || ctx.Err() != nil || d > 0 && !time.Now().Before(deadline) {
			return j, nil
		}
		if now := t.standing(j, tail.Look()); now != said {
			said = now
			tell(said)
		}
	}
}

// standing is one line about a job that has not ended, and of what it says it does.
func (t *Tools) standing(j call.Job, tail string) string {
	switch {
	case j.Canceling:
		return t.heading(j) + " is being ended"
	case j.State == call.Queued && j.Position > 0:
		return fmt.Sprintf("%s waits for its turn, number %d in line", t.heading(j), j.Position)
	case j.State == call.Queued:
		return t.heading(j) + " waits for its turn"
	}
	if tail != "" {
		return t.heading(j) + ": " + tail
	}
	if j.Printed > 0 {
		return fmt.Sprintf("%s is working, %d bytes of output", t.heading(j), j.Printed)
	}
	return t.heading(j) + " is working"
}
