//go:build !windows

package filelock

import (
	"errors"
	"os"
	"syscall"
)

// TryLock takes the file's exclusive lock without waiting. The kernel frees it
// with the file, however the process ends.
func TryLock(f *os.File) (bool, error) { return flock(f, syscall.LOCK_EX) }

// TryRLock takes a lock that many can have, but nobody who has the other.
func TryRLock(f *os.File) (bool, error) { return flock(f, syscall.LOCK_SH) }

func flock(f *os.File, how int) (bool, error) {
	for {
		err := syscall.Flock(int(f.Fd()), how|syscall.LOCK_NB)
		switch {
		case err == nil:
			return true, nil
		case errors.Is(err, syscall.EWOULDBLOCK):
			return false, nil
		case errors.Is(err, syscall.EINTR):
		default:
			return false, &os.PathError{Op: "flock", Path: f.Name(), Err: err}
		}
	}
}
