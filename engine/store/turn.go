package store

import (
	"context"
	"database/sql"
	"errors"
	"time"
)

// ErrBegun says that a session, of which a job was to be the first turn, has begun.
var ErrBegun = errors.New("the session has begun already")

// Turn is what the end of a job means for the session of which it was a turn. Where the
// job began without one, that of its native id is meant, which is made if there is none.
type Turn struct {
	CLI      string
	Session  string // as callers name it; "" where the job began without one
	Native   string // as the CLI names it; "" if it did not tell
	Cwd      string
	Answered bool
	Began    bool // the CLI has the conversation
	// Undone says that the CLI does not have it, so that the next call begins it, with
	// the native id Reset. It does not hold for a session that was answered before.
	Undone bool
	Reset  string
}

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

// close notes the end of a job in its session.
func (t *Turn) close(ctx context.Context, tx *sql.Tx, job string, ended time.Time) error {
	if t.Session == "" && t.Native == "" {
		return nil
	}
	where, args := " WHERE cli = ? AND id = ?", []any{t.CLI, t.Session}
	if t.Session == "" {
		where, args = " WHERE cli = ? AND (id = ? OR native_id = ?) ORDER BY used_ns DESC LIMIT 1", []any{t.CLI, t.Native, t.Native}
	}
	list, err := sessions(ctx, tx, where, args...)
	if err != nil {
		return err
	}
	var c Session
	switch {
	case len(list) > 0:
		c = list[0]
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
	_, err = tx.ExecContext(ctx, replaceSession, values(c.columns())...)
	return err
}
