// Package keeper keeps a command running when the gateway that started it is
// gone, and keeps the account of it: a supervisor process that has this job and no
// other at a time, and the directory through which everybody else learns about it.
//
// Hidden here are the files of a job directory and what is in them, the lease
// that tells a living job from a lost one, and a supervisor's whole life. The
// room must not know what is run or who asked: no spec, no call, no row.
//
// # Two halves
//
// A gateway makes a directory with [Prepare], which takes the lease, and has a
// supervisor take it over with [Crew.Start]. Any process may then [Open] the
// directory and ask for its [State], wait for its end, or cancel it. The directory
// is the truth: nobody is asked, no process id is believed, and a result is there
// even if no gateway lived to see it.
//
// A supervisor is this same program, started again. It is recognised in init,
// before other packages cost their milliseconds and megabytes, and never returns
// from there. This is why the package imports os, os/signal, runtime, syscall,
// time and unsafe and nothing else: each further import pulls in a hundred packages
// that are then initialised first. What it needs of numbers, checksums, locks and
// fields it brings itself.
//
// # One job after another
//
// The start of a supervisor takes longer than all else that it does for a short
// job. So it is started ahead of need, and serves another job if nothing is left of
// the one before: no process, no descriptor, nobody who waits. It is handed all
// that belongs to a job afresh, through a socket: the path of the directory, the
// lease, the whole environment of the command. In doubt it ends.
//
// It is started by a process that then ends, so that the gateway is none of its
// ancestors: clients are known to end a gateway with all that is below it. What ties
// it to the gateway is the socket alone. Without a job it ends when that does.
//
// Orphans come to the nearest subreaper, which for a nested gateway is the
// supervisor of the job that it is a part of. That one must not end them with its
// job, so a supervisor has a cookie too, from its start and its own.
//
// # The files of a job
//
//	request   what to run; never the environment, which may hold secrets
//	stdin     the input, read by the command itself
//	stdout, stderr   the output, written by the command itself
//	lease     locked as long as somebody answers for the job
//	status    two records of a fixed place: how it started, how it ended
//	ctl       a FIFO: a byte means "look, you are cancelled"
//	cancel    exists once somebody asked for the end
//
// A lock goes with its process, whatever kills it, and does not survive a
// reboot: "lease free and no exit record" is the one sign of a lost job. The
// status file has its full size from the beginning and is written in place,
// because on a full disk nothing else can be. A record counts only with the output
// of which it tells: when the power goes away, the disk may have the one and not the
// other.
package supervisor
