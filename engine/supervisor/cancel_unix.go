//go:build linux || darwin

package supervisor

import (
	"os"
	"syscall"
)

// Cancel asks for the end of the job without any process id. It returns as soon as the
// request is stored, and ErrEnded if it comes too late; a job that is not started yet
// will not be, and a lost one stays lost. Only the text of the first Cancel is kept, at
// most 48 bytes of it.
func (d *Dir) Cancel(text string) error {
	if d.hasEnded() {
		return ErrEnded
	}
	err := writeNew(d.path+cancelFile, []byte(truncateText(text, maxDetail)))
	if os.IsExist(err) {
		err = nil
	}
	// The byte comes after the file. A supervisor opens the FIFO before it looks
	// for the file: it misses at most one of them. The byte also counts alone, since on
	// a full disk there is no file.
	fd, ferr := retry(func() (int, error) {
		return syscall.Open(d.path+ctlFile, syscall.O_WRONLY|syscall.O_NONBLOCK|syscall.O_CLOEXEC, 0)
	})
	if ferr == syscall.ENXIO { // no supervisor reads: not yet, or not any more
		if d.hasEnded() {
			return ErrEnded
		}
		return err
	}
	if ferr != nil {
		return &os.PathError{Op: "open", Path: d.path + ctlFile, Err: ferr}
	}
	defer syscall.Close(fd)
	_, ferr = retry(func() (int, error) { return syscall.Write(fd, []byte{'c'}) })
	if ferr == syscall.EAGAIN { // a full FIFO means the same
		ferr = nil
	}
	return os.NewSyscallError("write", ferr)
}

// cancelText returns the text of the Cancel, and reports whether there was one.
func cancelText(path string) (text string, ok bool) {
	b, err := os.ReadFile(path + cancelFile)
	return truncateText(string(b), maxDetail), err == nil
}
