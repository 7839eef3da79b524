package sqlite

import (
	"errors"
	"fmt"
	"io/fs"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// FileError says that the database file cannot be used, or not any longer.
type FileError struct {
	Path    string // absolute
	Problem string // what is wrong
	Fix     string // what the user can do
	Err     error  // the cause below, or nil
}

func (e *FileError) Error() string {
	cause := ""
	if e.Err != nil {
		cause = fmt.Sprintf(" (%v)", e.Err)
	}
	return fmt.Sprintf("call database %s: %s%s. %s", e.Path, e.Problem, cause, e.Fix)
}

func (e *FileError) Unwrap() error { return e.Err }

const (
	elsewhere = `set LLM_GATEWAY_LOGS_DB or gateway.logsDb to another path, or to "none" to record nothing.`

	fixElsewhere = "To go on, " + elsewhere
	fixMoveAside = "Move the file away together with its -wal and -shm, so that a new one is made, or " + elsewhere
	fixAccess    = "Make the file and its folder writable for this user, or " + elsewhere
	fixSpace     = "Free space on that disk, or " + elsewhere
	fixBusy      = "Find and end the program that keeps it locked, or " + elsewhere
	fixReopen    = "The next call opens the file that is there then."
	fixUpgrade   = "Upgrade this gateway, or " + elsewhere
)

// fileError turns what the driver or the system said about the file at path into
// a FileError. Any other error comes back as it is.
func fileError(path string, err error) error {
	var known *FileError
	if err == nil || errors.As(err, &known) {
		return err
	}
	broken := func(problem, fix string) error {
		return &FileError{Path: path, Problem: problem, Fix: fix, Err: err}
	}
	var system *fs.PathError
	if errors.As(err, &system) {
		return broken("it cannot be used here", fixAccess)
	}
	var driver *sqlite.Error
	if !errors.As(err, &driver) {
		return err
	}
	if driver.Code() == sqlite3.SQLITE_IOERR_SHMSIZE { // how a full disk shows when -shm grows
		return broken("the disk is full", fixSpace)
	}
	switch driver.Code() & 0xff { // the low byte is the class, the rest a detail of it
	case sqlite3.SQLITE_NOTADB:
		return broken("it is not a SQLite database", fixMoveAside)
	case sqlite3.SQLITE_ERROR: // the statements are constant, so what they name is missing
		return broken("its tables are not those of its version", fixMoveAside)
	case sqlite3.SQLITE_CORRUPT:
		return broken("it is damaged", fixMoveAside)
	case sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM, sqlite3.SQLITE_AUTH:
		return broken("it cannot be written", fixAccess)
	case sqlite3.SQLITE_CANTOPEN:
		return broken("it cannot be opened", fixAccess)
	case sqlite3.SQLITE_FULL:
		return broken("the disk is full", fixSpace)
	case sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_PROTOCOL:
		return lockedError(path, err)
	case sqlite3.SQLITE_IOERR:
		return broken("reading or writing it failed", fixElsewhere)
	}
	return err
}

// lockedError says who keeps the database locked, as far as that is known. A process that was
// stopped does so until it is continued.
func lockedError(path string, err error) error {
	e := &FileError{Path: path, Problem: "another program keeps it locked", Fix: fixBusy, Err: err}
	pid, name, stopped := lockHolder(path, path+"-shm", path+"-lock")
	if pid == 0 {
		return e
	}
	e.Problem = fmt.Sprintf("process %d (%s) keeps it locked", pid, name)
	e.Fix = fmt.Sprintf("If it does not go on, end it (kill %d), or %s", pid, elsewhere)
	if stopped {
		e.Problem += ", and is stopped"
		e.Fix = fmt.Sprintf("Continue that process (kill -CONT %d) or end it (kill -KILL %d), then call again; or %s", pid, pid, elsewhere)
	}
	return e
}

// jobError says which verb on which row failed, around a FileError if it is one.
func (s *Store) jobError(verb, id string, err error) error {
	return fmt.Errorf("%s job %s: %w", verb, id, fileError(s.path, err))
}

// uniqueViolation says whether err is a breach of a unique index other than the
// primary key.
func uniqueViolation(err error) bool {
	var driver *sqlite.Error
	return errors.As(err, &driver) && driver.Code() == sqlite3.SQLITE_CONSTRAINT_UNIQUE
}

// keyViolation says whether err is a second row of one primary key.
func keyViolation(err error) bool {
	var driver *sqlite.Error
	return errors.As(err, &driver) && driver.Code() == sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY
}
