package store

import (
	"context"
	"database/sql"
)

// querier is a database or a transaction of it.
type querier interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}

// all reads what a query gives; into are the places of a value for its columns.
func all[T any](ctx context.Context, q querier, into func(*T) []any, query string, args ...any) ([]T, error) {
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

// page is how many rows are read at once if so many are asked for.
func page(limit int) int {
	if limit <= 0 {
		limit = DefaultLimit
	}
	return min(limit, MaxLimit)
}

func itself[T any](one *T) []any { return []any{one} }
