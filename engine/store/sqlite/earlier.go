package sqlite

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// earlierTables is how many tables mark the record of an earlier gateway.
const earlierTables = 3

const earlierSQL = "SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name IN ('requests', 'gateway_metadata', '_migrations')"

// errEarlier says that the file is the record of an earlier gateway, of another schema.
var errEarlier = errors.New("it has the tables requests, gateway_metadata and _migrations")

// earlierName is the path of the n-th file, from 1, that was put aside for the database at path.
func earlierName(path string, n int) string {
	ext := filepath.Ext(path)
	number := ""
	if n > 1 {
		number = fmt.Sprintf(".%d", n)
	}
	return strings.TrimSuffix(path, ext) + ".earlier" + number + ext
}

// putAside renames the record of an earlier gateway. The caller holds the opening lock. The
// database itself goes last: until then the next opening finds it and goes on.
func putAside(path string) error {
	if err := emptyLog(path); err != nil {
		return err
	}
	to := earlierName(path, 1)
	for n := 2; taken(to) || taken(to+"-wal") && taken(path+"-wal"); n++ {
		to = earlierName(path, n)
	}
	for _, suffix := range []string{"-wal", "-shm", ""} {
		if err := os.Rename(path+suffix, to+suffix); err != nil && (suffix == "" || !errors.Is(err, fs.ErrNotExist)) {
			return &FileError{Path: path, Problem: "it is the record of an earlier gateway and cannot be renamed", Fix: fixMoveAside, Err: err}
		}
	}
	return nil
}

// emptyLog moves what the write-ahead log holds into the database, as far as nobody else uses
// it: a file that moves alone is then whole.
func emptyLog(path string) error {
	db, err := connect(dataSource(path, false), 1)
	if err != nil {
		return err
	}
	// Where that fails, as in a damaged file, the log moves with its database.
	_, _ = db.ExecContext(context.Background(), "PRAGMA busy_timeout = 1000; PRAGMA wal_checkpoint(TRUNCATE)")
	return db.Close()
}

// taken reports whether there is, or may be, something at path.
func taken(path string) bool {
	_, err := os.Lstat(path)
	return !errors.Is(err, fs.ErrNotExist)
}
