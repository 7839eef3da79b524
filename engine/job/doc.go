// Package job sees a call of a CLI through its whole life: the row before the
// program starts, the run, the decoding of what it printed, and the end of the row.
//
// Every call is a job. It has a supervisor and a directory, see package supervisor, and
// outlives the gateway that started it; whoever waits for it can stop waiting, and
// whichever gateway touches it after its end finishes its row. Where the system has no
// supervisors, or the record is in memory only, a job ends with its gateway.
//
// It hides where output is spooled, which calls are the same, what a finished process
// means and what a record must not contain. It must not know by which protocol a call
// arrived or how its result is shown.
package job
