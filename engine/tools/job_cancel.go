package tools

import (
	"context"
	"time"

	"github.com/llm-cli-gateway/gateway/engine/catalog"
	"github.com/llm-cli-gateway/gateway/engine/store"
)

// JobCancel is the name of JobCancelTool.
const JobCancel = "llm_job_cancel"

// cancelWait is how long a cancellation waits for the end of the job: the usual grace
// period and a bit.
const cancelWait = 8 * time.Second

// JobCancelTool ends a job.
var JobCancelTool = &Builtin[JobRef, JobOutput]{
	Tool: catalog.Tool{Name: JobCancel, Title: "Cancel a job", Output: jobSchema, Destructive: true, Idempotent: true,
		Description: "Cancel a job and end every process that it started."},
	handle: (*Tools).cancelJob,
	render: renderJob,
}

func (t *Tools) cancelJob(ctx context.Context, from Caller, in JobRef) (JobOutput, error) {
	before, err := t.Runner.Status(ctx, store.Local, in.JobID)
	if err != nil {
		return JobOutput{}, err
	}
	if before.State.Ended() {
		return t.jobOutput(before, "The job had already ended; nothing was done."), nil
	}
	by := JobCancel
	if from.Client.Name != "" {
		by += " by " + from.Client.Name
	}
	j, err := t.Runner.Cancel(ctx, store.Local, in.JobID, by, cancelWait)
	if err != nil {
		return JobOutput{}, err
	}
	if !j.State.Ended() {
		return t.jobOutput(j, "The job is being canceled."), nil
	}
	return t.jobOutput(j, ""), nil
}
