package job

import (
	"context"
	"encoding/json"
	"time"

	"github.com/llm-cli-gateway/gateway/engine/store"
)

// Store is the record of jobs: a row for each, which is there before its program runs.
type Store interface {
	Begin(ctx context.Context, job store.Job) error
	BeginOrJoin(ctx context.Context, job store.Job, since time.Time) (joined *store.Job, err error)
	Finish(ctx context.Context, id string, outcome store.Outcome, turn *store.Turn) error
	Release(ctx context.Context, id string, approval json.RawMessage, now time.Time) error
	StartWaiting(ctx context.Context, job store.Job) error
	EndWaiting(ctx context.Context, id string, approval json.RawMessage, released bool, outcome store.Outcome, turn *store.Turn) error
	EndAttempt(ctx context.Context, id string, step store.Step) error
	StartNext(ctx context.Context, job store.Job) error
	Attempts(ctx context.Context, id string) ([]store.Attempt, error)
	Breakers(ctx context.Context, keys ...string) ([]store.Breaker, error)
	ChangeBreakers(ctx context.Context, changes ...store.BreakerChange) ([]store.Breaker, error)
	FindJoinable(ctx context.Context, principal, key string, since time.Time) (store.Job, error)
	Job(ctx context.Context, principal, id string) (store.Job, error)
	Jobs(ctx context.Context, f store.Filter) ([]store.Job, error)
	Joins(ctx context.Context, principal, id string, limit int) ([]store.Join, error)
	Spent(ctx context.Context, principal, cli, native, before string) (store.Spent, error)
	FindSessions(ctx context.Context, principal, cli, id string) ([]store.Session, error)

	ExpiredJobs(ctx context.Context, before time.Time) ([]string, error)
	DeleteJob(ctx context.Context, id string) error
	PruneSessions(ctx context.Context, before time.Time) (removed int, err error)

	CallStore
}

// CallStore is where calls are recorded once more when they have ended, if that is not
// where jobs are recorded.
type CallStore interface {
	ImportJob(ctx context.Context, job store.Job) (made bool, err error)
	RecordJoin(ctx context.Context, join store.Join) error
}
