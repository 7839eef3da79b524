package sqlite

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/llm-cli-gateway/gateway/engine/store"
)

// ofBudgets are the rows that count against budgets, as the condition of their index has it.
const ofBudgets = " FROM job INDEXED BY job_cost WHERE (reserved_usd IS NOT NULL OR cost_usd IS NOT NULL AND cost_scope IS NULL) AND created_ns >= ?"

const (
	costsSQL = "SELECT total(coalesce(reserved_usd, cost_usd)) FILTER (WHERE state = 'done'), " +
		"total(coalesce(reserved_usd, cost_usd)) FILTER (WHERE state = 'done' AND (reserved_usd IS NOT NULL OR cost_estimated = 1)), " +
		"total(reserved_usd) FILTER (WHERE state = 'live')" + ofBudgets + " AND (?2 = '' OR cli = ?2)"

	meanCostSQL = "SELECT coalesce(avg(cost_usd), 0), count(*) FROM (SELECT cost_usd" + ofBudgets +
		" AND cli = ?2 AND cost_scope IS NULL AND cost_usd > 0 AND (?3 = '' OR model = ?3) ORDER BY created_ns DESC LIMIT ?4)"
)

// querierRow is a database or a transaction of it.
type querierRow interface {
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

func costs(ctx context.Context, q querierRow, sums []store.Costs) ([]store.Costs, error) {
	list := make([]store.Costs, len(sums))
	for i, c := range sums {
		if err := q.QueryRowContext(ctx, costsSQL, c.Since.UnixNano(), c.CLI).Scan(&c.Spent, &c.Estimated, &c.Reserved); err != nil {
			return nil, fmt.Errorf("read what calls have cost: %w", err)
		}
		list[i] = c
	}
	return list, nil
}

// Costs are what counts, for each CLI and time that is asked for.
func (s *Store) Costs(ctx context.Context, sums []store.Costs) ([]store.Costs, error) {
	list, err := costs(ctx, s.reader, sums)
	if err != nil {
		return nil, fileError(s.path, err)
	}
	return list, nil
}

// meanOf is of how many calls the mean is taken.
const meanOf = 20

// MeanCost is what the last calls of a CLI since a time have cost on average, in US dollars, of
// which that is known: those with a model, or all for "". Calls that cost nothing do not count. Known
// is of how many it is the mean, 0 if there is none.
func (s *Store) MeanCost(ctx context.Context, cli, model string, since time.Time) (usd float64, known int, err error) {
	if err = s.reader.QueryRowContext(ctx, meanCostSQL, since.UnixNano(), cli, model, meanOf).Scan(&usd, &known); err != nil {
		return 0, 0, fmt.Errorf("read what calls have cost: %w", fileError(s.path, err))
	}
	return usd, known, nil
}

// fit checks in the transaction that makes a row whether the job may begin.
func fit(ctx context.Context, tx *sql.Tx, f *store.Fit) error {
	if f == nil {
		return nil
	}
	sums, err := costs(ctx, tx, f.Sums)
	if err != nil {
		return err
	}
	return f.Check(sums)
}

// settle is what an end does to what is reserved; settled are its values.
const settle = "reserved_usd = CASE WHEN ? OR ? AND attempt IS NULL THEN NULL ELSE reserved_usd END"

func settled(o *store.Outcome) []any { return []any{o.Settled(2), o.Settled(1)} }
