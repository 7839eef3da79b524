package filelock

import (
	"errors"
	"os"

	"golang.org/x/sys/windows"
)

// TryLock takes the file's exclusive lock without waiting. The system frees it
// with the handle, however the process ends.
func TryLock(f *os.File) (bool, error) { return lockEx(f, windows.LOCKFILE_EXCLUSIVE_LOCK) }

// TryRLock takes a lock that many can have, but nobody who has the other.
func TryRLock(f *os.File) (bool, error) { return lockEx(f, 0) }

func lockEx(f *os.File, how uint32) (bool, error) {
	err := windows.LockFileEx(windows.Handle(f.Fd()), how|windows.LOCKFILE_FAIL_IMMEDIATELY, 0, 1, 0, new(windows.Overlapped))
	switch {
	case err == nil:
		return true, nil
	case errors.Is(err, windows.ERROR_LOCK_VIOLATION):
		return false, nil
	}
	return false, &os.PathError{Op: "LockFileEx", Path: f.Name(), Err: err}
}
