// Package job sees a call of a CLI through its whole life: the row before the
// program starts, the run, the decoding of what it printed, and the end of the row.
//
// A call is run (Run) or started as a job (Submit). A job has a supervisor and a
// directory, see the room keeper, and outlives the gateway that started it; whichever
// gateway touches it after its end finishes its row.
//
// It hides where output is spooled, what a finished process means and what a record
// must not contain. It must not know by which protocol a call arrived or how its
// result is shown.
package job
