// Package store has the vocabulary of the record of calls: jobs, calls that joined one,
// decisions, sessions, the errors that a store gives, ids, and the journal of decisions. A
// job is one row, which exists before its program starts and is finished once, after it
// ended.
//
// It hides how an id is made and how a journal is written by many processes at once. Where
// rows are kept is for the packages below it; what a store must do, engine/store/storetest
// says. Who uses a store declares the interface of what it uses.
//
// It must not know what a row means: which CLI exists, what an argument is for, which value
// is a secret (the caller redacts before it calls), or when a row without a process is to be
// called lost.
package store
