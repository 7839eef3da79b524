package sqlite

import (
	"context"
	"fmt"

	"github.com/llm-cli-gateway/gateway/engine/store"
)

const spentSQL = "SELECT mode = 'new', usage_scope, cost_scope, input_tokens, output_tokens, cache_read_tokens, cache_write_tokens, reasoning_tokens, cost_usd FROM job " +
	"WHERE native_session_id = ? AND id < ? AND +cli = ? AND +state = 'done' AND +principal = ? ORDER BY id"

// Spent is what the turns of a conversation of a CLI have used that are older than a job. A
// conversation is known by the name that its CLI gave it.
func (s *Store) Spent(ctx context.Context, principal, cli, native, before string) (store.Spent, error) {
	var all store.Spent
	fail := func(err error) (store.Spent, error) {
		return store.Spent{}, fmt.Errorf("read the turns of conversation %s: %w", native, fileError(s.path, err))
	}
	if err := store.CheckPrincipal(principal); err != nil {
		return fail(err)
	}
	rows, err := s.reader.QueryContext(ctx, spentSQL, native, before, cli, principal)
	if err != nil {
		return fail(err)
	}
	defer rows.Close()
	for rows.Next() {
		var first bool
		var turn store.Outcome
		o := &turn
		if err := rows.Scan(&first, text{&o.UsageScope}, text{&o.CostScope}, &o.InputTokens, &o.OutputTokens, &o.CacheReadTokens, &o.CacheWriteTokens, &o.ReasoningTokens, &o.CostUSD); err != nil {
			return fail(err)
		}
		all.Add(turn, first)
	}
	if err := rows.Err(); err != nil {
		return fail(err)
	}
	return all, nil
}
