package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"os"
	"sync"
	"time"

	"modernc.org/sqlite"
)

const (
	// busyTimeout is how long a write waits for other processes. SQLite's lock is
	// not fair: at saturation by eight processes single waits of 3 s were seen.
	busyTimeout = 10 * time.Second

	// maxIdleLog is the size in bytes to which a checkpoint cuts the write-ahead log.
	maxIdleLog = 8 << 20

	// pageCache is each connection's cache in KiB. SQLite's own choice of 2 MiB makes
	// these short statements no faster and stays resident.
	pageCache = 256

	readers = 2
)

// lazy is a statement that is prepared at its first use.
type lazy struct {
	mu   sync.Mutex
	stmt *sql.Stmt
}

func (l *lazy) get(db *sql.DB, query string) (*sql.Stmt, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.stmt == nil {
		stmt, err := db.Prepare(query)
		if err != nil {
			return nil, err
		}
		l.stmt = stmt
	}
	return l.stmt, nil
}

// Store is an open database. Its methods may be called from any goroutine.
type Store struct {
	path string
	file os.FileInfo // of the database as it was opened; nil for one in memory

	// One connection writes: SQLite lets in one writer at a time, and goroutines
	// that queue here do so in order, where connections would poll for its lock.
	writer    *sql.DB
	insertJob *sql.Stmt
	finishJob *sql.Stmt

	insertUnlessJoinable       *sql.Stmt
	joinable                   *sql.Stmt
	turnSession, upsertSession lazy // the session of an id, and its row
	insertJoin                 lazy

	// Readers never wait for the writer, nor it for them. They connect at their
	// first use, which a gateway that only records does not pay.
	reader        *sql.DB
	joinableRead  lazy // joinable
	activeSession lazy // session of a CLI
	breakerRead   lazy
}

// Open opens the database at path, and makes it first if there is none, with its
// folder. The record of an earlier gateway is put aside, see ImportEarlier. Where the file cannot be used the error is a *FileError; the file is
// then as it was.
func Open(path string) (*Store, error) {
	path, err := preparePath(path)
	if err != nil {
		return nil, err
	}
	s, err := open(path, migrations)
	if err != nil {
		return nil, fileError(path, err)
	}
	return s, nil
}

func open(path string, steps []migration) (*Store, error) {
	unlock, err := lockOpening(path, busyTimeout)
	if err != nil {
		return nil, err
	}
	defer unlock()
	s, err := openLocked(path, steps)
	if !errors.Is(err, errEarlier) {
		return s, err
	}
	if err := putAside(path); err != nil {
		return nil, err
	}
	return openLocked(path, steps)
}

func openLocked(path string, steps []migration) (_ *Store, err error) {
	if err := createFile(path); err != nil {
		return nil, err
	}
	s := &Store{path: path}
	defer func() {
		if err != nil {
			s.Close()
		}
	}()
	if s.writer, err = connect(dataSource(path, false), 1); err != nil {
		return nil, err
	}
	if s.reader, err = connect(dataSource(path, true), readers); err != nil {
		return nil, err
	}
	ctx := context.Background()
	if err := migrate(ctx, s.writer, path, steps); err != nil {
		return nil, err
	}
	if err := makePrivate(path); err != nil {
		return nil, err
	}
	if err := s.prepare(ctx); err != nil {
		return nil, err
	}
	if s.file, err = os.Stat(path); err != nil {
		return nil, err
	}
	return s, nil
}

// OpenMemory opens a database that exists in this process only, and ends with it.
func OpenMemory() (_ *Store, err error) {
	s := &Store{path: "in memory"}
	defer func() {
		if err != nil {
			s.Close()
		}
	}()
	if s.writer, err = connect("file::memory:?"+settings(), 1); err != nil { // each connection would have its own
		return nil, err
	}
	s.reader = s.writer
	ctx := context.Background()
	for _, step := range migrations {
		if _, err := s.writer.ExecContext(ctx, step.sql); err != nil {
			return nil, err
		}
	}
	return s, s.prepare(ctx)
}

// Volatile reports whether the rows end with this process.
func (s *Store) Volatile() bool { return s.file == nil }

func (s *Store) prepare(ctx context.Context) (err error) {
	if s.insertJob, err = s.writer.PrepareContext(ctx, insertJobSQL); err != nil {
		return err
	}
	if s.finishJob, err = s.writer.PrepareContext(ctx, finishJobSQL); err != nil {
		return err
	}
	if s.joinable, err = s.writer.PrepareContext(ctx, joinableSQL); err != nil {
		return err
	}
	s.insertUnlessJoinable, err = s.writer.PrepareContext(ctx, insertUnlessJoinableSQL)
	return err
}

// connect makes a pool of connections that stay open until the pool is closed.
func connect(dsn string, size int) (*sql.DB, error) {
	connector, err := sqlite.NewConnector(dsn)
	if err != nil {
		return nil, err
	}
	db := sql.OpenDB(connector)
	db.SetMaxOpenConns(size)
	db.SetMaxIdleConns(size)
	return db, nil
}

// Close waits for running verbs and closes the database.
func (s *Store) Close() error {
	var first error
	for _, db := range []*sql.DB{s.reader, s.writer} { // the writer last: it tidies the log
		if db == nil {
			continue
		}
		if err := db.Close(); err != nil && first == nil {
			first = fileError(s.path, err)
		}
	}
	return first
}

// checkFile fails if the file was moved or deleted while open: SQLite would go on
// writing to it where nobody finds the rows.
func (s *Store) checkFile() error {
	if s.Volatile() {
		return nil
	}
	now, err := os.Stat(s.path)
	if err == nil && os.SameFile(now, s.file) {
		return nil
	}
	return &FileError{Path: s.path, Problem: "it was moved, replaced or deleted while in use", Fix: fixReopen, Err: err}
}
