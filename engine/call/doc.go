// Package call makes calls of agents. It has the words that transports, commands and
// workflows share — Request, Outcome, Interaction — and the Handler that takes a call
// from its arguments to a job that runs.
//
// The concerns of a call are middlewares, one file each; their order stands in New and
// nowhere else. Until a job is accepted they decide and change nothing, so that a call
// can be made again. The package hides that order, and how a person is asked about a
// call. It must not know by which transport a call came, how an outcome is shown, or how
// a job is run and stored.
package call
