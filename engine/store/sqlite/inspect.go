package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/llm-cli-gateway/gateway/engine/store"
)

// inspectTimeout is how long an inspection waits for a lock of other processes.
const inspectTimeout = time.Second

// Inspection is what Inspect finds out about a database.
type Inspection struct {
	Path     string          // absolute, links followed
	File     fs.FileInfo     // nil if there is none yet
	Size     int64           // in bytes, with its write-ahead log
	Schema   string          // "1.0"; "" for an empty file, or none
	Jobs     int             // rows of jobs; -1 if they could not be counted in time
	Live     []store.Job     // those without an end, newest first, at most 500: ID, Owner, Waiting.Until and Next alone
	Breakers []store.Breaker // of which something is known

	Sessions     []store.Session // the last used first, at most 500
	SessionTotal int             // how many there are in all
	Imported     []string        // sources of which sessions were taken over
}

// Inspect reads the database at path as Open would, and changes nothing on the disk:
// no file is made, not even beside the database. The error is the *FileError with which
// a gateway would refuse the file.
func Inspect(ctx context.Context, path string) (Inspection, error) {
	if path == "" {
		return Inspection{}, &FileError{Path: `""`, Problem: "the path is empty", Fix: fixElsewhere}
	}
	abs, err := filepath.Abs(path)
	if err != nil {
		return Inspection{}, err
	}
	if err := checkFolder(abs); err != nil {
		return Inspection{Path: abs}, err
	}
	found := Inspection{Path: abs}
	real, info, err := followLinks(abs)
	if err != nil {
		return found, err
	}
	found.Path, found.File = real, info
	if info == nil {
		return found, nil
	}
	found.Size = info.Size()
	if log, err := os.Stat(real + "-wal"); err == nil {
		found.Size += log.Size()
	}
	// A database that nobody uses is read as one that never changes: then SQLite makes
	// no files for those who would share it. If somebody begins to use it meanwhile,
	// what was read may be wrong, and is read again.
	for range 2 {
		shared := inUse(real)
		if err = found.read(ctx, shared); err == nil || shared || !inUse(real) {
			break
		}
	}
	if err != nil {
		return found, fileError(real, err)
	}
	for _, name := range []string{real, filepath.Dir(real)} { // its log is made beside it
		if err := checkWritable(name); err != nil {
			return found, &FileError{Path: real, Problem: "it cannot be written", Fix: fixAccess, Err: &fs.PathError{Op: "write", Path: name, Err: err}}
		}
	}
	return found, nil
}

// inUse reports whether a process has the database open, or was killed while it had.
func inUse(path string) bool {
	_, log := os.Stat(path + "-wal")
	_, index := os.Stat(path + "-shm")
	return log == nil && index == nil
}

// checkFolder fails if the folder of a database is not there and cannot be made, or if
// there is no database yet and none can be made in it.
func checkFolder(abs string) error {
	folder := filepath.Dir(abs)
	info, err := os.Stat(folder)
	for (errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR)) && folder != filepath.Dir(folder) {
		folder = filepath.Dir(folder)
		info, err = os.Stat(folder)
	}
	if err == nil && !info.IsDir() {
		err = syscall.ENOTDIR
	}
	problem, fix := noFolder, fixElsewhere
	if _, there := os.Lstat(abs); err == nil && there != nil {
		err = checkWritable(folder)
		if folder == filepath.Dir(abs) {
			problem, fix = "it cannot be used here", fixAccess
		}
	}
	if err != nil {
		return &FileError{Path: abs, Problem: problem, Fix: fix, Err: &fs.PathError{Op: "write", Path: folder, Err: err}}
	}
	return nil
}

// read reads the database. With shared it takes its turn among others that use it.
func (i *Inspection) read(ctx context.Context, shared bool) error {
	db, err := connect(inspectSource(i.Path, shared), 1)
	if err != nil {
		return err
	}
	defer db.Close()
	id, err := identify(ctx, db)
	if err != nil {
		return err
	}
	if err := id.check(i.Path, migrations[len(migrations)-1].version); err != nil || id.fresh() {
		return err
	}
	i.Schema, i.Live = dotted(id.version), nil
	if err := i.readLive(ctx, db, id.version); err != nil {
		return err
	}
	if err := i.readSessions(ctx, db, id.version); err != nil {
		return err
	}
	if id.version >= attemptVersion {
		if i.Breakers, err = queryAll(ctx, db, func(b *store.Breaker) []any { return values(breakerColumns(b)) }, breakerSQL+" ORDER BY key"); err != nil {
			return err
		}
	}
	err = db.QueryRowContext(ctx, "SELECT count(*) FROM job").Scan(&i.Jobs)
	if err != nil && ctx.Err() != nil {
		i.Jobs, err = -1, nil
	}
	return err
}

func (i *Inspection) readLive(ctx context.Context, db *sql.DB, version int) (err error) {
	until, next := "wait_until_ns", "next_ns"
	if version < waitingVersion {
		until = "NULL"
	}
	if version < attemptVersion {
		next = "NULL"
	}
	i.Live, err = queryAll(ctx, db, func(j *store.Job) []any { return []any{&j.ID, &j.Owner, instant{&j.Waiting.Until}, instant{&j.Next}} },
		"SELECT id, coalesce(owner, ''), "+until+", "+next+" FROM job WHERE state = 'live' ORDER BY id DESC LIMIT ?", store.MaxLimit)
	return err
}

func (i *Inspection) readSessions(ctx context.Context, db *sql.DB, version int) (err error) {
	query := sessionSQL
	if version < principalVersion { // no gateway that knows principals has opened it yet
		query = strings.Replace(query, "principal", "'"+store.Local+"'", 1)
	}
	if version < keptVersion {
		query = strings.Replace(query, "kept", "NULL", 1)
	}
	if i.Sessions, err = queryAll(ctx, db, scanSession, query+" ORDER BY used_ns DESC, id LIMIT ?", store.MaxLimit); err != nil {
		return err
	}
	if err := db.QueryRowContext(ctx, "SELECT count(*) FROM session").Scan(&i.SessionTotal); err != nil {
		return err
	}
	i.Imported, err = queryAll(ctx, db, scanOne[string], "SELECT source FROM imported ORDER BY source")
	return err
}
