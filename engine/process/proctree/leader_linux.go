package proctree

import "syscall"

// prSetSubreaper is PR_SET_CHILD_SUBREAPER, the same on every architecture.
const prSetSubreaper = 36

// LeaderAttr returns how a command is started: in a session of its own, which is also its
// process group, and so that it is killed when the thread that started it ends.
func LeaderAttr() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setsid: true, Pdeathsig: syscall.SIGKILL}
}

// SetSubreaper has this process adopt orphaned descendants, or not any more. It reports
// whether the system can do so.
func SetSubreaper(adopt bool) (ok bool) {
	on := uintptr(0)
	if adopt {
		on = 1
	}
	_, _, e := syscall.RawSyscall(syscall.SYS_PRCTL, prSetSubreaper, on, 0)
	return e == 0
}
