package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/llm-cli-gateway/gateway/engine/store"
)

func sessionColumns(c *store.Session) []column {
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
		{"principal", text{&c.Principal}},
		{"kept", jsonBytes(&c.Kept)},
	}
}

var (
	sessionNames             = names(sessionColumns(new(store.Session)))
	sessionSQL               = "SELECT " + strings.Join(sessionNames, ", ") + " FROM session"
	insertSessionSQL         = insertSQL("session", sessionNames)
	onConflictSQL            = insertSessionSQL + " ON CONFLICT(cli, id) DO "
	insertSessionIfAbsentSQL = onConflictSQL + "NOTHING"
	upsertSessionSQL         = onConflictSQL + "UPDATE SET " + func() string {
		set := make([]string, len(sessionNames))
		for i, name := range sessionNames {
			set[i] = name + " = excluded." + name
		}
		return strings.Join(set, ", ")
	}() + " WHERE session.principal = excluded.principal" // that of another principal stays as it is
)

// byID selects the sessions that have the id ?1. Left to itself, SQLite would look
// through all of a CLI, or through all in the order of their use.
const byID = " WHERE rowid IN (SELECT rowid FROM session WHERE id = ?1 UNION ALL SELECT rowid FROM session WHERE native_id = ?1)"

// querySessions reads what follows "FROM session".
func querySessions(ctx context.Context, q querier, rest string, args ...any) ([]store.Session, error) {
	return queryAll(ctx, q, scanSession, sessionSQL+rest, args...)
}

func scanSession(c *store.Session) []any { return values(sessionColumns(c)) }

func (s *Store) sessionError(verb string, err error) error {
	return fmt.Errorf("%s session: %w", verb, fileError(s.path, err))
}

// changeSessions runs a write transaction on the sessions.
func (s *Store) changeSessions(ctx context.Context, verb string, do func(tx *sql.Tx) error) error {
	err := s.checkFile()
	if err == nil {
		err = s.inTx(ctx, do)
	}
	if err != nil {
		return s.sessionError(verb, err)
	}
	return nil
}

