// Package storetest is the contract of a store as a set of tests: what job, session, models
// and tools rely on, whatever keeps the rows.
//
// A store passes it in a test of its own, by Exercise. It hides nothing and must not know any
// store: what is about a file, a lock or a statement is tested with the store that has it.
package storetest

import (
	"context"
	"encoding/json"
	"testing"
	"time"

	"github.com/llm-cli-gateway/gateway/engine/store"
)

// Store has all that a user of a store asks for.
type Store interface {
	Begin(ctx context.Context, job store.Job) error
	BeginOrJoin(ctx context.Context, job store.Job, since time.Time) (joined *store.Job, err error)
	Finish(ctx context.Context, id string, outcome store.Outcome, turn *store.Turn) error
	ImportJob(ctx context.Context, job store.Job) (made bool, err error)
	FindJoinable(ctx context.Context, principal, key string, since time.Time) (store.Job, error)
	Job(ctx context.Context, principal, id string) (store.Job, error)
	Jobs(ctx context.Context, f store.Filter) ([]store.Job, error)
	ExpiredJobs(ctx context.Context, before time.Time) ([]string, error)
	DeleteJob(ctx context.Context, id string) error
	DropTexts(ctx context.Context, before time.Time) (dropped int, err error)
	IndexTexts(ctx context.Context) (more bool, err error)
	RecentModels(ctx context.Context, principal string, rows int) ([]store.UsedModel, error)
	Costs(ctx context.Context, sums []store.Costs) ([]store.Costs, error)
	MeanCost(ctx context.Context, cli, model string, since time.Time) (usd float64, known int, err error)
	Spent(ctx context.Context, principal, cli, native, before string) (store.Spent, error)

	Release(ctx context.Context, id string, approval json.RawMessage, now time.Time) error
	StartWaiting(ctx context.Context, job store.Job) error
	EndWaiting(ctx context.Context, id string, approval json.RawMessage, released bool, outcome store.Outcome, turn *store.Turn) error

	EndAttempt(ctx context.Context, id string, step store.Step) error
	StartNext(ctx context.Context, job store.Job) error
	Attempts(ctx context.Context, id string) ([]store.Attempt, error)
	Breakers(ctx context.Context, keys ...string) ([]store.Breaker, error)
	ChangeBreakers(ctx context.Context, changes ...store.BreakerChange) ([]store.Breaker, error)

	RecordJoin(ctx context.Context, join store.Join) error
	Joins(ctx context.Context, principal, id string, limit int) ([]store.Join, error)

	RecordApproval(ctx context.Context, a store.Approval) error
	Approvals(ctx context.Context, principal, cli string, limit int) ([]store.Approval, error)
	PruneApprovals(ctx context.Context, before time.Time) (removed int, err error)

	CreateSession(ctx context.Context, s store.Session) error
	FindSessions(ctx context.Context, principal, cli, id string) ([]store.Session, error)
	Sessions(ctx context.Context, principal, cli string, limit int) (list []store.Session, total int, err error)
	ActiveSession(ctx context.Context, principal, cli string) (store.Session, error)
	ActiveSessions(ctx context.Context, principal string) ([]store.Session, error)
	ActivateSession(ctx context.Context, principal, cli, id string) error
	DeleteSession(ctx context.Context, principal, cli, id string) error
	DeleteSessions(ctx context.Context, principal, cli string) (removed int, err error)
	PruneSessions(ctx context.Context, before time.Time) (removed int, err error)
	Imported(ctx context.Context, source string) (bool, error)
	ImportSessions(ctx context.Context, source string, list []store.Session) error

	Close() error
}

// Exercise tests a store. Each call of open returns another one without rows, which the
// caller closes when t ends.
func Exercise(t *testing.T, open func(t *testing.T) Store) {
	for _, c := range []struct {
		name string
		test func(t *testing.T, s Store)
	}{
		{"job/fields survive", jobFieldsSurvive},
		{"job/empty fields", emptyFields},
		{"job/finish once", finishOnce},
		{"job/finish needs an ending", finishNeedsEnding},
		{"job/finish outlives its context", finishOutlivesContext},
		{"job/begin refuses", beginRefuses},
		{"job/answering model", answeringModel},
		{"job/long and invalid texts", longAndInvalidTexts},
		{"job/filter", filter},
		{"job/limit", jobLimit},
		{"job/import", importJob},
		{"job/expire and delete", expireAndDelete},
		{"job/refused", refusedCalls},
		{"job/texts dropped", textsDropped},
		{"job/search", searchTexts},
		{"job/recent models", recentModels},
		{"job/spent", spent},
		{"job/many goroutines", manyGoroutines},
		{"job/closed", closed},
		{"cost/reserved until the end", reservedUntilTheEnd},
		{"cost/of calls that do not fit", callsThatDoNotFit},
		{"cost/of attempts", costOfAttempts},
		{"cost/sums", costSums},
		{"cost/mean", meanCost},
		{"waiting/start", waitAndStart},
		{"waiting/end", waitAndEnd},
		{"waiting/one decides", oneDecides},
		{"waiting/listed", waitingListed},
		{"attempt/two of a job", twoAttempts},
		{"attempt/one starts the next", oneStartsNext},
		{"attempt/end between two", endBetween},
		{"attempt/of a turn", attemptOfTurn},
		{"attempt/deleted with their job", attemptsDeleted},
		{"breaker/changed once each", breakerChanges},
		{"join/begin or join", beginOrJoin},
		{"join/one begins of many", func(t *testing.T, s Store) { OneBegins(t, s) }},
		{"join/joins survive", joinsSurvive},
		{"approval/fields survive", approvalFieldsSurvive},
		{"approval/refused", approvalsRefused},
		{"approval/limit", approvalLimit},
		{"approval/prune", pruneApprovals},
		{"session/fields survive", sessionFieldsSurvive},
		{"session/one is active", oneActiveSession},
		{"session/limit", sessionLimit},
		{"session/begin", beginSession},
		{"session/begin or join", beginOrJoinSession},
		{"session/end of a turn", endOfTurn},
		{"session/late end of a turn", lateTurn},
		{"session/prune", pruneSessions},
		{"session/import once", importSessionsOnce},
		{"principal/jobs", jobsOfPrincipals},
		{"principal/joins", joinsOfPrincipals},
		{"principal/approvals", approvalsOfPrincipals},
		{"principal/sessions", sessionsOfPrincipals},
		{"principal/turns", turnsOfPrincipals},
		{"principal/none", noPrincipal},
	} {
		t.Run(c.name, func(t *testing.T) { c.test(t, open(t)) })
	}
}
