package sqlite

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/llm-cli-gateway/gateway/engine/store"
)

// attemptColumns carry an attempt.
func attemptColumns(a *store.Attempt) []column {
	return append(endColumns(&a.Outcome), []column{
		{"job_id", text{&a.Job}},
		{"n", number{&a.N}},
		{"cli", text{&a.CLI}},
		{"cli_version", text{&a.CLIVersion}},
		{"model", text{&a.Model}},
		{"session_id", text{&a.SessionID}},
		{"begun_ns", instant{&a.Begun}},
		{"tries", number{&a.Tries}},
		{"effects", flag{&a.Effects}},
		{"next", text{&a.Next}},
		{"wait_ms", millis{&a.Wait}},
		{"breaker", text{(*string)(&a.Breaker)}},
	}...)
}

var attemptNames = names(attemptColumns(new(store.Attempt)))

// nextColumns are written again when the next attempt of a job starts.
func nextColumns(j *store.Job) []column {
	return append(startColumns(j), []column{
		{"attempt", number{&j.Attempt}},
		{"begun_ns", instant{&j.Begun}},
		{"cli", text{&j.CLI}},
		{"asked", text{&j.Asked}},
		{"cli_version", text{&j.CLIVersion}},
		{"mode", text{&j.Mode}},
		{"model", text{&j.Model}},
		{"model_resolved", text{&j.Model}},
		{"spec_hash", text{&j.SpecHash}},
		{"session_id", text{&j.SessionID}},
		{"plan", jsonBytes(&j.Plan)},
	}...)
}

const (
	running = " WHERE id = ? AND state = 'live' AND coalesce(attempt, 1) = ? AND next_ns IS NULL"
	between = " WHERE id = ? AND state = 'live' AND coalesce(attempt, 1) = ? AND next_ns IS NOT NULL"
)

var (
	startNextSQL = "UPDATE job SET next_ns = NULL, " + strings.Join(names(nextColumns(new(store.Job))), " = ?, ") + " = ?" + between

	// What an attempt cost stays reserved beside what the next one may cost; where that is not
	// known, as much as was reserved for one.
	continueSQL = "UPDATE job SET next_ns = ?, plan = ?, attempt = ?, reserved_usd = reserved_usd + coalesce(?, reserved_usd / coalesce(attempt, 1))" + running

	finishAttemptSQL = "UPDATE job SET state = 'done', next_ns = NULL, " + strings.Join(names(finishColumns(new(store.Job))), " = ?, ") + " = ?, model = coalesce(?, model), " + settle
)

// EndAttempt writes the end of an attempt of a job, and what follows: the job is between two
// then, or ends. The error is ErrDone if others were first. A cancelled ctx does not stop it.
func (s *Store) EndAttempt(ctx context.Context, id string, step store.Step) error {
	ctx = context.WithoutCancel(ctx)
	err := s.checkFile()
	var find, upsert *sql.Stmt
	if turn := step.Turn; err == nil && turn != nil && (turn.Session != "" || turn.Native != "") {
		if err = store.CheckPrincipal(turn.Principal); err == nil {
			find, upsert, err = s.turnStatements() // before the transaction, which holds the only connection that writes
		}
	}
	if err == nil {
		err = s.inTx(ctx, func(tx *sql.Tx) error {
			query, args := continueSQL, []any{instant{&step.Next}, jsonBytes(&step.Plan), step.Attempt.N, step.Attempt.Outcome.Charged()}
			if step.Next.IsZero() {
				row := store.Job{Outcome: step.Outcome, ResponseBytes: int64(len(step.Outcome.Response))}
				row.Outcome.Response = clip(step.Outcome.Response, store.MaxResponse)
				query, args = finishAttemptSQL+running, slices.Concat(values(finishColumns(&row)), []any{text{&step.Outcome.Model}}, settled(&step.Outcome))
				if step.Waiting {
					query = finishAttemptSQL + between
				}
			}
			result, err := tx.ExecContext(ctx, query, append(args, id, step.Attempt.N)...)
			if err != nil {
				return err
			}
			if n, err := result.RowsAffected(); err != nil || n == 0 {
				return cmp.Or(err, error(store.ErrDone))
			}
			if step.Attempt.Job != "" {
				if _, err := tx.ExecContext(ctx, insertSQL("attempt", attemptNames), values(attemptColumns(&step.Attempt))...); err != nil {
					return err
				}
			}
			if find != nil {
				if err := updateSession(ctx, tx, step.Turn, find, upsert, id, step.Outcome.Ended); err != nil {
					return err
				}
			}
			_, err = changeBreakers(ctx, tx, step.Breakers)
			return err
		})
	}
	if err != nil {
		return s.jobError("end an attempt of", id, err)
	}
	return nil
}

