package tools

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/llm-cli-gateway/gateway/engine/call"
	"github.com/llm-cli-gateway/gateway/engine/catalog"
	"github.com/llm-cli-gateway/gateway/engine/job"
	"github.com/llm-cli-gateway/gateway/engine/store"
)

// JobList is the name of JobListTool.
const JobList = "llm_job_list"

// JobListInput is the input of JobListTool.
type JobListInput struct {
	CLI   string     `json:"cli,omitempty" doc:"Only jobs of this CLI" maxLength:"64"`
	State call.State `json:"state,omitempty" doc:"Their state" enum:"waiting,queued,running,retrying,completed,failed,canceled,orphaned"`
	Limit int        `json:"limit" doc:"Maximum number of jobs" min:"1" max:"500" default:"20"`
}

// JobListOutput is the output of JobListTool.
type JobListOutput struct {
	Jobs []JobEntry `json:"jobs"`
}

// JobEntry is a job in a list.
type JobEntry struct {
	JobID      string    `json:"jobId"`
	Status     string    `json:"status"`
	CLI        string    `json:"cli"`
	Model      string    `json:"model,omitempty"`
	Created    time.Time `json:"created"`
	DurationMs int64     `json:"durationMs"`
	ErrorClass string    `json:"errorClass,omitempty"`
	Prompt     string    `json:"prompt,omitempty"` // its beginning
}

var jobListSchema = json.RawMessage(`{"type":"object","properties":{"jobs":{"type":"array","items":{"type":"object","properties":{` +
	`"status":{"type":"string"},"jobId":{"type":"string"},"cli":{"type":"string"},"created":{"type":"string"}}}}}}`)

// JobListTool lists jobs, newest first.
var JobListTool = &Builtin[JobListInput, JobListOutput]{
	Tool: catalog.Tool{Name: JobList, Title: "List jobs", Output: jobListSchema, ReadOnly: true, Idempotent: true,
		Description: "List jobs, newest first."},
	handle: (*Tools).listJobs,
	render: renderJobList,
}

func (t *Tools) listJobs(ctx context.Context, _ Caller, in JobListInput) (JobListOutput, error) {
	jobs, err := t.Runner.List(ctx, job.Filter{Principal: store.Local, CLI: in.CLI, State: in.State, Limit: in.Limit})
	if err != nil {
		return JobListOutput{}, err
	}
	if len(jobs) == 0 {
		if err := t.checkFilter(in.CLI); err != nil {
			return JobListOutput{}, err
		}
	}
	out := JobListOutput{Jobs: []JobEntry{}}
	for _, j := range jobs {
		s := t.facts(j)
		e := JobEntry{JobID: s.JobID, Status: s.Status, CLI: s.CLI, Model: s.Model, Created: j.Row.Created.UTC(), DurationMs: *s.DurationMs, Prompt: clip(t.Catalog().Secrets.Redact(j.Row.Prompt))}
		if s.Error != nil {
			e.ErrorClass = s.Error.Class
		}
		out.Jobs = append(out.Jobs, e)
	}
	return out, nil
}

func renderJobList(o JobListOutput) []string {
	lines := []string{}
	for _, e := range o.Jobs {
		lines = append(lines, fmt.Sprintf("%s %s %s %s %d ms %q", e.JobID, e.Status, e.CLI, e.Created.Format(time.RFC3339Nano), e.DurationMs, e.Prompt))
	}
	if len(lines) == 0 {
		lines = append(lines, "No jobs were found.")
	}
	return []string{strings.Join(lines, "\n")}
}
