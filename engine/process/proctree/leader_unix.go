//go:build unix && !linux

package proctree

import "syscall"

// LeaderAttr returns how a command is started: in a session of its own, which is also its
// process group. If the process that started it is killed, it goes on.
func LeaderAttr() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setsid: true} }

// SetSubreaper does nothing: this system gives orphans to process 1.
func SetSubreaper(bool) (ok bool) { return false }

// Snapshot returns an empty table: this system shows none.
func Snapshot() Table {
	return Table{Cookie: func(int) (string, bool) { return "", false }}
}

// Read finds no entry.
func Read(pid int) (Process, error) { return Process{}, syscall.ENOSYS }

// Signal finds no process to be sure of.
func Signal(ID, syscall.Signal) error { return syscall.ESRCH }
