package sqlite

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
	"time"

	"github.com/llm-cli-gateway/gateway/engine/store"
)

func approvalColumns(a *store.Approval) []column {
	return []column{
		{"id", text{&a.ID}},
		{"created_ns", instant{&a.Time}},
		{"tool", text{&a.Tool}},
		{"cli", text{&a.CLI}},
		{"strategy", text{&a.Strategy}},
		{"policy", text{&a.Policy}},
		{"verdict", text{&a.Verdict}},
		{"decided_by", text{&a.By}},
		{"answer", text{&a.Answer}},
		{"score", count{&a.Score}},
		{"reasons", jsonBytes(&a.Reasons)},
		{"note", text{&a.Note}},
		{"catalog_digest", text{&a.CatalogDigest}},
		{"correlation_id", text{&a.CorrelationID}},
		{"client_name", text{&a.ClientName}},
		{"client_version", text{&a.ClientVersion}},
		{"principal", text{&a.Principal}},
	}
}

var (
	approvalNames     = names(approvalColumns(new(store.Approval)))
	insertApprovalSQL = insertSQL("approval", approvalNames)
	approvalsSQL      = "SELECT " + strings.Join(approvalNames, ", ") + " FROM approval"
)

// RecordApproval records a decision. Nothing that it lets run may start unless it returned nil,
// or ErrRecorded: that the decision of that id is there already.
func (s *Store) RecordApproval(ctx context.Context, a store.Approval) error {
	if !store.ValidID(a.ID) {
		return fmt.Errorf("record approval: %q is not an id", a.ID)
	}
	err := store.CheckPrincipal(a.Principal)
	if err == nil {
		err = s.checkFile()
	}
	if err == nil {
		_, err = s.writer.ExecContext(ctx, insertApprovalSQL, values(approvalColumns(&a))...)
	}
	if keyViolation(err) {
		err = store.ErrRecorded
	}
	if err != nil {
		return fmt.Errorf("record approval %s: %w", a.ID, fileError(s.path, err))
	}
	return nil
}

// Approvals returns the decisions about calls of a principal, newest first: of one CLI, or
// of all if cli is empty. A limit of zero means 50; 500 is the most.
func (s *Store) Approvals(ctx context.Context, principal, cli string, limit int) ([]store.Approval, error) {
	if err := store.CheckPrincipal(principal); err != nil {
		return nil, fmt.Errorf("list approvals: %w", err)
	}
	list, err := queryAll(ctx, s.reader, func(a *store.Approval) []any { return values(approvalColumns(a)) },
		approvalsSQL+" WHERE principal = ? AND ? IN ('', cli) ORDER BY id DESC LIMIT ?", principal, cli, rowLimit(limit))
	if err != nil {
		return nil, fmt.Errorf("list approvals: %w", fileError(s.path, err))
	}
	return list, nil
}

// PruneApprovals removes the decisions that were made before a time, and returns how
// many there were.
func (s *Store) PruneApprovals(ctx context.Context, before time.Time) (removed int, err error) {
	err = s.checkFile()
	if err == nil {
		err = s.inTx(ctx, func(tx *sql.Tx) error {
			result, err := tx.ExecContext(ctx, "DELETE FROM approval WHERE created_ns < ?", before.UnixNano())
			if err != nil {
				return err
			}
			n, err := result.RowsAffected()
			removed = int(n)
			return err
		})
	}
	if err != nil {
		return 0, fmt.Errorf("remove approvals: %w", fileError(s.path, err))
	}
	return removed, nil
}
