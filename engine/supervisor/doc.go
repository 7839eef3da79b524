// Package supervisor keeps a command running when the gateway that started it is gone,
// and records how it ended. A supervisor is a process that has this job and no other at
// a time; everybody else learns about the job from its directory.
//
// It hides the files of a job directory and their contents, the lease that tells a
// living job from a lost one, and the whole life of a supervisor. It must not know what
// is run or who asked for it: no spec, no call, no row.
//
// # Two halves
//
// A gateway makes a directory with [Prepare], which takes the lease, and has a
// supervisor take over the directory with [Pool.Start]. Any process may then [Open] the
// directory and ask for its [State], wait for its end, or cancel it. The directory
// is the truth: no process is asked, no process id is believed, and a result is there
// even if no gateway lived to see it.
//
// A supervisor is this same program, started again. It is recognised in init,
// before other packages cost their milliseconds and megabytes, and never returns
// from there. This is why the package, and what it imports of ours, may import only
// packages that are initialised early: with strings or bytes, which import unicode, more
// than fifty others come first and the start takes a millisecond longer; with fmt, reflect
// or net it is worse.
//
// # One job after another
//
// The start of a supervisor takes longer than all else that it does for a short
// job. So it is started ahead of need, and serves another job if nothing is left of
// the one before: no process, no descriptor, no waiting goroutine. With each job it
// gets everything that belongs to it through a socket: the path of the directory, the
// lease, the whole environment of the command. In doubt it ends.
//
// It is started by a process that then ends, so that the gateway is none of its
// ancestors: clients are known to end a gateway with all that is below it. The socket
// alone connects it to the gateway. Without a job it ends when the gateway does.
//
// Orphans come to the nearest subreaper, which for a nested gateway is the
// supervisor of the job that it is a part of. That one must not end them with its
// job, so every supervisor has a cookie of its own from its start on.
//
// # The files of a job
//
//	request   what to run; never the environment, which may hold secrets
//	stdin     the input, read by the command itself
//	stdout, stderr   the output, written by the command itself
//	lease     locked as long as a process is responsible for the job
//	status    two records at fixed offsets: how it started, how it ended
//	ctl       a FIFO: a byte means that the job may have been cancelled
//	cancel    exists once somebody cancelled the job
//
// A lock goes with its process, whatever kills it, and does not survive a
// reboot: a free lease without an exit record is the one sign of a lost job. The
// status file has its full size from the beginning and is written in place,
// because on a full disk nothing else can be. A record counts only with the output
// that it describes: after a power cut the disk may have either without the other, and
// any file of the directory may be missing.
package supervisor
