package tools

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/llm-cli-gateway/gateway/engine/call"
	"github.com/llm-cli-gateway/gateway/engine/catalog"
	"github.com/llm-cli-gateway/gateway/engine/catalog/access"
	"github.com/llm-cli-gateway/gateway/engine/catalog/extract"
	"github.com/llm-cli-gateway/gateway/engine/lang"
)

// render shows what became of a call of an agent.
func (t *Tools) render(out *call.Outcome) Result {
	switch {
	case out.Refused:
		return refusal(out.Request, out.Job.Row.ID, out.Failure)
	case out.Failure != nil && out.Request.Async:
		return unstarted(out)
	case out.Failure != nil:
		completion := call.Completion{ID: out.Job.Row.ID, ExitCode: -1, Answer: extract.Answer{Failure: out.Failure}, Duration: out.Job.Row.Outcome.Duration, Warnings: out.Job.Notes}
		return t.completed(out.Request, call.Job{State: call.Failed}, completion)
	case out.Completion != nil:
		return t.completed(out.Request, out.Job, *out.Completion)
	}
	return t.underway(out.Job, out.Request.Bound)
}

// refusal is the result of a call that was not made; job is "" if it has no row.
func refusal(req *call.Request, job string, f *lang.Failure) Result {
	f = withoutSecrets(req.Catalog, f)
	s := structured{Status: string(call.Failed), JobID: job, Error: f, Approval: req.Approval}
	text := f.Message + hintText(*f)
	if cli := req.CLI(); cli != nil {
		s.CLI = cli.Name
		if req.Approval != nil { // it was understood, and not allowed
			text = failureText(cli.DisplayName(), *f)
		}
	}
	if req.Bound != nil {
		s.CorrelationID, s.Access = req.Bound.CorrelationID, decided(req.Bound)
	}
	return Result{Text: []string{text, trailer(s)}, Structured: encode(s), IsError: true}
}

// decided is the access of a call, nil as long as that is not decided.
func decided(bound *catalog.Call) *access.Access {
	if bound.Access.Level == "" {
		return nil
	}
	return &bound.Access
}

// unstarted is the result of an asynchronous call of which no job runs.
func unstarted(out *call.Outcome) Result {
	bound := out.Request.Bound
	out.Failure = withoutSecrets(out.Request.Catalog, out.Failure)
	s := structured{Status: string(call.Failed), JobID: out.Job.Row.ID, CLI: bound.CLI.Name, CorrelationID: bound.CorrelationID, Error: out.Failure, Warnings: out.Job.Notes, MCP: bound.Servers()}
	return Result{Text: []string{failureText(bound.CLI.DisplayName(), *out.Failure), trailer(s)}, Structured: encode(s), IsError: true, Bare: true}
}

// inlineChars is how much of an answer the result of its call has, unless the caller or what
// is known of its client says otherwise. Whole answers are rarely as long, and most clients
// take as much; the rest is a page away.
const inlineChars = 100_000

// completed shows what a call came to twice, whole each time: clients hand their model
// either the text or the structure, seldom both.
func (t *Tools) completed(req *call.Request, job call.Job, out call.Completion) Result {
	bound, a := req.Bound, out.Answer
	ms := out.Duration.Milliseconds()
	s := structured{
		Status: string(job.State), JobID: out.ID, Joined: job.Joined, AnswerAgeMs: job.Age.Milliseconds(), CLI: bound.CLI.Name, Model: a.Model, SessionID: a.SessionID, CorrelationID: bound.CorrelationID,
		DurationMs: &ms, Usage: a.Usage, UsageScope: a.Scope, CostUSD: a.CostUSD, CostScope: a.CostScope, Warnings: slices.Concat(bound.Notes, bound.Servers().Notes(), out.Warnings, wider(req, a)), Error: reminded(bound, a.Failure),
		Approval: req.Approval.ByPolicy(), MCP: bound.Servers(), Access: decided(bound), Cwd: req.Dir, Optimization: optimization(bound.Saved, a.Saved),
	}
	if out.ExitCode >= 0 {
		s.ExitCode = &out.ExitCode
	}
	if s.Model == "" {
		s.Model = req.Catalog.Secrets.Redact(bound.Model)
	}
	if s.Attempts = t.attemptsOf(job); len(s.Attempts) > 0 {
		s.Warnings = append(s.Warnings, t.went(job)...)
		s.CLI, s.Asked, s.Model = job.Row.CLI, job.Row.Asked, req.Catalog.Secrets.Redact(cmp.Or(a.Model, job.Row.Model))
	}
	return fit(req.Catalog, req.Client, cmp.Or(bound.MaxChars, req.Inline, inlineChars), func(most int) Result {
		return answered(bound, s, a, job, most).joining(job)
	})
}

