// Package diagnostic has what is reported of specs: one problem at one place, on one line.
//
// It hides how a hostile name is kept from forging a line, and which reports are the same.
// It must not know how problems are found.
package diagnostic
