// Package evaluate has spec files evaluated in a process of its own, which can be ended:
// an evaluation of CUE has no end that could be foreseen, and cannot be stopped from inside
// its process.
//
// It hides the process: how it is started, asked, bounded and ended. It must not know what
// a file says or where it came from; package load evaluates, on both sides.
//
// The process is this same program, started again and recognised in init, before main. It
// evaluates one file after another as it is asked to on standard input, answers on standard
// output, and ends when standard input does: it never outlives who asked. It gets no
// variables of the environment but those for itself.
//
// Its memory is bounded from inside, by what the Go runtime has from the system, which is
// looked at every few milliseconds; on Linux the kernel also refuses it more. Its time is
// bounded from outside, from when it is ready, for each file.
package evaluate
