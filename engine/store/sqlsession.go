package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"
)

func columnsOfSession(c *Session) []column {
	return []column{
		{"cli", text{&c.CLI}},
		{"id", text{&c.ID}},
		{"native_id", text{&c.Native}},
		{"begun", flag{&c.Begun}},
		{"active", flag{&c.Active}},
		{"turns", count{&c.Turns}},
		{"opener", text{&c.Opener}},
		{"cwd", text{&c.Cwd}},
		{"description", text{&c.Description}},
		{"created_ns", instant{&c.Created}},
		{"used_ns", instant{&c.Used}},
	}
}

var (
	sessionColumns = names(columnsOfSession(new(Session)))
	sessionSQL     = "SELECT " + strings.Join(sessionColumns, ", ") + " FROM session"
	addSession     = insertSQL("session", sessionColumns)
	putSessionSQL  = addSession + " ON CONFLICT(cli, id) DO "
	keepSession    = putSessionSQL + "NOTHING"
	replaceSession = putSessionSQL + "UPDATE SET " + func() string {
		set := make([]string, len(sessionColumns))
		for i, name := range sessionColumns {
			set[i] = name + " = excluded." + name
		}
		return strings.Join(set, ", ")
	}()
)

// ofID selects the sessions that have the id ?1. Left to itself, SQLite would look
// through all of a CLI, or through all in the order of their use.
const ofID = " WHERE rowid IN (SELECT rowid FROM session WHERE id = ?1 UNION ALL SELECT rowid FROM session WHERE native_id = ?1)"

// sessions reads what follows "FROM session".
func sessions(ctx context.Context, q querier, rest string, args ...any) ([]Session, error) {
	return all(ctx, q, func(c *Session) []any { return values(columnsOfSession(c)) }, sessionSQL+rest, args...)
}

func (s *Store) noSession(verb string, err error) error {
	return fmt.Errorf("%s session: %w", verb, fileError(s.path, err))
}

// change runs a write transaction on the sessions.
func (s *Store) change(ctx context.Context, verb string, do func(tx *sql.Tx) error) error {
	err := s.present()
	if err == nil {
		err = s.within(ctx, do)
	}
	if err != nil {
		return s.noSession(verb, err)
	}
	return nil
}

func (s *Store) within(ctx context.Context, do func(tx *sql.Tx) error) error {
	tx, err := s.writer.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback()
	if err := do(tx); err != nil {
		return err
	}
	return tx.Commit()
}

// FindSessions returns the sessions that have an id, as callers or as their CLI name
// them, the last used first. Ids are those of one CLI; with an empty cli, of any.
func (s *Store) FindSessions(ctx context.Context, cli, id string) ([]Session, error) {
	list, err := sessions(ctx, s.reader, ofID+" AND ?2 IN ('', cli) ORDER BY +used_ns DESC, id LIMIT 10", id, cli)
	if err != nil {
		return nil, s.noSession("find", err)
	}
	return list, nil
}

// ActiveSession is the active session of a CLI, or ErrNoSession.
func (s *Store) ActiveSession(ctx context.Context, cli string) (Session, error) {
	var c Session
	active, err := s.active.on(s.reader, sessionSQL+" WHERE cli = ? AND active = 1")
	if err == nil {
		err = active.QueryRowContext(ctx, cli).Scan(values(columnsOfSession(&c))...)
	}
	if errors.Is(err, sql.ErrNoRows) {
		return Session{}, ErrNoSession
	}
	if err != nil {
		return Session{}, s.noSession("find", err)
	}
	return c, nil
}

// ActiveSessions are the active ones, by their CLIs.
func (s *Store) ActiveSessions(ctx context.Context) ([]Session, error) {
	list, err := sessions(ctx, s.reader, " WHERE active = 1 ORDER BY cli")
	if err != nil {
		return nil, s.noSession("list", err)
	}
	return list, nil
}

// Sessions returns those of a CLI, or of all if cli is empty: the last used first, and
// how many there are in all. A limit of zero means 50; 500 is the most.
func (s *Store) Sessions(ctx context.Context, cli string, limit int) (list []Session, total int, err error) {
	if limit <= 0 {
		limit = DefaultLimit
	}
	list, err = sessions(ctx, s.reader, " WHERE ? IN ('', cli) ORDER BY used_ns DESC, id LIMIT ?", cli, min(limit, MaxLimit))
	if err == nil {
		err = s.reader.QueryRowContext(ctx, "SELECT count(*) FROM session WHERE ? IN ('', cli)", cli).Scan(&total)
	}
	if err != nil {
		return nil, 0, s.noSession("list", err)
	}
	return list, total, nil
}

