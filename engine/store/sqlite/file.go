package sqlite

import (
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"time"

	"github.com/llm-cli-gateway/gateway/engine/store/filelock"
)

// minDatabaseSize is the least page size of SQLite, in bytes.
const minDatabaseSize = 512

// preparePath finds the absolute path of the database and makes its folder, private to
// the user. A link is followed, or two names of one file would have two locks.
func preparePath(path string) (string, error) {
	if path == "" {
		return "", &FileError{Path: `""`, Problem: "the path is empty", Fix: fixElsewhere}
	}
	abs, err := filepath.Abs(path)
	if err != nil {
		return "", err
	}
	if err := os.MkdirAll(filepath.Dir(abs), 0o700); err != nil {
		return "", &FileError{Path: abs, Problem: noFolder, Fix: fixElsewhere, Err: err}
	}
	abs, _, err = followLinks(abs)
	return abs, err
}

// noFolder is the problem of a database whose folder is missing.
const noFolder = "its folder cannot be made"

// followLinks follows links and checks that what is there can be a database. The info is nil
// if there is nothing.
func followLinks(abs string) (string, fs.FileInfo, error) {
	if real, err := filepath.EvalSymlinks(abs); err == nil {
		abs = real
	}
	info, err := os.Stat(abs)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return abs, nil, nil
	case err != nil:
		return "", nil, fileError(abs, err)
	case info.IsDir():
		return "", nil, &FileError{Path: abs, Problem: "it is a folder", Fix: fixElsewhere}
	case !info.Mode().IsRegular():
		return "", nil, &FileError{Path: abs, Problem: "it is not a regular file", Fix: fixElsewhere}
	case info.Size() > 0 && info.Size() < minDatabaseSize:
		// SQLite takes a file of one byte for an empty one and would overwrite it.
		return "", nil, &FileError{Path: abs, Problem: "it is not a SQLite database", Fix: fixMoveAside}
	}
	return abs, info, nil
}

// lockOpening takes the lock under which a database is created, checked and
// migrated, and returns what frees it. Without it two processes that switch a new
// file to the write-ahead log collide in a way that SQLite's own waiting does not
// cover. The wait is bounded, since a stopped process keeps its locks.
func lockOpening(path string, timeout time.Duration) (unlock func(), err error) {
	f, err := os.OpenFile(path+"-lock", os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fileError(path, err)
	}
	deadline := time.Now().Add(timeout)
	for pause := time.Millisecond; ; pause = min(2*pause, 50*time.Millisecond) {
		locked, err := filelock.TryLock(f)
		if locked {
			return func() { f.Close() }, nil
		}
		if err != nil || time.Now().After(deadline) {
			f.Close()
			return nil, lockedError(path, err)
		}
		time.Sleep(pause)
	}
}

// createFile makes an empty file, which is a valid new database, so that it is never
// readable by others, not even until a chmod. SQLite gives -wal and -shm the same
// permissions.
//
// This is the only place that opens the file outside the driver: POSIX locks
// belong to the process, and closing any descriptor of a database that is in use
// drops SQLite's locks on it. A file that did not exist has none.
func createFile(path string) error {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	if err != nil {
		return fileError(path, err)
	}
	return f.Close()
}

// makePrivate takes from others the access to a database of ours. One that this user
// may not tighten is refused: prompts and answers would be written where others
// read them.
func makePrivate(path string) error {
	for _, name := range []string{path, path + "-wal", path + "-shm"} {
		info, err := os.Stat(name)
		if errors.Is(err, fs.ErrNotExist) && name != path {
			continue
		}
		if err == nil && info.Mode().Perm()&0o077 != 0 {
			err = os.Chmod(name, 0o600)
		}
		if err != nil {
			return &FileError{Path: path, Problem: "other users may read it and it cannot be made private", Fix: fixElsewhere, Err: err}
		}
	}
	return nil
}

// dataSource is the driver's name of the database.
func dataSource(path string, readOnly bool) string {
	settings := settings()
	if readOnly {
		settings += "&_query_only=1"
	}
	return uri(path) + "?" + settings
}

// inspectSource is the name of a database that is only inspected. One that is not shared
// is taken to be one that nobody changes.
func inspectSource(path string, shared bool) string {
	source := fmt.Sprintf("%s?mode=ro&_busy_timeout=%d&_query_only=1&_dqs=0&_defensive=1&_error_rc=1&_pragma=cache_size(-%d)",
		uri(path), inspectTimeout.Milliseconds(), pageCache)
	if !shared {
		source += "&immutable=1"
	}
	return source
}

// uri is the path as the driver wants it: with a plain path it cuts the name at a
// question mark.
func uri(path string) string {
	slashed := filepath.ToSlash(path)
	if slashed[0] != '/' { // a Windows drive
		slashed = "/" + slashed
	}
	return "file://" + (&url.URL{Path: slashed}).EscapedPath()
}

func settings() string {
	return fmt.Sprintf("_busy_timeout=%d&_txlock=immediate&_synchronous=FULL&_foreign_keys=1&_dqs=0&_defensive=1&_error_rc=1&_pragma=journal_size_limit(%d)&_pragma=cache_size(-%d)",
		busyTimeout.Milliseconds(), maxIdleLog, pageCache)
}
