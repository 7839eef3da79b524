// Package job manages the whole life of a call of a CLI: the row before the program
// starts, the run, the decoding of what it printed, and the end of the row.
//
// Every call is a job. It has a supervisor and a directory, see package supervisor, and
// outlives the gateway that started it; a caller can stop waiting for it, and
// any gateway can finish its row after its end. Where the system has no
// supervisors, or the record is in memory only, a job ends with its gateway.
//
// It hides where output is spooled, which calls are the same and what a record must not
// contain. It must not know by which protocol a call arrived or how its result is shown.
package job