// answered shows an answer, or the beginning of a long one.
func answered(bound *catalog.Call, s structured, a extract.Answer, job call.Job, most int) Result {
	r := Result{Response: s.window(a.Shown, most)}
	if a.Failure != nil {
		if r.IsError = true; job.State == call.Completed {
			s.Status = string(call.Failed)
		}
		r.Text = append(r.Text, failureText(bound.CLI.DisplayName(), *s.Error))
	}
	if r.Response != "" {
		r.Text = append(r.Text, r.Response)
	}
	if s.NextOffset != nil {
		r.Text = append(r.Text, fmt.Sprintf("The answer goes on: %s with jobId %s and offset %d returns the rest.", JobResult, s.JobID, *s.NextOffset))
	}
	r.Text = append(r.Text, trailer(s))
	r.Structured = encode(s)
	return r
}

// wider tells a caller whose call met the default level how to ask for more, where nobody
// has decided against that.
func wider(req *call.Request, a extract.Answer) []string {
	granted := req.Bound.Access
	met := len(a.Denied) > 0 || a.Failure != nil && a.Failure.Class == lang.ClassRefused
	if !met || granted.From != access.FromDefault || granted.Words != access.Read.String() || len(granted.Notes) > 0 || req.Approval.ByPolicy() != nil || !req.Bound.CLI.Edits() {
		return nil
	}
	what := "what it needed"
	if len(a.Denied) > 0 {
		what = strings.Join(a.Denied, ", ")
	}
	return []string{fmt.Sprintf("%s was not allowed at access %q, which is the default; access %q lets it write in the working directory", what, access.Read, access.Edit)}
}

// window is the beginning of an answer, and notes in the structure where the rest begins if
// that is not all of it. A job whose answer is cut short can be asked for the rest.
func (s *structured) window(answer string, most int) string {
	head, total := cut(answer, most)
	if total > most {
		more := true
		s.Truncated, s.TotalChars, s.NextOffset = &more, &total, &most
	}
	return head
}

// underway shows a job that goes on.
func (t *Tools) underway(j call.Job, bound *catalog.Call) Result {
	j.Notes = append(j.Notes, bound.Notes...)
	note := JobResult + " with this jobId returns the answer; waitMs makes it wait."
	if j.State == call.Waiting { // there will be none before somebody has decided
		note = ""
	}
	j.Row.CorrelationID = t.Catalog().Secrets.Redact(bound.CorrelationID) // of this call, be the job another's
	out := t.jobOutput(j, note)
	return Result{Text: renderJob(out), Structured: encode(out), Bare: true}.joining(j)
}

// joining adds that the call did not start the job.
func (r Result) joining(j call.Job) Result {
	if j.Joined {
		note := fmt.Sprintf("The same call had been made: this is job %s, and nothing was run again.", j.Row.ID)
		if j.Age > 0 {
			note += fmt.Sprintf(" It was answered %s ago, and no file of %s has changed since it began.", j.Age.Round(time.Second), j.Row.Cwd)
		}
		note += " forceRefresh runs it again."
		r.Text = append(r.Text, note)
	}
	return r
}

// reminded adds to a failure that the conversation is not one that the caller named.
func reminded(call *catalog.Call, f *lang.Failure) *lang.Failure {
	if f == nil || f.Class != lang.ClassSession || call.Session == "" || call.SessionChoice.ID != "" {
		return f
	}
	more := *f
	more.Hint = strings.TrimPrefix(f.Hint+"; ", "; ") + "the session " + call.Session + " is active: " + SessionUse + " without a sessionId, or createNewSession, leaves it"
	return &more
}
