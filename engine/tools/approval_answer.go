package tools

import (
	"context"

	"github.com/llm-cli-gateway/gateway/engine/call"
	"github.com/llm-cli-gateway/gateway/engine/catalog"
	"github.com/llm-cli-gateway/gateway/engine/store"
)

// ApprovalAnswerInput is the input of ApprovalAnswerTool.
type ApprovalAnswerInput struct {
	JobRef
	Decision call.Reply `json:"decision" doc:"Whether the job may run" required:"true" enum:"approve,deny"`
}

// ApprovalAnswerTool decides about a job that waits for a person. It is for the command line
// alone and never listed: no model may decide about calls.
var ApprovalAnswerTool = &Builtin[ApprovalAnswerInput, JobOutput]{
	Tool:   catalog.Tool{Name: "approval_answer", Title: "Answer for a person", Description: "Approve or deny a job that waits for a person.", Output: jobSchema, Destructive: true},
	handle: (*Tools).answerApproval,
	render: renderJob,
}

func (t *Tools) answerApproval(ctx context.Context, _ Caller, in ApprovalAnswerInput) (JobOutput, error) {
	outer, err := t.Runner.Enclosing(ctx)
	if err != nil {
		return JobOutput{}, err
	}
	if outer != "" {
		return JobOutput{}, &usageError{"this command runs inside job " + outer + ", and only a person may decide about a call; nothing was done", "answer in a terminal of your own"}
	}
	j, err := t.Runner.Answer(ctx, store.Local, in.JobID, in.Decision)
	if err != nil {
		return JobOutput{}, err
	}
	return t.jobOutput(j, ""), nil
}
