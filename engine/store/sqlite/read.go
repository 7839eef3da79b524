package sqlite

import (
	"context"
	"database/sql"

	"github.com/llm-cli-gateway/gateway/engine/store"
)

// querier is a database or a transaction of it.
type querier interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}

// queryAll reads what a query gives; into are the places of a value for its columns.
func queryAll[T any](ctx context.Context, q querier, into func(*T) []any, query string, args ...any) ([]T, error) {
	rows, err := q.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var list []T
	for rows.Next() {
		var one T
		if err := rows.Scan(into(&one)...); err != nil {
			return nil, err
		}
		list = append(list, one)
	}
	return list, rows.Err()
}

// rowLimit is how many rows are read at once if so many are asked for.
func rowLimit(limit int) int {
	if limit <= 0 {
		limit = store.DefaultLimit
	}
	return min(limit, store.MaxLimit)
}

func scanOne[T any](one *T) []any { return []any{one} }
