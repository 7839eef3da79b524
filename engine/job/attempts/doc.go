// Package attempts decides what follows when an attempt of a call has ended: the end of the
// call, another attempt after a wait, or somebody else who is asked; and whether calls go to a
// CLI at all.
//
// It is pure: the state of a call and of a breaker goes in with an event and the time, and
// what to do comes out. It must not know where the state is kept, how a program is run, nor
// which class of failure means what: specs say so. It is own code, because an attempt here
// outlives the process that began it. The libraries for this keep their state in memory, or
// hold a lock of the store for as long as the request takes.
package attempts
