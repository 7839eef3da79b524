package limits

import (
	"errors"
	"os"
	"syscall"
)

// Modes of fallocate that package syscall does not have.
const (
	keepSize  = 1
	punchHole = 2
)

// PunchHole is the Punch of this system.
func PunchHole(f *os.File, from, to int64) error {
	return os.NewSyscallError("fallocate", fallocate(f, punchHole|keepSize, from, to-from))
}

// writeSize is what programs write at once. A file system on which that found no space may
// have some blocks again a moment later, which it had kept for itself.
const writeSize = 64 << 10

// DiskFull reports whether the output stopped because there was no space for more, by the
// exit code of the command. The command alone saw the error and many do not report it, so
// this asks for space where the next byte would have gone. It does so only if the command
// failed or the disk looks full: space that is granted stays with the file.
func (o *Output) DiskFull(code int) bool {
	var fs syscall.Statfs_t
	if err := control(o.File, func(fd int) error { return syscall.Fstatfs(fd, &fs) }); err != nil {
		return false
	}
	// The numbers alone prove nothing: some blocks are reserved for root, and a
	// quota does not show.
	want := int64(writeSize)
	if fs.Bavail*uint64(fs.Bsize) >= 1<<20 {
		if code == 0 {
			return false
		}
		want = block
	}
	return IsDiskFull(fallocate(o.File, keepSize, o.size, want))
}

// IsDiskFull reports whether an error is one of a disk without space, or of a quota.
func IsDiskFull(err error) bool {
	return errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT)
}

func fallocate(f *os.File, mode uint32, off, n int64) error {
	return control(f, func(fd int) error {
		for {
			if err := syscall.Fallocate(fd, mode, off, n); err != syscall.EINTR {
				return err
			}
		}
	})
}

// control keeps the descriptor open while op uses it: with f.Fd, a caller that closes the
// file too early would have us write into another one.
func control(f *os.File, op func(fd int) error) error {
	rc, err := f.SyscallConn()
	if err != nil {
		return err
	}
	var opErr error
	if err := rc.Control(func(fd uintptr) { opErr = op(int(fd)) }); err != nil {
		return err
	}
	return opErr
}
