package tools

import (
	"context"
	"encoding/json"
	"slices"
	"strings"

	"github.com/llm-cli-gateway/gateway/engine/call"
	"github.com/llm-cli-gateway/gateway/engine/catalog"
	"github.com/llm-cli-gateway/gateway/engine/catalog/listing"
	"github.com/llm-cli-gateway/gateway/engine/store"
)

// JobResult is the name of JobResultTool.
const JobResult = "llm_job_result"

// defaultChars is how much of an answer a result has, unless the caller asks for more.
const defaultChars = 10_000

// JobResultInput is the input of JobResultTool.
type JobResultInput struct {
	JobRef
	JobWait
	Include  []string `json:"include,omitempty" doc:"Also what its program printed" enum:"stdout,stderr"`
	MaxChars int      `json:"maxChars" doc:"Maximum number of characters of the answer, and of each text of include" min:"1" max:"1000000" default:"10000"`
	Offset   int      `json:"offset,omitempty" doc:"First character of each; pass nextOffset to continue" min:"0"`
}

// JobResultOutput is the status of a job with a window of its answer, and of each text
// that it wrote and the caller asked for. The counts are those of the answer.
type JobResultOutput struct {
	structured
	Response string `json:"-"` // a window of the answer

	heading string // of the CLI
}

var jobResultSchema = json.RawMessage(`{"type":"object","properties":{` + listing.StartProperties + jobProperties +
	`,"stdout":{"type":"string"},"stderr":{"type":"string"},"truncated":{"type":"boolean"},` +
	`"totalChars":{"type":"integer"},"nextOffset":{"type":"integer"},"response":{"type":"string"}},"required":["status"]}`)

// JobResultTool returns the answer of a job.
var JobResultTool = &Builtin[JobResultInput, JobResultOutput]{
	Tool: catalog.Tool{Name: JobResult, Title: "Result of a job", Output: jobResultSchema, ReadOnly: true, Idempotent: true,
		Description: "Return the answer of a job. include adds what its program printed, of one that still runs the output so far."},
	handle:   (*Tools).jobResult,
	render:   renderJobResult,
	failed:   func(o JobResultOutput) bool { s := call.State(o.Status); return s.Ended() && s != call.Completed },
	response: func(o JobResultOutput) string { return o.Response },
}

func (t *Tools) jobResult(ctx context.Context, from Caller, in JobResultInput) (JobResultOutput, error) {
	if in.WaitMs > 0 {
		if _, err := t.await(ctx, in.JobID, in.WaitMs, from.Progress); err != nil {
			return JobResultOutput{}, err
		}
	}
	res, err := t.Runner.Result(ctx, store.Local, in.JobID, in.Offset, in.MaxChars)
	if err != nil {
		return JobResultOutput{}, err
	}
	s := t.facts(res.Job)
	a := res.Outcome.Answer
	if res.State.Ended() {
		s.Usage, s.UsageScope, s.CostScope, s.CostEstimated, s.Account = a.Usage, a.Scope, a.CostScope, a.Estimated, res.Outcome.Account
		s.Warnings = append(s.Warnings, res.Outcome.Warnings...)
		s.Optimization = optimization(res.Saved(), a.Saved)
		if a.SessionID != "" {
			s.SessionID = a.SessionID
		}
		if a.Failure != nil {
			s.Error = a.Failure
		}
	}
	if slices.Contains(in.Include, "stdout") {
		s.Stdout, s.StdoutChars = &res.Stdout.Text, &res.Stdout.Total
	}
	if slices.Contains(in.Include, "stderr") {
		s.Stderr, s.StderrChars = &res.Stderr.Text, &res.Stderr.Total
	}
	if len(in.Include) > 0 && res.Gone && res.State.Ended() {
		s.Warnings = append(s.Warnings, "what its program printed is not kept any more (gateway.jobs.retentionDays)")
	}
	whole := JobResultOutput{structured: s, Response: res.Response.Text, heading: t.heading(res.Job)}
	var out JobResultOutput
	fit(t.Catalog(), from.Client, in.MaxChars, func(most int) Result {
		out = whole.window(in.Offset, most, res.Response.Total)
		return Result{Text: renderJobResult(out), Structured: encode(out), Response: out.Response}
	})
	return out, nil
}

// window is the result with so many characters of each text, from the offset on; total is the
// length of the answer.
func (o JobResultOutput) window(offset, most, total int) JobResultOutput {
	o.Response, _ = cut(o.Response, most)
	for _, text := range []**string{&o.Stdout, &o.Stderr} {
		if *text != nil {
			head, _ := cut(**text, most)
			*text = &head
		}
	}
	next := offset + most
	more := next < total
	o.Truncated, o.TotalChars = &more, &total
	for _, n := range []*int{&total, o.StdoutChars, o.StderrChars} {
		if n != nil && next < *n {
			o.NextOffset = &next
		}
	}
	return o
}

func renderJobResult(o JobResultOutput) (blocks []string) {
	put := func(title, text string) {
		if text != "" {
			blocks = append(blocks, title+text)
		}
	}
	if o.Error != nil {
		put("", failureText(o.heading, *o.Error))
	}
	put("", o.Response)
	if o.Stdout != nil && strings.TrimSpace(*o.Stdout) != strings.TrimSpace(o.Response) {
		put("Standard output:\n", *o.Stdout)
	}
	if o.Stderr != nil {
		put("Standard error:\n", *o.Stderr)
	}
	return append(blocks, trailer(o.structured))
}
