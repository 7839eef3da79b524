// Package sqlite keeps the rows of engine/store in a SQLite database: in a file that any
// number of gateways share, or in the memory of one.
//
// It hides the driver, the SQL, the file's permissions, the lock of the first opening and the
// migrations. Callers see verbs and plain values, and errors that name the file and the way
// out.
//
// It must not know what a row means, nor who uses it.
//
// Several gateways, also of different versions, share one file. The rules that make this
// safe: SQLite's write-ahead log with full synchronisation, write transactions that take
// their lock at once, statements that name their columns, and a schema version in which only
// the thousands digit may break a reader. What a release contained, as schema/1000.sql, is
// never edited: a change is a further migration.
package sqlite
