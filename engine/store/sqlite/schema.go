package sqlite

import (
	"context"
	"database/sql"
	_ "embed"
	"fmt"
)

// applicationID marks a SQLite file as ours, in its header: "LGW1".
const applicationID = 0x4c475731

// majorStep divides a schema version: 1002 is major 1, minor 2. A minor only
// adds tables, columns, indices and views, and each new column has a default, so
// that gateways of two minors share a file. A major may change everything.
const majorStep = 1000

// A migration brings the schema to its version from the one before it in the list.
type migration struct {
	version int
	sql     string
}

//go:embed schema/1000.sql
var schema1000 string

//go:embed schema/1001.sql
var schema1001 string

//go:embed schema/1002.sql
var schema1002 string

//go:embed schema/1003.sql
var schema1003 string

//go:embed schema/1004.sql
var schema1004 string

//go:embed schema/1005.sql
var schema1005 string

//go:embed schema/1006.sql
var schema1006 string

//go:embed schema/1007.sql
var schema1007 string

// principalVersion is the schema in which rows begin to say whose they are.
const principalVersion = 1001

// keptVersion is the schema in which a session keeps what its first turn had.
const keptVersion = 1002

// waitingVersion is the schema in which a job can wait for a person.
const waitingVersion = 1003

// costsVersion is the schema in which rows say what is reserved for them.
const costsVersion = 1007

// attemptVersion is the schema in which a job can have several attempts.
const attemptVersion = 1005

// migrations is append-only: what a release contained is never edited.
var migrations = []migration{
	{1000, schema1000},
	{principalVersion, schema1001},
	{keptVersion, schema1002},
	{waitingVersion, schema1003},
	{1004, schema1004},
	{attemptVersion, schema1005},
	{1006, schema1006},
	{costsVersion, schema1007},
}

// identity is what the header of a database says about whose it is.
type identity struct {
	application, version, objects int
	earlier                       int // tables that mark the record of an earlier gateway
	journal                       string
}

func identify(ctx context.Context, db *sql.DB) (identity, error) {
	var id identity
	for _, q := range []struct {
		query string
		into  any
	}{
		{"PRAGMA application_id", &id.application},
		{"PRAGMA user_version", &id.version},
		{"PRAGMA journal_mode", &id.journal},
		{"SELECT count(*) FROM sqlite_schema", &id.objects},
		{earlierSQL, &id.earlier},
	} {
		if err := db.QueryRowContext(ctx, q.query).Scan(q.into); err != nil {
			return id, err
		}
	}
	return id, nil
}

// fresh reports whether the file holds nothing at all.
func (id identity) fresh() bool { return id.application == 0 && id.version == 0 && id.objects == 0 }

// check fails if the database at path is none that a gateway which knows the schema up
// to newest may touch.
func (id identity) check(path string, newest int) error {
	switch {
	case id.application == 0 && id.version == 0 && id.earlier == earlierTables:
		return &FileError{Path: path, Problem: "it is the record of an earlier gateway", Err: errEarlier,
			Fix: "The next call imports its history, and keeps the file under another name."}
	case !id.fresh() && id.application != applicationID:
		return &FileError{Path: path, Problem: "it is a SQLite database of another program", Fix: fixMoveAside}
	case id.version/majorStep > newest/majorStep:
		return &FileError{Path: path, Fix: fixUpgrade,
			Problem: fmt.Sprintf("a newer gateway made it (schema %s; this one knows up to %s)", dotted(id.version), dotted(newest))}
	}
	return nil
}

// migrate makes the database at path ready for this gateway, or says why it cannot
// be. The caller holds the opening lock. A file that is up to date is not written.
func migrate(ctx context.Context, db *sql.DB, path string, steps []migration) error {
	id, err := identify(ctx, db)
	if err != nil {
		return err
	}
	newest := steps[len(steps)-1].version
	if err := id.check(path, newest); err != nil {
		return err
	}
	if id.journal != "wal" {
		// Outside the transaction, where alone it is allowed; and only now that
		// the file is known to be ours, because this rewrites its header.
		if err := db.QueryRowContext(ctx, "PRAGMA journal_mode=WAL").Scan(&id.journal); err != nil {
			return err
		}
		if id.journal != "wal" {
			return &FileError{Path: path, Problem: "its file system allows no write-ahead log", Fix: fixElsewhere}
		}
	}
	// Taking the write lock writes nothing, and fails here and now where a row
	// could not be written later.
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback()
	if id.version >= newest {
		return nil
	}
	for _, step := range steps {
		if step.version <= id.version {
			continue
		}
		if _, err := tx.ExecContext(ctx, step.sql); err != nil {
			return fmt.Errorf("migrate the schema to %s: %w", dotted(step.version), err)
		}
	}
	mark := fmt.Sprintf("PRAGMA application_id=%d; PRAGMA user_version=%d", applicationID, newest)
	if _, err := tx.ExecContext(ctx, mark); err != nil {
		return err
	}
	return tx.Commit()
}

func dotted(version int) string {
	return fmt.Sprintf("%d.%d", version/majorStep, version%majorStep)
}