// StartNext makes a job that is between two attempts one whose next attempt is under way, with
// what is known of it now; the row has the number of the new one. Start it only if this returned
// nil: of all who try one may. Its directory and its lease must be there before, as for Begin.
// The error is ErrDone otherwise, or that of Fit.Check if it does not fit.
func (s *Store) StartNext(ctx context.Context, job store.Job) error {
	err := s.checkFile()
	if err == nil {
		ctx := context.WithoutCancel(ctx)
		err = s.inTx(ctx, func(tx *sql.Tx) error {
			if err := fit(ctx, tx, job.Fit); err != nil {
				return err
			}
			result, err := tx.ExecContext(ctx, startNextSQL, append(values(nextColumns(&job)), job.ID, job.Attempt-1)...)
			if err != nil {
				return err
			}
			if n, err := result.RowsAffected(); err != nil || n == 0 {
				return cmp.Or(err, error(store.ErrDone))
			}
			return nil
		})
	}
	if err != nil {
		return s.jobError("start the next attempt of", job.ID, err)
	}
	return nil
}

// Attempts are those of a job that had more than one, in their order.
func (s *Store) Attempts(ctx context.Context, id string) ([]store.Attempt, error) {
	list, err := queryAll(ctx, s.reader, func(a *store.Attempt) []any { return values(attemptColumns(a)) },
		"SELECT "+strings.Join(attemptNames, ", ")+" FROM attempt WHERE job_id = ? ORDER BY n", id)
	if err != nil {
		return nil, s.jobError("read the attempts of", id, err)
	}
	return list, nil
}

// breakerColumns carry a breaker.
func breakerColumns(b *store.Breaker) []column {
	return []column{
		{"key", text{&b.Key}},
		{"state", text{(*string)(&b.State)}},
		{"failures", (*int)(&b.Failures)},
		{"opened_ns", instant{&b.Opened}},
		{"until_ns", instant{&b.Until}},
		{"trial", text{&b.Trial}},
		{"error_class", text{&b.Class}},
		{"error_message", text{&b.Message}},
		{"changed_ns", instant{&b.Changed}},
	}
}

var (
	breakerNames  = names(breakerColumns(new(store.Breaker)))
	breakerSQL    = "SELECT " + strings.Join(breakerNames, ", ") + " FROM breaker"
	setBreakerSQL = insertSQL("breaker", breakerNames) + " ON CONFLICT(key) DO UPDATE SET " + func() string {
		set := make([]string, 0, len(breakerNames))
		for _, name := range breakerNames[1:] {
			set = append(set, name+" = excluded."+name)
		}
		return strings.Join(set, ", ")
	}()
)

// Breakers are those of these keys of which something is known; without keys, all.
func (s *Store) Breakers(ctx context.Context, keys ...string) ([]store.Breaker, error) {
	into := func(b *store.Breaker) []any { return values(breakerColumns(b)) }
	var list []store.Breaker
	var err error
	if len(keys) == 0 {
		list, err = queryAll(ctx, s.reader, into, breakerSQL+" ORDER BY key")
	}
	for _, key := range keys {
		var b store.Breaker
		var find *sql.Stmt
		if find, err = s.breakerRead.get(s.reader, breakerSQL+" WHERE key = ?"); err != nil {
			break
		}
		switch err = find.QueryRowContext(ctx, key).Scan(into(&b)...); {
		case err == nil:
			list = append(list, b)
		case errors.Is(err, sql.ErrNoRows):
			err = nil
		}
		if err != nil {
			break
		}
	}
	if err != nil {
		return nil, fmt.Errorf("read the breakers: %w", fileError(s.path, err))
	}
	return list, nil
}

// ChangeBreakers changes breakers at once, and returns what became of them.
func (s *Store) ChangeBreakers(ctx context.Context, changes ...store.BreakerChange) (list []store.Breaker, err error) {
	if err = s.checkFile(); err == nil {
		err = s.inTx(context.WithoutCancel(ctx), func(tx *sql.Tx) error {
			list, err = changeBreakers(ctx, tx, changes)
			return err
		})
	}
	if err != nil {
		return nil, fmt.Errorf("change the breakers: %w", fileError(s.path, err))
	}
	return list, nil
}

func changeBreakers(ctx context.Context, tx *sql.Tx, changes []store.BreakerChange) (list []store.Breaker, err error) {
	for _, c := range changes {
		b := store.Breaker{Key: c.Key, State: store.BreakerClosed}
		err := tx.QueryRowContext(ctx, breakerSQL+" WHERE key = ?", c.Key).Scan(values(breakerColumns(&b))...)
		if err != nil && !errors.Is(err, sql.ErrNoRows) {
			return nil, err
		}
		now := c.Change(b)
		list = append(list, now)
		if now == b {
			continue
		}
		now.Key = c.Key
		if _, err := tx.ExecContext(ctx, setBreakerSQL, values(breakerColumns(&now))...); err != nil {
			return nil, err
		}
	}
	return list, nil
}
