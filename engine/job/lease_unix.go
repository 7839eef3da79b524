//go:build unix

package job

import (
	"os"
	"syscall"
)

// lock takes the lock of a file if nobody has it. It is held until the file is closed.
func lock(f *os.File) bool {
	return syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) == nil
}
