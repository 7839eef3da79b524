// Package process starts one command as a child of this process and runs it to its end,
// so that none of its descendants survives.
//
// The caller brings files and limits and gets an [Exit]. Hidden here are sessions and
// process groups, signals, the search for descendants that escaped, the monitoring of time
// and output, and everything in which operating systems differ. It must not know what is
// run: no spec, no call, no job row, no output format. What a supervisor does likewise for
// its job is in the packages proctree and limits.
//
// # Output
//
// A child writes straight into regular files of the caller. Programs that exit
// before their pipe has drained lose what is left in it, and report success all
// the same; a file loses nothing. The price is that nothing stands between the
// child and the disk: the cap is kept by looking at the size, and by giving the
// middle of the file back to the file system while its head and tail stay.
//
// # No survivors
//
// A child gets a session of its own, which is also its process group. On Linux
// this process is moreover a child subreaper while commands run: a descendant whose
// parents are gone becomes our own child, whatever session it moved to and however it
// cleaned its environment. So the search for survivors lists our children (some 20 µs)
// and does not read the state of every process of the machine (milliseconds on a
// desktop). The price is that we must reap those adopted children at once, because a
// script that waits for its daemon with kill -0 takes an unreaped one for alive. Only
// adopted children are reaped: a child in our own session, which is what os/exec makes,
// is never touched. Hence the one rule for the rest of this program: a child in a new
// session is started through this package.
//
// Elsewhere the process group is all there is: on other Unix systems a
// descendant that leaves the group escapes, and on Windows every descendant
// does.
package process
