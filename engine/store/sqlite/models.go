package sqlite

import (
	"context"
	"fmt"

	"github.com/llm-cli-gateway/gateway/engine/store"
)

// RecentModels returns the models that answered the last calls of a principal, the most
// recently used first. It looks at that many rows, of all principals, at most.
func (s *Store) RecentModels(ctx context.Context, principal string, rows int) ([]store.UsedModel, error) {
	if err := store.CheckPrincipal(principal); err != nil {
		return nil, fmt.Errorf("list used models: %w", err)
	}
	// The bound is on rows, not on answers: the file may hold years of calls of others.
	used, err := queryAll(ctx, s.reader, func(u *store.UsedModel) []any { return []any{&u.CLI, &u.Model} },
		`SELECT cli, model FROM (SELECT id, cli, model, outcome, principal FROM job ORDER BY id DESC LIMIT ?)
		WHERE outcome = 'ok' AND cli IS NOT NULL AND model IS NOT NULL AND principal = ? GROUP BY cli, model ORDER BY max(id) DESC`, rows, principal)
	if err != nil {
		return nil, fmt.Errorf("list used models: %w", fileError(s.path, err))
	}
	return used, nil
}
