//go:build unix

package proctree

import "time"

// The parts of the time in which the descendants of an ended command may end. They add up
// to what a grandchild may delay a result.
const (
	lingerTime = 50 * time.Millisecond  // by themselves
	termTime   = 100 * time.Millisecond // after SIGTERM
	killTime   = 100 * time.Millisecond // after SIGKILL
)
