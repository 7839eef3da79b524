// Package session knows the conversations that calls can continue.
//
// It hides which conversation a call is a turn of: what its arguments name, else the
// active session of its CLI, else a new one; by which id the CLI knows that; and what
// the end of a job reveals about it. It must not know how a call is run, or how a session
// is shown.
package session
