package call

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/llm-cli-gateway/gateway/engine/catalog"
	"github.com/llm-cli-gateway/gateway/engine/lang"
	"github.com/llm-cli-gateway/gateway/engine/session"
	"github.com/llm-cli-gateway/gateway/engine/text"
)

// askExtra is how much longer than a wait a call may take in which a person was asked:
// with the usual wait of 45 s it stays below the 60 s that clients give a request.
const askExtra = 5 * time.Second

// Complete makes a call and, unless its caller does not wait, waits for its end, for d at
// most if that is not 0; then the job goes on. Where d is not 0 it also bounds for how
// long a person's decision is waited for: that and the wait for the end share one deadline. A
// job that waits for a person is not waited for: its caller is told how it can be decided. A call that met a session
// in another state than it seemed to be in is made once more.
func (s *Service) Complete(ctx context.Context, h Handler, req *Request, d time.Duration) (*Outcome, error) {
	if d > 0 {
		req.Until = time.Now().Add(d + askExtra)
	}
	for last := false; ; last = true {
		req.Approval, req.Asked = nil, nil
		out, err := h.Call(ctx, req)
		if err != nil {
			return nil, err
		}
		switch {
		case out.Failure != nil || out.Job.State == Waiting:
		case !req.Async:
			s.await(ctx, out, req.within(d))
		case ctx.Err() != nil: // nobody gets the id of the job
			if left, err := s.Jobs.Abandon(ctx, out.Job); err == nil {
				out.Job = left
			}
		}
		if last || !s.renew(ctx, out) {
			return out, nil
		}
	}
}

// await waits for the end of the job of an outcome. If the caller turns away meanwhile,
// the job is ended or goes on, as its client's reason and the settings have it.
func (s *Service) await(ctx context.Context, out *Outcome, d time.Duration) {
	joined, notes := out.Job.Joined, out.Job.Notes
	job, err := s.Follow(ctx, out.Job, d, out.Request.Progress)
	if err == nil && !job.State.Ended() && ctx.Err() != nil {
		var left Job
		if left, err = s.Jobs.Abandon(ctx, job); err == nil {
			job = left
		}
	}
	if err != nil { // of the record, not of the job, which has begun
		job.Notes = append(job.Notes, "its state cannot be read: "+err.Error())
	}
	for _, note := range notes {
		if !slices.Contains(job.Notes, note) {
			job.Notes = append(job.Notes, note)
		}
	}
	job.Joined = joined
	job.Row.Approval = out.Request.Approval.Record() // of this call, be the job another's
	out.Job = job
	if job.State.Ended() {
		completion := s.Jobs.Completion(job)
		out.Completion = &completion
	}
}

// renew reports whether the call should be made once more: nothing was done, because its
// session stood otherwise than it seemed. Where there was no conversation to continue, the
// call begins one then.
func (s *Service) renew(ctx context.Context, out *Outcome) bool {
	if out.Failure != nil {
		return !out.Refused && out.Failure.Class == lang.ClassBusy
	}
	if out.Completion == nil {
		return false
	}
	bound, answer := out.Request.Bound, out.Completion.Answer
	if answer.Failure == nil || answer.SessionID != "" {
		return false
	}
	if bound.Mode == lang.Latest && answer.Failure.Class == lang.ClassSession {
		if anew, wrong := bound.InNewConversation(session.NewID); wrong == nil {
			out.Request.Bound = anew
			return true
		}
	}
	return s.Sessions != nil && s.Sessions.Stale(ctx, out.Request.Principal, bound, answer.Failure.Class)
}

// lookEvery is how often a wait looks whether there is progress to report.
const lookEvery = 250 * time.Millisecond

// Follow waits for a job, for d at most if that is not 0, and reports its progress
// meanwhile. With an error the job is as it was last known.
func (s *Service) Follow(ctx context.Context, job Job, d time.Duration, report func(string)) (Job, error) {
	if report == nil {
		next, err := s.Jobs.Wait(ctx, job, d)
		if err != nil {
			return job, err
		}
		return next, nil
	}
	deadline := time.Now().Add(d)
	tail := s.Jobs.Tail(job)
	defer func() { tail.Close() }()
	reported := s.progress(job, "") // at once, whatever there is to read
	report(reported)
	for {
		slice := lookEvery
		if d > 0 {
			slice = max(time.Millisecond, min(slice, time.Until(deadline)))
		}
		next, err := s.Jobs.Wait(ctx, job, slice)
		if err != nil {
			return job, err
		}
		if next.Row.N() != job.Row.N() { // another attempt prints somewhere else
			tail.Close()
			tail = s.Jobs.Tail(next)
		}
		if job = next; job.State.Ended() || ctx.Err() != nil || d > 0 && !time.Now().Before(deadline) {
			return job, nil
		}
		if now := s.progress(job, tail.Look()); now != reported {
			reported = now
			report(now)
		}
	}
}

// progress is one line about a job that has not ended, and what it says it does.
func (s *Service) progress(job Job, doing string) string {
	heading := Heading(s.Catalog(), job)
	switch {
	case job.Canceling:
		return heading + " is being ended"
	case job.State == Waiting:
		return heading + " waits for a person to decide"
	case job.State == Retrying:
		return heading + " " + Again(job)
	case job.State == Queued && job.Position > 0:
		return fmt.Sprintf("%s waits for its turn, number %d in line", heading, job.Position)
	case job.State == Queued:
		return heading + " waits for its turn"
	case doing != "":
		return heading + ": " + doing
	case job.Printed > 0:
		return fmt.Sprintf("%s is working, %d bytes of output", heading, job.Printed)
	}
	return heading + " is working"
}

// Again says of a job that is between two attempts what failed and when it goes on.
func Again(job Job) string {
	why := "failed"
	if n := len(job.Attempts); n > 0 {
		o := job.Attempts[n-1].Outcome
		why = fmt.Sprintf("failed (%s: %s)", o.ErrorClass, text.Head(text.OneLine(o.ErrorMessage), 120))
	}
	return fmt.Sprintf("attempt %d %s; attempt %d starts in %s", job.Row.N(), why, job.Row.N()+1, max(0, time.Until(job.Row.Next)).Round(100*time.Millisecond))
}

// Heading is the human name of the program of a job.
func Heading(c *catalog.Catalog, job Job) string {
	if cli, ok := c.CLI(job.Row.CLI); ok {
		return cli.DisplayName()
	}
	return job.Row.CLI
}
