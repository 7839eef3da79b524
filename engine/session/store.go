package session

import (
	"context"

	"github.com/llm-cli-gateway/gateway/engine/store"
)

// Store is where sessions are recorded, beside the jobs that are their turns.
type Store interface {
	CreateSession(ctx context.Context, s store.Session) error
	FindSessions(ctx context.Context, principal, cli, id string) ([]store.Session, error)
	Sessions(ctx context.Context, principal, cli string, limit int) (list []store.Session, total int, err error)
	ActiveSession(ctx context.Context, principal, cli string) (store.Session, error)
	ActiveSessions(ctx context.Context, principal string) ([]store.Session, error)
	ActivateSession(ctx context.Context, principal, cli, id string) error
	DeleteSession(ctx context.Context, principal, cli, id string) error
	DeleteSessions(ctx context.Context, principal, cli string) (removed int, err error)

	Imported(ctx context.Context, source string) (bool, error)
	ImportSessions(ctx context.Context, source string, list []store.Session) error
	Volatile() bool // the rows end with this process
}
