package process

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

func punchHole(f *os.File, from, to int64) error {
	err := fallocate(f, unix.FALLOC_FL_PUNCH_HOLE|unix.FALLOC_FL_KEEP_SIZE, from, to-from)
	switch {
	case errors.Is(err, unix.EOPNOTSUPP), errors.Is(err, unix.ENOSYS):
		return errors.ErrUnsupported
	case isFull(err):
		return errors.Join(ErrNoSpace, err)
	}
	return os.NewSyscallError("fallocate", err)
}

// burst is what programs write at once. A file system on which that found no space may
// have some blocks again a moment later, which it had kept for itself.
const burst = 64 << 10

// full reports whether the output stopped because there was no space for more.
// The child alone saw the error and many do not report it, so this asks for space
// where the next byte would have gone. It does so only if the child failed
// or the disk looks full: what is got stays with the file.
func (s *spool) full(st status) bool {
	var fs unix.Statfs_t
	if err := control(s.f, func(fd int) error { return unix.Fstatfs(fd, &fs) }); err != nil {
		return false
	}
	// The numbers alone prove nothing: some blocks are reserved for root, and a
	// quota does not show.
	want := int64(burst)
	if fs.Bavail*uint64(fs.Bsize) >= 1<<20 {
		if st.code == 0 {
			return false
		}
		want = block
	}
	return isFull(fallocate(s.f, unix.FALLOC_FL_KEEP_SIZE, s.size, want))
}

func isFull(err error) bool { return errors.Is(err, unix.ENOSPC) || errors.Is(err, unix.EDQUOT) }

func fallocate(f *os.File, mode uint32, off, n int64) error {
	return control(f, func(fd int) error {
		for {
			if err := unix.Fallocate(fd, mode, off, n); err != unix.EINTR {
				return err
			}
		}
	})
}

// control does not let go of the descriptor while op uses it: f.Fd would let
// a caller that closes the file too early have us write into another one.
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
