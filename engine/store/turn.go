package store

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"time"
)

// openSession notes in the session of a job that this is its first turn. Where the session is
// gone, so is what there was to note.
func openSession(ctx context.Context, tx *sql.Tx, job Job) error {
	result, err := tx.ExecContext(ctx, "UPDATE session SET begun = 1, opener = ?, cwd = coalesce(cwd, ?), native_id = coalesce(native_id, ?) WHERE cli = ? AND id = ? AND begun = 0",
		job.ID, text{&job.Cwd}, text{&job.SessionID}, job.CLI, job.Session)
	if err != nil {
		return err
	}
	if n, err := result.RowsAffected(); err != nil || n > 0 {
		return err
	}
	there, err := sessions(ctx, tx, " WHERE cli = ? AND id = ?", job.CLI, job.Session)
	if err == nil && len(there) > 0 {
		err = ErrBegun
	}
	return err
}

// finishTurn writes the end of a job, and notes it in its session.
func (s *Store) finishTurn(ctx context.Context, t *Turn, job string, ended time.Time, end func(*sql.Stmt) (bool, error)) error {
	// Before the transaction, which holds the only connection that writes.
	told, err := s.told.on(s.writer, sessionSQL+ofID+" AND +cli = ?2 ORDER BY id = ?1 DESC, +used_ns DESC LIMIT 1")
	if err != nil {
		return err
	}
	replace, err := s.replace.on(s.writer, replaceSession)
	if err != nil {
		return err
	}
	return s.within(ctx, func(tx *sql.Tx) error {
		if fresh, err := end(tx.StmtContext(ctx, s.finish)); err != nil || !fresh {
			return err
		}
		return closeTurn(ctx, tx, t, told, replace, job, ended)
	})
}

// closeTurn notes the end of a job in its session.
func closeTurn(ctx context.Context, tx *sql.Tx, t *Turn, told, replace *sql.Stmt, job string, ended time.Time) error {
	var c Session
	err := tx.StmtContext(ctx, told).QueryRowContext(ctx, cmp.Or(t.Session, t.Native), t.CLI).Scan(values(columnsOfSession(&c))...)
	switch {
	case err != nil && !errors.Is(err, sql.ErrNoRows):
		return err
	case err == nil:
	case t.Session == "":
		c = Session{CLI: t.CLI, ID: t.Native, Opener: job, Created: ended}
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
	switch {
	case t.Began:
		c.Begun = true
		if c.Cwd == "" {
			c.Cwd = t.Cwd
		}
	case t.Undone && c.Turns == 0:
		c.Begun, c.Native, c.Cwd = false, t.Reset, ""
	}
	_, err = tx.StmtContext(ctx, replace).ExecContext(ctx, values(columnsOfSession(&c))...)
	return err
}
