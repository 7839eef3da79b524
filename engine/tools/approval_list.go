package tools

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/llm-cli-gateway/gateway/engine/call"
	"github.com/llm-cli-gateway/gateway/engine/catalog"
	"github.com/llm-cli-gateway/gateway/engine/job"
	"github.com/llm-cli-gateway/gateway/engine/store"
)

// ApprovalList is the name of ApprovalListTool.
const ApprovalList = "approval_list"

// ApprovalStore is where decisions about calls are recorded.
type ApprovalStore interface {
	Approvals(ctx context.Context, principal, cli string, limit int) ([]store.Approval, error)
	PruneApprovals(ctx context.Context, before time.Time) (removed int, err error)
}

// ApprovalListInput is the input of ApprovalListTool.
type ApprovalListInput struct {
	Limit int    `json:"limit" doc:"Maximum number of decisions" min:"1" max:"500" default:"50"`
	CLI   string `json:"cli,omitempty" doc:"Only decisions about this CLI" maxLength:"64"`
}

// ApprovalListOutput is the output of ApprovalListTool.
type ApprovalListOutput struct {
	Waiting   []WaitingEntry   `json:"waiting,omitempty"` // for a person, the newest first
	Approvals []store.Approval `json:"approvals"`
}

// WaitingEntry is a job about which a person has to decide.
type WaitingEntry struct {
	JobID    string    `json:"jobId"`
	CLI      string    `json:"cli"`
	Until    time.Time `json:"until"`
	Question string    `json:"question"`
}

var approvalListSchema = json.RawMessage(`{"type":"object","properties":{` +
	`"waiting":{"type":"array","items":{"type":"object","properties":{"jobId":{"type":"string"},"question":{"type":"string"}}}},"approvals":{"type":"array","items":{"type":"object","properties":{` +
	`"id":{"type":"string"},"time":{"type":"string"},"cli":{"type":"string"},"policy":{"type":"string"},"verdict":{"type":"string"},"score":{"type":"integer"}}}}}}`)

// ApprovalListTool lists decisions about calls, newest first.
var ApprovalListTool = &Builtin[ApprovalListInput, ApprovalListOutput]{
	Tool: catalog.Tool{Name: ApprovalList, Title: "List approvals", Output: approvalListSchema, Advanced: true, ReadOnly: true, Idempotent: true,
		Description: "List calls that wait for a person, decisions about calls (approvalStrategy mcp_managed) and calls that were denied, newest first."},
	handle: (*Tools).listApprovals,
	render: renderApprovalList,
}

func (t *Tools) listApprovals(ctx context.Context, _ Caller, in ApprovalListInput) (ApprovalListOutput, error) {
	records, err := t.decisions()
	if err != nil {
		return ApprovalListOutput{}, err
	}
	if records == nil {
		hint := "set gateway.logsDb (LLM_GATEWAY_LOGS_DB) to a file"
		if t.Journal.Path != "" {
			hint += ", or read " + t.Journal.Path
		}
		return ApprovalListOutput{}, &usageError{"calls are not recorded (gateway.logsDb), so there is no list of decisions", hint}
	}
	rows, err := records.Approvals(ctx, store.Local, in.CLI, in.Limit)
	if err != nil {
		return ApprovalListOutput{}, err
	}
	out := ApprovalListOutput{Approvals: []store.Approval{}}
	waiting, err := t.Runner.List(ctx, job.Filter{Principal: store.Local, CLI: in.CLI, State: call.Waiting, Limit: in.Limit})
	if err != nil {
		return ApprovalListOutput{}, err
	}
	if len(rows)+len(waiting) == 0 {
		if err := t.checkFilter(in.CLI); err != nil {
			return ApprovalListOutput{}, err
		}
	}
	for _, j := range waiting {
		out.Waiting = append(out.Waiting, WaitingEntry{j.Row.ID, j.Row.CLI, j.Row.Waiting.Until.UTC(), j.Row.Waiting.Question})
	}
	for _, row := range rows {
		row.Time, row.Principal = row.Time.UTC(), "" // the principal is the caller
		out.Approvals = append(out.Approvals, row)
	}
	return out, nil
}

func renderApprovalList(o ApprovalListOutput) []string {
	lines := []string{}
	for _, w := range o.Waiting {
		lines = append(lines, fmt.Sprintf("%s waits for a person until %s. %s", w.JobID, w.Until.Format("2006-01-02T15:04:05Z"), w.Question))
	}
	for _, row := range o.Approvals {
		by := row.By
		if row.Policy != "" {
			by += " " + row.Policy
		}
		if row.Answer != "" {
			by += " (" + row.Answer + ")"
		}
		lines = append(lines, fmt.Sprintf("%s %s %s %s score %d by %s", row.ID, row.Time.Format("2006-01-02T15:04:05Z"), row.CLI, row.Verdict, row.Score, by))
	}
	if len(lines) == 0 {
		lines = append(lines, "No decisions are recorded.")
	}
	return []string{strings.Join(lines, "\n")}
}

// Prune removes decisions that are older than the catalog says they are kept,
// from the record and from the journal.
func (t *Tools) Prune(ctx context.Context, now time.Time) error {
	days := t.Catalog().Settings.Approvals.RetentionDays
	if days == 0 {
		return nil
	}
	before := now.AddDate(0, 0, -int(days))
	records, err := t.decisions()
	if err == nil && records != nil {
		_, err = records.PruneApprovals(ctx, before)
	}
	if t.Journal.Path != "" {
		_, trimming := t.Journal.Trim(before)
		err = errors.Join(err, trimming)
	}
	return err
}

// decisions is the record of decisions, nil if there is none.
func (t *Tools) decisions() (ApprovalStore, error) {
	if t.Decisions == nil {
		return nil, nil
	}
	return t.Decisions()
}
