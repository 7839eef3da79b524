package store

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
	"time"
)

func columnsOfApproval(a *Approval) []column {
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
	}
}

var (
	approvalColumns = names(columnsOfApproval(new(Approval)))
	approveSQL      = insertSQL("approval", approvalColumns)
	approvalsSQL    = "SELECT " + strings.Join(approvalColumns, ", ") + " FROM approval"
)

// Approve records a decision. Nothing that it lets run may start unless it returned nil.
func (s *Store) Approve(ctx context.Context, a Approval) error {
	if !ValidID(a.ID) {
		return fmt.Errorf("record approval: %q is not an id", a.ID)
	}
	err := s.present()
	if err == nil {
		_, err = s.writer.ExecContext(ctx, approveSQL, values(columnsOfApproval(&a))...)
	}
	if err != nil {
		return fmt.Errorf("record approval %s: %w", a.ID, fileError(s.path, err))
	}
	return nil
}

// Approvals returns decisions, newest first: of one CLI, or of all if cli is empty. A
// limit of zero means 50; 500 is the most.
func (s *Store) Approvals(ctx context.Context, cli string, limit int) ([]Approval, error) {
	list, err := all(ctx, s.reader, func(a *Approval) []any { return values(columnsOfApproval(a)) },
		approvalsSQL+" WHERE ? IN ('', cli) ORDER BY id DESC LIMIT ?", cli, page(limit))
	if err != nil {
		return nil, fmt.Errorf("list approvals: %w", fileError(s.path, err))
	}
	return list, nil
}

// ExpireApprovals removes the decisions that were made before a time, and returns how
// many there were.
func (s *Store) ExpireApprovals(ctx context.Context, before time.Time) (removed int, err error) {
	err = s.present()
	if err == nil {
		err = s.within(ctx, func(tx *sql.Tx) error {
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
