//go:build linux || darwin

package supervisor

import (
	"os"
	"syscall"
)

func (d *Dir) releaseLease() {
	if d.lease >= 0 {
		syscall.Close(d.lease)
		d.lease = -1
	}
}

// lock opens a file and locks it. The lock belongs to the open file: it lasts
// until the last process that inherited the descriptor has closed it or ended.
func lock(path string, flags, how int) (int, error) {
	fd, err := retry(func() (int, error) {
		return syscall.Open(path, syscall.O_RDWR|syscall.O_CLOEXEC|syscall.O_NOFOLLOW|flags, 0o600)
	})
	if err != nil {
		return -1, &os.PathError{Op: "open", Path: path, Err: err}
	}
	if _, err := retry(func() (int, error) { return 0, syscall.Flock(fd, how) }); err != nil {
		syscall.Close(fd)
		return -1, err
	}
	return fd, nil
}

// probeLease fails with EWOULDBLOCK if a process holds the lease, and otherwise keeps
// it from being taken until the descriptor is closed. All probes share the lock, or they
// would take each other for a supervisor.
func probeLease(path string) (int, error) {
	return lock(path+leaseFile, 0, syscall.LOCK_SH|syscall.LOCK_NB)
}

// retry repeats a system call that a signal interrupted.
func retry(call func() (int, error)) (int, error) {
	for {
		if n, err := call(); err != syscall.EINTR {
			return n, err
		}
	}
}

// openFile opens a file that exists and is no symbolic link.
func openFile(path string, flags int) (int, error) {
	return retry(func() (int, error) {
		return syscall.Open(path, flags|syscall.O_CLOEXEC|syscall.O_NOFOLLOW, 0)
	})
}

// sameFile reports whether path names the open file.
func sameFile(fd int, path string) bool {
	var open, named syscall.Stat_t
	return syscall.Fstat(fd, &open) == nil && syscall.Lstat(path, &named) == nil && open.Dev == named.Dev && open.Ino == named.Ino
}

// closeAll closes those of the descriptors that are not negative.
func closeAll(fds []int) {
	for _, fd := range fds {
		if fd >= 0 {
			syscall.Close(fd)
		}
	}
}
