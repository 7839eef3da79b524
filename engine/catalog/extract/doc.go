// Package extract reads what a CLI printed: the answer out of its records, what the run came
// to, and, while it runs, a line that says what it does. The expressions of specs are its
// tool, and others may use them.
//
// It hides the expression language, and how outputs of any length are read in bounded
// memory. It must not know how a call is made nor who asked, and it starts, opens and reads
// nothing but the readers that it is given.
package extract
