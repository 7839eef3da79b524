package tools

import (
	"context"
	"encoding/json"
	"time"

	"github.com/llm-cli-gateway/gateway/engine/call"
	"github.com/llm-cli-gateway/gateway/engine/catalog"
	"github.com/llm-cli-gateway/gateway/engine/catalog/listing"
	"github.com/llm-cli-gateway/gateway/engine/store"
)

// JobStatus is the name of JobStatusTool.
const JobStatus = "llm_job_status"

// JobRef is the parameter by which tools name a job.
type JobRef struct {
	JobID string `json:"jobId" doc:"Id of the job" required:"true" maxLength:"64"`
}

// JobWait is the parameter of tools that can wait for the end of a job.
type JobWait struct {
	WaitMs int `json:"waitMs,omitempty" doc:"Wait up to this many milliseconds, and no longer than 50 s, for the job to end" min:"0" max:"60000"`
}

// maxWait bounds a wait: many clients give a request 60 s.
const maxWait = 50 * time.Second

// JobStatusInput is the input of JobStatusTool.
type JobStatusInput struct {
	JobRef
	JobWait
}

// jobSchema is of JobOutput, as far as it matters to a model.
var jobSchema = json.RawMessage(`{"type":"object","properties":{` + listing.StartProperties + jobProperties + `},"required":["status"]}`)

const jobProperties = `,"position":{"type":"integer"},"cli":{"type":"string"},"model":{"type":"string"},"sessionId":{"type":"string"},` +
	`"exitCode":{"type":"integer"},"durationMs":{"type":"integer"},` +
	`"error":{"type":"object"}`

// JobStatusTool reports the status of a job, after a wait for its end if asked.
var JobStatusTool = &Builtin[JobStatusInput, JobOutput]{
	Tool: catalog.Tool{Name: JobStatus, Title: "Status of a job", Output: jobSchema, ReadOnly: true, Idempotent: true,
		Description: "Report the status of a job."},
	handle: (*Tools).jobStatus,
	render: renderJob,
}

func (t *Tools) jobStatus(ctx context.Context, from Caller, in JobStatusInput) (JobOutput, error) {
	j, err := t.await(ctx, in.JobID, in.WaitMs, from.Progress)
	if err != nil {
		return JobOutput{}, err
	}
	if j.Joins, err = t.Runner.Joins(ctx, store.Local, j.Row.ID); err != nil {
		return JobOutput{}, err
	}
	return t.jobOutput(j, ""), nil
}

// await waits up to so many milliseconds for the end of a job of which only the id is
// known.
func (t *Tools) await(ctx context.Context, id string, ms int, progress func(string)) (call.Job, error) {
	j, err := t.Runner.Status(ctx, store.Local, id)
	if err != nil || ms <= 0 || j.State.Ended() {
		return j, err
	}
	return t.Calls.Follow(ctx, j, min(time.Duration(ms)*time.Millisecond, maxWait), progress)
}
