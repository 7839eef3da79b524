package tools

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/llm-cli-gateway/gateway/engine/catalog"
	"github.com/llm-cli-gateway/gateway/engine/lang"
	"github.com/llm-cli-gateway/gateway/engine/store"
)

// ApprovalList is the name of the tool that lists decisions.
const ApprovalList = "approval_list"

var approvalList = catalog.NewBuiltin(catalog.Tool{Name: ApprovalList, Title: "List approvals", Output: catalog.ApprovalsSchema, Rare: true, ReadOnly: true, Idempotent: true,
	Description: "List decisions about calls (approvalStrategy mcp_managed) and calls that were denied, newest first."},
	number("limit", "At most so many.", 1, 500, 50),
	&catalog.Param{Name: "cli", Kind: catalog.String, ParamSpec: lang.ParamSpec{Doc: "Only those about this CLI.", MaxLength: ptr(64)}})

// approvals answers ApprovalList.
func (t *Tools) approvals(ctx context.Context, args map[string]any) (Result, error) {
	records, err := t.decisions()
	if err != nil {
		return Result{}, err
	}
	if records == nil {
		hint := "set gateway.logsDb (LLM_GATEWAY_LOGS_DB) to a file"
		if t.Journal.Path != "" {
			hint += ", or read " + t.Journal.Path
		}
		return refused("calls are not recorded (gateway.logsDb), so there is no list of decisions", hint), nil
	}
	cli, _ := args["cli"].(string)
	rows, err := records.Approvals(ctx, cli, args["limit"].(int))
	if err != nil {
		return Result{}, err
	}
	lines := []string{}
	for i, row := range rows {
		by := row.By
		if row.Policy != "" {
			by += " " + row.Policy
		}
		if row.Answer != "" {
			by += " (" + row.Answer + ")"
		}
		lines = append(lines, fmt.Sprintf("%s %s %s %s score %d by %s", row.ID, row.Time.Format("2006-01-02T15:04:05Z"), row.CLI, row.Verdict, row.Score, by))
		rows[i].Time = row.Time.UTC()
	}
	if len(lines) == 0 {
		lines = append(lines, "There is no decision yet.")
		rows = []store.Approval{}
	}
	return Result{Text: []string{strings.Join(lines, "\n")}, Structured: encode(map[string]any{"approvals": rows}), Bare: true}, nil
}

// ClearApprovals removes decisions that are older than the catalog says they are kept,
// from the record and from the journal.
func (t *Tools) ClearApprovals(ctx context.Context, now time.Time) error {
	days := t.Catalog().Settings.Approvals.RetentionDays
	if days == 0 {
		return nil
	}
	before := now.AddDate(0, 0, -int(days))
	records, err := t.decisions()
	if err == nil && records != nil {
		_, err = records.ExpireApprovals(ctx, before)
	}
	if t.Journal.Path != "" {
		_, trimming := t.Journal.Trim(before)
		err = errors.Join(err, trimming)
	}
	return err
}

// decisions is the record of decisions, nil if there is none.
func (t *Tools) decisions() (*store.Store, error) {
	if t.Decisions == nil {
		return nil, nil
	}
	return t.Decisions()
}
