//go:build unix && !linux

package proctree

import (
	"syscall"
	"time"
)

// Sweeper ends what is left of the process group of a command. As long as the group has a
// member its number is not given away. It is for one command and one goroutine.
type Sweeper struct{ group int }

// NewSweeper returns a sweeper for the command whose leader has ended. Remaining is not
// used on this system.
func NewSweeper(leader int, remaining func() (members []Process, some bool)) *Sweeper {
	return &Sweeper{leader}
}

// Sweep gives the group time to end by itself, then asks it to, unless it was asked
// before, then kills it. It returns 1 if there was a group to end, and its leader if it
// is left.
func (s *Sweeper) Sweep(asked bool) (swept int, left []Process) {
	if s.group <= 1 || s.signal(0, lingerTime) {
		return 0, nil
	}
	if !asked {
		syscall.Kill(-s.group, syscall.SIGTERM)
	}
	if s.signal(0, termTime) || s.signal(syscall.SIGKILL, killTime) {
		return 1, nil
	}
	return 1, []Process{{ID: ID{PID: s.group}}}
}

// Kill goes on killing what Sweep had to leave, for at most d.
func (s *Sweeper) Kill(d time.Duration) { s.signal(syscall.SIGKILL, d) }

// signal signals the group until it is empty, or for the time d.
func (s *Sweeper) signal(sig syscall.Signal, d time.Duration) (empty bool) {
	for end := time.Now().Add(d); ; time.Sleep(5 * time.Millisecond) {
		if syscall.Kill(-s.group, sig) == syscall.ESRCH {
			return true
		}
		if !time.Now().Before(end) {
			return false
		}
	}
}

// KillAll finds nobody to kill.
func KillAll(find func() []Process, d time.Duration) int { return 0 }
