//go:build unix

package proctree

import "syscall"

// Terminate asks the process group of a leader and its other members to end. The kernel
// asks the group at once and we ask everybody else one by one, nobody twice: some programs
// take a second SIGTERM for impatience and drop what they have. The members are listed
// before, because the death of the leader breaks the links to its descendants.
func Terminate(leader int, members []Process) {
	syscall.Kill(-leader, syscall.SIGTERM)
	for _, p := range members {
		if p.Group != leader {
			_ = Signal(p.ID, syscall.SIGTERM)
		}
		if p.Stopped() { // it would not even see the signal
			_ = Signal(p.ID, syscall.SIGCONT)
		}
	}
}

// Kill kills the process group of a leader and its other members.
func Kill(leader int, members []Process) {
	syscall.Kill(-leader, syscall.SIGKILL)
	for _, p := range members {
		_ = Signal(p.ID, syscall.SIGKILL)
	}
}
