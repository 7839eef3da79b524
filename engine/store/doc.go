// Package store keeps the record of every call of a CLI: one row that exists
// before the child starts and that is finished, once, after it ended.
//
// The room hides SQLite: the driver, the SQL, the file's permissions, the
// first-open lock and the migrations. Callers see verbs and plain values, and
// errors that name the file and the way out.
//
// It must not know what a row means: which CLI exists, what an argument is for,
// which value is a secret (the caller redacts before it calls), or when a row
// without a process is to be called lost.
//
// Several gateways, also of different versions, share one file. The rules that
// make this safe: SQLite's write-ahead log with full synchronisation, write
// transactions that take their lock at once, statements that name their columns,
// and a schema version in which only the thousands digit may break a reader.
package store
