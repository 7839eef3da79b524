package proctree

import (
	"syscall"
	"time"
	"unsafe"
)

// Numbers that package syscall does not have; they are the same on every architecture
// that Go knows.
const (
	sysPidfdSendSignal = 424
	sysPidfdOpen       = 434
	pollIn             = 1
)

// Signal signals a process and no other that may have its process id by now.
func Signal(id ID, sig syscall.Signal) error {
	h, err := openHandle(id)
	if err != nil {
		return err
	}
	defer h.close()
	return h.signal(sig)
}

// handle holds on to one process, whoever gets its process id later. Where the kernel or
// a sandbox has no pidfd, fd is -1 and the check in openHandle has to do.
type handle struct{ pid, fd int }

// openHandle compares the start time after it has the handle: by then the process behind
// it cannot change, and a process id that was given away shows.
func openHandle(id ID) (handle, error) {
	if id.PID <= 1 {
		return handle{}, syscall.EINVAL
	}
	h := handle{id.PID, -1}
	switch fd, _, e := syscall.Syscall(sysPidfdOpen, uintptr(id.PID), 0, 0); e {
	case 0:
		h.fd = int(fd)
	case syscall.ENOSYS, syscall.EPERM:
	default:
		return handle{}, e
	}
	if now, err := Read(id.PID); err != nil || now.Start != id.Start {
		h.close()
		return handle{}, syscall.ESRCH
	}
	return h, nil
}

func (h handle) signal(sig syscall.Signal) error {
	if h.fd < 0 {
		return syscall.Kill(h.pid, sig)
	}
	if _, _, e := syscall.Syscall6(sysPidfdSendSignal, uintptr(h.fd), uintptr(sig), 0, 0, 0, 0); e != 0 {
		return e
	}
	return nil
}

func (h handle) close() {
	if h.fd >= 0 {
		syscall.Close(h.fd)
	}
}

// pollFD is struct pollfd.
type pollFD struct {
	fd              int32
	events, revents int16
}

// waitAll waits at most d until the processes behind all the handles have ended. Without
// a handle it is a mere pause.
func waitAll(handles []handle, d time.Duration) {
	var fds []pollFD
	for _, h := range handles {
		if h.fd >= 0 {
			fds = append(fds, pollFD{fd: int32(h.fd), events: pollIn})
		}
	}
	some := len(fds) > 0
	for end := time.Now().Add(d); ; {
		rest := time.Until(end)
		if rest <= 0 || some && len(fds) == 0 {
			return
		}
		timeout := syscall.NsecToTimespec(int64(rest))
		_, _, e := syscall.Syscall6(syscall.SYS_PPOLL, uintptr(unsafe.Pointer(unsafe.SliceData(fds))), uintptr(len(fds)), uintptr(unsafe.Pointer(&timeout)), 0, 0, 0)
		if e == syscall.EINTR {
			continue
		}
		if e != 0 {
			return
		}
		living := fds[:0]
		for _, fd := range fds {
			if fd.revents == 0 {
				living = append(living, fd)
			}
		}
		fds = living
	}
}
