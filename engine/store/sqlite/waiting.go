package sqlite

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"strings"
	"time"

	"github.com/llm-cli-gateway/gateway/engine/store"
)

// startColumns are written again when a job that waited is started: what was not known
// before, or may differ where another gateway starts it.
func startColumns(j *store.Job) []column {
	return []column{
		{"owner", text{&j.Owner}},
		{"folder", text{&j.Folder}},
		{"approval", jsonBytes(&j.Approval)},
		{"args", jsonBytes(&j.Args)},
		{"argv", jsonTexts(&j.Argv)},
		{"env_names", jsonTexts(&j.EnvNames)},
		{"catalog_digest", text{&j.CatalogDigest}},
		{"gateway_version", text{&j.GatewayVersion}},
	}
}

const (
	waits     = " WHERE id = ? AND state = 'live' AND wait_until_ns IS NOT NULL"
	undecided = " AND released IS NULL"

	releaseSQL = "UPDATE job SET released = 1, approval = ?" + waits + undecided + " AND wait_until_ns > ?"
)

var (
	startWaitingSQL = "UPDATE job SET wait_until_ns = NULL, " + strings.Join(names(startColumns(new(store.Job))), " = ?, ") + " = ?" + waits + " AND released = 1"

	endWaitingSQL = "UPDATE job SET state = 'done', approval = ?, " + strings.Join(names(finishColumns(new(store.Job))), " = ?, ") + " = ?, reserved_usd = NULL" + waits
)

// Release notes that a job which waits for a person may be started, and the decision. The
// error is ErrNotWaiting if it does not wait any more: of two decisions one counts.
func (s *Store) Release(ctx context.Context, id string, approval json.RawMessage, now time.Time) error {
	return s.changeWaiting(ctx, "approve", id, nil, releaseSQL, jsonBytes(&approval), id, now.UnixNano())
}

// StartWaiting makes a job that was released one that is under way, with what is known of it
// now. Start it only if this returned nil: of all who try one may. Its directory and its
// lease must be there before, as for Begin. The error is ErrNotWaiting otherwise.
func (s *Store) StartWaiting(ctx context.Context, job store.Job) error {
	return s.changeWaiting(ctx, "start", job.ID, nil, startWaitingSQL, append(values(startColumns(&job)), job.ID)...)
}

// EndWaiting ends a job that waits for a person, of which nothing was run, and notes the
// decision and what the end means for its session. One that was released is ended only if
// released says so. The error is ErrNotWaiting if it waits no more.
func (s *Store) EndWaiting(ctx context.Context, id string, approval json.RawMessage, released bool, outcome store.Outcome, turn *store.Turn) error {
	ctx = context.WithoutCancel(ctx)
	if outcome.Ended.IsZero() {
		outcome.Ended = time.Now()
	}
	query := endWaitingSQL
	if !released {
		query += undecided
	}
	columns := append([]any{jsonBytes(&approval)}, values(finishColumns(&store.Job{Outcome: outcome}))...)
	var note func(tx *sql.Tx) error
	if turn != nil && (turn.Session != "" || turn.Native != "") {
		if err := store.CheckPrincipal(turn.Principal); err != nil {
			return s.jobError("finish", id, err)
		}
		// Before the transaction, which holds the only connection that writes.
		find, upsert, err := s.turnStatements()
		if err != nil {
			return s.jobError("finish", id, err)
		}
		note = func(tx *sql.Tx) error { return updateSession(ctx, tx, turn, find, upsert, id, outcome.Ended) }
	}
	return s.changeWaiting(ctx, "finish", id, note, query, append(columns, id)...)
}

// changeWaiting changes the row of a job that waits, and with it what then has to do.
func (s *Store) changeWaiting(ctx context.Context, verb, id string, then func(*sql.Tx) error, query string, args ...any) error {
	err := s.checkFile()
	if err == nil {
		err = s.inTx(ctx, func(tx *sql.Tx) error {
			result, err := tx.ExecContext(ctx, query, args...)
			if err != nil {
				return err
			}
			if n, err := result.RowsAffected(); err != nil || n == 0 {
				return cmp.Or(err, error(store.ErrNotWaiting))
			}
			if then != nil {
				return then(tx)
			}
			return nil
		})
	}
	if err != nil {
		return s.jobError(verb, id, err)
	}
	return nil
}