func (s *Store) inTx(ctx context.Context, do func(tx *sql.Tx) error) error {
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

// FindSessions returns the sessions of a principal that have an id, as callers or as their CLI name
// them, the last used first. Ids are those of one CLI; with an empty cli, of any.
func (s *Store) FindSessions(ctx context.Context, principal, cli, id string) ([]store.Session, error) {
	if err := store.CheckPrincipal(principal); err != nil {
		return nil, s.sessionError("find", err)
	}
	list, err := querySessions(ctx, s.reader, byID+" AND ?2 IN ('', cli) AND +principal = ?3 ORDER BY +used_ns DESC, id LIMIT 10", id, cli, principal)
	if err != nil {
		return nil, s.sessionError("find", err)
	}
	return list, nil
}

// ActiveSession returns the active session of a principal for a CLI, or ErrNoSession.
func (s *Store) ActiveSession(ctx context.Context, principal, cli string) (store.Session, error) {
	if err := store.CheckPrincipal(principal); err != nil {
		return store.Session{}, s.sessionError("find", err)
	}
	var c store.Session
	active, err := s.activeSession.get(s.reader, sessionSQL+" WHERE cli = ? AND principal = ? AND active = 1")
	if err == nil {
		err = active.QueryRowContext(ctx, cli, principal).Scan(values(sessionColumns(&c))...)
	}
	if errors.Is(err, sql.ErrNoRows) {
		return store.Session{}, store.ErrNoSession
	}
	if err != nil {
		return store.Session{}, s.sessionError("find", err)
	}
	return c, nil
}

// ActiveSessions returns the active sessions of a principal, by their CLIs.
func (s *Store) ActiveSessions(ctx context.Context, principal string) ([]store.Session, error) {
	if err := store.CheckPrincipal(principal); err != nil {
		return nil, s.sessionError("list", err)
	}
	list, err := querySessions(ctx, s.reader, " WHERE active = 1 AND +principal = ? ORDER BY cli", principal)
	if err != nil {
		return nil, s.sessionError("list", err)
	}
	return list, nil
}

// Sessions returns the sessions of a principal for a CLI, or for all if cli is empty: the
// last used first, and how many there are in all. A limit of zero means 50; 500 is the most.
func (s *Store) Sessions(ctx context.Context, principal, cli string, limit int) (list []store.Session, total int, err error) {
	if err := store.CheckPrincipal(principal); err != nil {
		return nil, 0, s.sessionError("list", err)
	}
	list, err = querySessions(ctx, s.reader, " WHERE principal = ? AND ? IN ('', cli) ORDER BY used_ns DESC, id LIMIT ?", principal, cli, rowLimit(limit))
	if err == nil {
		err = s.reader.QueryRowContext(ctx, "SELECT count(*) FROM session WHERE principal = ? AND ? IN ('', cli)", principal, cli).Scan(&total)
	}
	if err != nil {
		return nil, 0, s.sessionError("list", err)
	}
	return list, total, nil
}

// CreateSession makes a session. An active one takes the place of the one before. It fails
// where the CLI has a session of that id, whose ever it is.
func (s *Store) CreateSession(ctx context.Context, c store.Session) error {
	if err := store.CheckPrincipal(c.Principal); err != nil {
		return s.sessionError("create", err)
	}
	if c.Created.IsZero() {
		c.Created = time.Now()
	}
	if c.Used.IsZero() {
		c.Used = c.Created
	}
	return s.changeSessions(ctx, "create", func(tx *sql.Tx) error {
		if c.Active {
			if err := deactivate(ctx, tx, c.Principal, c.CLI); err != nil {
				return err
			}
		}
		_, err := tx.ExecContext(ctx, insertSessionSQL, values(sessionColumns(&c))...)
		return err
	})
}

// deactivate leaves a principal without an active session for a CLI.
func deactivate(ctx context.Context, tx *sql.Tx, principal, cli string) error {
	_, err := tx.ExecContext(ctx, "UPDATE session SET active = 0 WHERE cli = ? AND principal = ? AND active = 1", cli, principal)
	return err
}

// ActivateSession makes a session the active one of its principal for its CLI; with an
// empty id there is none then. The error is ErrNoSession if there is no such session.
func (s *Store) ActivateSession(ctx context.Context, principal, cli, id string) error {
	if err := store.CheckPrincipal(principal); err != nil {
		return s.sessionError("activate", err)
	}
	return s.changeSessions(ctx, "activate", func(tx *sql.Tx) error {
		if err := deactivate(ctx, tx, principal, cli); err != nil || id == "" {
			return err
		}
		result, err := tx.ExecContext(ctx, "UPDATE session SET active = 1 WHERE cli = ? AND id = ? AND principal = ?", cli, id, principal)
		if err != nil {
			return err
		}
		if n, err := result.RowsAffected(); err != nil || n == 0 {
			return errors.Join(err, store.ErrNoSession)
		}
		return nil
	})
}

// DeleteSession removes a session of a principal. One that is not there is no error.
func (s *Store) DeleteSession(ctx context.Context, principal, cli, id string) error {
	if err := store.CheckPrincipal(principal); err != nil {
		return s.sessionError("remove", err)
	}
	_, err := s.deleteSessions(ctx, "DELETE FROM session WHERE cli = ? AND id = ? AND principal = ?", cli, id, principal)
	return err
}

// DeleteSessions removes the sessions of a principal for a CLI, or for all if cli is empty,
// and returns how many there were.
func (s *Store) DeleteSessions(ctx context.Context, principal, cli string) (removed int, err error) {
	if err := store.CheckPrincipal(principal); err != nil {
		return 0, s.sessionError("remove", err)
	}
	return s.deleteSessions(ctx, "DELETE FROM session WHERE principal = ? AND ? IN ('', cli)", principal, cli)
}

// PruneSessions removes the sessions of all principals that were last used before a time, but for those
// of which a turn is under way.
func (s *Store) PruneSessions(ctx context.Context, before time.Time) (removed int, err error) {
	return s.deleteSessions(ctx, "DELETE FROM session WHERE used_ns < ? AND NOT EXISTS "+
		"(SELECT 1 FROM job WHERE state = 'live' AND job.cli = session.cli AND job.session = session.id AND job.principal = session.principal)", before.UnixNano())
}

func (s *Store) deleteSessions(ctx context.Context, query string, args ...any) (removed int, err error) {
	err = s.changeSessions(ctx, "remove", func(tx *sql.Tx) error {
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
		return false, s.sessionError("import", err)
	}
	return n > 0, nil
}

// markImported notes that what comes from a source was taken; first is false if it was before.
func markImported(ctx context.Context, tx *sql.Tx, source string) (first bool, err error) {
	result, err := tx.ExecContext(ctx, "INSERT INTO imported(source, created_ns) VALUES(?, ?) ON CONFLICT DO NOTHING", source, time.Now().UnixNano())
	if err != nil {
		return false, err
	}
	n, err := result.RowsAffected()
	return n > 0, err
}

// ImportSessions takes sessions that come from a source, once: of any number of callers
// in any number of processes one does. Those that are there already stay as they are,
// and so do active ones.
func (s *Store) ImportSessions(ctx context.Context, source string, list []store.Session) error {
	return s.changeSessions(ctx, "import", func(tx *sql.Tx) error {
		if first, err := markImported(ctx, tx, source); err != nil || !first {
			return err
		}
		active, err := querySessions(ctx, tx, " WHERE active = 1")
		if err != nil {
			return err
		}
		type holder struct{ principal, cli string } // of an active session
		taken := map[holder]bool{}
		for _, c := range active {
			taken[holder{c.Principal, c.CLI}] = true
		}
		for _, c := range list {
			if err := store.CheckPrincipal(c.Principal); err != nil {
				return err
			}
			h := holder{c.Principal, c.CLI}
			c.Active = c.Active && !taken[h]
			taken[h] = taken[h] || c.Active
			if _, err := tx.ExecContext(ctx, insertSessionIfAbsentSQL, values(sessionColumns(&c))...); err != nil {
				return err
			}
		}
		return nil
	})
}
