package store

import (
	"context"
	"fmt"
)

// UsedModel is a model with which a CLI has answered.
type UsedModel struct{ CLI, Model string }

// UsedModels are the models that answered the last calls, of which at most rows are
// looked at; the most recently used first.
func (s *Store) UsedModels(ctx context.Context, rows int) ([]UsedModel, error) {
	// The bound is on rows, not on answers: the file may hold years of calls of others.
	found, err := s.reader.QueryContext(ctx, `SELECT cli, model FROM (SELECT id, cli, model, outcome FROM job ORDER BY id DESC LIMIT ?)
		WHERE outcome = 'ok' AND cli IS NOT NULL AND model IS NOT NULL GROUP BY cli, model ORDER BY max(id) DESC`, rows)
	if err != nil {
		return nil, fmt.Errorf("list used models: %w", fileError(s.path, err))
	}
	defer found.Close()
	var used []UsedModel
	for found.Next() {
		var u UsedModel
		if err := found.Scan(&u.CLI, &u.Model); err != nil {
			return nil, fmt.Errorf("list used models: %w", err)
		}
		used = append(used, u)
	}
	if err := found.Err(); err != nil {
		return nil, fmt.Errorf("list used models: %w", fileError(s.path, err))
	}
	return used, nil
}
