// Package diagnostic is what is reported about specs: one problem at one position, on one line.
//
// It hides how a hostile name is kept from forging a line, and which reports are the same.
// It must not know how problems are found.
package diagnostic
