//go:build unix

package lease

import (
	"os"
	"syscall"
)

// Lock takes the lock of a file if nobody has it. It is held until the file is closed.
func Lock(f *os.File) bool {
	return syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) == nil
}
