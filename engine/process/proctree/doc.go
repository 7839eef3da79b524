// Package proctree finds the processes that a command has started, and ends them. A
// supervisor uses it for its job, and a gateway for the commands that it runs itself.
//
// It hides the process table of the system, process groups, the role of a subreaper,
// signals to processes whose id may be given away, and the time that descendants get to
// end. It must not know what is run, why a command is to end, or what becomes of its
// output.
//
// On Linux a descendant is found wherever it hides: by its parents, by its session or by
// the cookie in its environment. On other Unix systems the process group is all there is,
// and a descendant that leaves it escapes.
//
// Every supervisor pays for what this package imports. It may import only the packages
// that a test of the whole program lists.
package proctree
