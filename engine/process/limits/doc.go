// Package limits keeps a running command within its bounds: how long it may run and be
// silent, and how much of its output is kept. A supervisor uses it for its job, and a
// gateway for the commands that it runs itself.
//
// It hides how the size of an output file is kept below the cap while the command writes
// into it, and the order of asking a command to end, killing it and giving up. It must not
// know how a command is signalled, what it prints, or who waits for it.
//
// Every supervisor pays for what this package imports. It may import only the packages
// that a test of the whole program lists.
package limits
