package sqlite

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
	"time"

	"github.com/llm-cli-gateway/gateway/engine/store"
)

// Calls selects calls of a principal of the record, refused ones too; a zero field selects all.
type Calls struct {
	Principal string // never empty
	CLI       string
	Class     string    // of their failure
	Text      string    // words that the prompt or the answer has
	Since     time.Time // that began then or later
	Limit     int       // zero: 50; at most 500
}

// where is the condition over the view calls.
func (s *Store) where(ctx context.Context, c Calls) (where string, args []any, err error) {
	if err := store.CheckPrincipal(c.Principal); err != nil {
		return "", nil, err
	}
	all := []string{"principal = ?"}
	args = []any{c.Principal}
	add := func(condition, value string) {
		if value != "" {
			all, args = append(all, condition), append(args, value)
		}
	}
	add("cli = ?", c.CLI)
	add("error_class = ?", c.Class)
	if !c.Since.IsZero() {
		add("id >= ?", store.FirstID(c.Since))
	}
	if c.Text != "" {
		if err := s.indexAll(ctx); err != nil {
			return "", nil, err
		}
		add(matchSQL, words(c.Text))
	}
	return " WHERE " + strings.Join(all, " AND "), args, nil
}

// CallRows returns the rows of the view calls that are selected, newest first, each with its columns in
// their order.
func (s *Store) CallRows(ctx context.Context, c Calls) (columns []string, rows [][]any, err error) {
	where, args, err := s.where(ctx, c)
	if err == nil {
		columns, rows, err = table(ctx, s.reader, "SELECT * FROM calls"+where+" ORDER BY id DESC LIMIT ?", append(args, rowLimit(c.Limit))...)
	}
	if err != nil {
		return nil, nil, fmt.Errorf("list calls: %w", fileError(s.path, err))
	}
	return columns, rows, nil
}

// groups are what calls can be summed up by, and the columns of the view calls.
var groups = map[string]string{"day": "substr(started_at, 1, 10)", "model": "cli || coalesce('/' || model, '')", "cli": "cli", "client": "client_name", "dir": "cwd", "class": "error_class"}

// CallSums sums up the calls that are selected, by "day" (in UTC), "model", "cli", "client", "dir" or
// "class", the newest day or the most calls first. A sum leaves out what is not known.
func (s *Store) CallSums(ctx context.Context, c Calls, by string) (columns []string, rows [][]any, err error) {
	group, ok := groups[by]
	if !ok {
		return nil, nil, fmt.Errorf("calls cannot be summed up by %q: say day, model, cli, client, dir or class", by)
	}
	where, args, err := s.where(ctx, c)
	order := "2 DESC, 1"
	if by == "day" {
		order = "1 DESC"
	}
	if err == nil {
		columns, rows, err = table(ctx, s.reader, "SELECT "+group+" AS "+by+`, count(*) AS calls, sum(outcome = 'ok') AS answered, sum(outcome = 'refused') AS refused,
			sum(input_tokens) FILTER (WHERE usage_scope IS NULL) AS input_tokens, sum(output_tokens) FILTER (WHERE usage_scope IS NULL) AS output_tokens,
			sum(cost_usd) FILTER (WHERE cost_scope IS NULL) AS cost_usd, sum(cost_estimated) AS cost_estimated,
			sum(outcome IN ('ok', 'error') AND (cost_usd IS NULL OR cost_scope IS NOT NULL)) AS cost_unknown, cast(avg(run_ms) AS INTEGER) AS average_ms
			FROM calls`+where+" GROUP BY 1 ORDER BY "+order+" LIMIT ?", append(args, rowLimit(c.Limit))...)
	}
	if err != nil {
		return nil, nil, fmt.Errorf("sum up calls: %w", fileError(s.path, err))
	}
	return columns, rows, nil
}

// table reads what a query gives, with the names of its columns.
func table(ctx context.Context, db *sql.DB, query string, args ...any) (columns []string, list [][]any, err error) {
	rows, err := db.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, nil, err
	}
	defer rows.Close()
	if columns, err = rows.Columns(); err != nil {
		return nil, nil, err
	}
	for rows.Next() {
		row, into := make([]any, len(columns)), make([]any, len(columns))
		for i := range row {
			into[i] = &row[i]
		}
		if err := rows.Scan(into...); err != nil {
			return nil, nil, err
		}
		list = append(list, row)
	}
	return columns, list, rows.Err()
}