// CreateSession makes a session. An active one takes the place of the one before.
func (s *Store) CreateSession(ctx context.Context, c Session) error {
	if c.Created.IsZero() {
		c.Created = time.Now()
	}
	if c.Used.IsZero() {
		c.Used = c.Created
	}
	return s.change(ctx, "create", func(tx *sql.Tx) error {
		if c.Active {
			if err := calm(ctx, tx, c.CLI); err != nil {
				return err
			}
		}
		_, err := tx.ExecContext(ctx, addSession, values(columnsOfSession(&c))...)
		return err
	})
}

// calm leaves a CLI without an active session.
func calm(ctx context.Context, tx *sql.Tx, cli string) error {
	_, err := tx.ExecContext(ctx, "UPDATE session SET active = 0 WHERE cli = ? AND active = 1", cli)
	return err
}

// ActivateSession makes a session the active one of its CLI; with an empty id there is
// none then. The error is ErrNoSession if there is no such session.
func (s *Store) ActivateSession(ctx context.Context, cli, id string) error {
	return s.change(ctx, "activate", func(tx *sql.Tx) error {
		if err := calm(ctx, tx, cli); err != nil || id == "" {
			return err
		}
		result, err := tx.ExecContext(ctx, "UPDATE session SET active = 1 WHERE cli = ? AND id = ?", cli, id)
		if err != nil {
			return err
		}
		if n, err := result.RowsAffected(); err != nil || n == 0 {
			return errors.Join(err, ErrNoSession)
		}
		return nil
	})
}

// DeleteSession removes a session. One that is not there is no error.
func (s *Store) DeleteSession(ctx context.Context, cli, id string) error {
	_, err := s.remove(ctx, "DELETE FROM session WHERE cli = ? AND id = ?", cli, id)
	return err
}

// ClearSessions removes the sessions of a CLI, or all if cli is empty, and returns how
// many there were.
func (s *Store) ClearSessions(ctx context.Context, cli string) (removed int, err error) {
	return s.remove(ctx, "DELETE FROM session WHERE ? IN ('', cli)", cli)
}

// ExpireSessions removes the sessions that were last used before a time, but for those
// of which a turn is under way.
func (s *Store) ExpireSessions(ctx context.Context, before time.Time) (removed int, err error) {
	return s.remove(ctx, "DELETE FROM session WHERE used_ns < ? AND NOT EXISTS "+
		"(SELECT 1 FROM job WHERE state = 'live' AND job.cli = session.cli AND job.session = session.id)", before.UnixNano())
}

func (s *Store) remove(ctx context.Context, query string, args ...any) (removed int, err error) {
	err = s.change(ctx, "remove", func(tx *sql.Tx) error {
		result, err := tx.ExecContext(ctx, query, args...)
		if err != nil {
			return err
		}
		n, err := result.RowsAffected()
		removed = int(n)
		return err
	})
	return removed, err
}

// Imported reports whether ImportSessions has taken what comes from a source.
func (s *Store) Imported(ctx context.Context, source string) (bool, error) {
	var n int
	err := s.reader.QueryRowContext(ctx, "SELECT count(*) FROM imported WHERE source = ?", source).Scan(&n)
	if err != nil {
		return false, s.noSession("import", err)
	}
	return n > 0, nil
}

// ImportSessions takes sessions that come from a source, once: of any number of callers
// in any number of processes one does. Those that are there already stay as they are,
// and so do active ones.
func (s *Store) ImportSessions(ctx context.Context, source string, list []Session) error {
	return s.change(ctx, "import", func(tx *sql.Tx) error {
		result, err := tx.ExecContext(ctx, "INSERT INTO imported(source, created_ns) VALUES(?, ?) ON CONFLICT DO NOTHING", source, time.Now().UnixNano())
		if err != nil {
			return err
		}
		if n, err := result.RowsAffected(); err != nil || n == 0 {
			return err
		}
		active, err := sessions(ctx, tx, " WHERE active = 1")
		if err != nil {
			return err
		}
		taken := map[string]bool{}
		for _, c := range active {
			taken[c.CLI] = true
		}
		for _, c := range list {
			c.Active = c.Active && !taken[c.CLI]
			taken[c.CLI] = taken[c.CLI] || c.Active
			if _, err := tx.ExecContext(ctx, keepSession, values(columnsOfSession(&c))...); err != nil {
				return err
			}
		}
		return nil
	})
}
