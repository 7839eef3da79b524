package sqlite

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/llm-cli-gateway/gateway/engine/store"
)

// beginSession notes in the session of a job that this is its first turn. Where the session is
// gone, so is what there was to note.
func beginSession(ctx context.Context, tx *sql.Tx, job store.Job) error {
	result, err := tx.ExecContext(ctx, "UPDATE session SET begun = 1, opener = ?, cwd = coalesce(cwd, ?), native_id = coalesce(native_id, ?) WHERE cli = ? AND id = ? AND principal = ? AND begun = 0",
		job.ID, text{&job.Cwd}, text{&job.SessionID}, job.CLI, job.Session, job.Principal)
	if err != nil {
		return err
	}
	if n, err := result.RowsAffected(); err != nil || n > 0 {
		return err
	}
	there, err := querySessions(ctx, tx, " WHERE cli = ? AND id = ? AND principal = ?", job.CLI, job.Session, job.Principal)
	if err == nil && len(there) > 0 {
		err = store.ErrSessionBegun
	}
	return err
}

// finishTurn writes the end of a job, and notes it in its session.
func (s *Store) finishTurn(ctx context.Context, t *store.Turn, job string, ended time.Time, end func(*sql.Stmt) (bool, error)) error {
	if err := store.CheckPrincipal(t.Principal); err != nil {
		return err
	}
	// Before the transaction, which holds the only connection that writes.
	find, err := s.turnSession.get(s.writer, sessionSQL+byID+" AND +cli = ?2 AND +principal = ?3 ORDER BY id = ?1 DESC, +used_ns DESC LIMIT 1")
	if err != nil {
		return err
	}
	upsert, err := s.upsertSession.get(s.writer, upsertSessionSQL)
	if err != nil {
		return err
	}
	return s.inTx(ctx, func(tx *sql.Tx) error {
		if fresh, err := end(tx.StmtContext(ctx, s.finishJob)); err != nil || !fresh {
			return err
		}
		return updateSession(ctx, tx, t, find, upsert, job, ended)
	})
}

// updateSession notes the end of a job in its session.
func updateSession(ctx context.Context, tx *sql.Tx, t *store.Turn, find, upsert *sql.Stmt, job string, ended time.Time) error {
	var c store.Session
	err := tx.StmtContext(ctx, find).QueryRowContext(ctx, cmp.Or(t.Session, t.Native), t.CLI, t.Principal).Scan(values(sessionColumns(&c))...)
	switch {
	case err != nil && !errors.Is(err, sql.ErrNoRows):
		return err
	case err == nil:
	case t.Session == "":
		c = store.Session{Principal: t.Principal, CLI: t.CLI, ID: t.Native, Opener: job, Created: ended}
	default:
		return nil // it was deleted while its turn went on
	}
	if t.Answered {
		c.Turns++
	}
	if c.Used.Before(ended) {
		c.Used = ended
	}
	if t.Native != "" {
		c.Native = t.Native
	}
	if len(t.Kept) > 0 && (t.Answered || len(c.Kept) == 0) {
		c.Kept = t.Kept
	}
	switch {
	case t.Began:
		c.Begun = true
		if c.Cwd == "" {
			c.Cwd = t.Cwd
		}
	case t.Undone && c.Turns == 0:
		c.Begun, c.Native, c.Cwd = false, t.Reset, ""
	}
	_, err = tx.StmtContext(ctx, upsert).ExecContext(ctx, values(sessionColumns(&c))...)
	return err
}
