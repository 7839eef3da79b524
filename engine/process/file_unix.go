//go:build unix

package process

import (
	"os"

	"golang.org/x/sys/unix"
)

// setAppend changes the open file, which a child shares with us.
func setAppend(f *os.File) error {
	flags, err := unix.FcntlInt(f.Fd(), unix.F_GETFL, 0)
	if err != nil {
		return err
	}
	_, err = unix.FcntlInt(f.Fd(), unix.F_SETFL, flags|unix.O_APPEND)
	return err
}

func canEnter(dir string) bool { return unix.Access(dir, unix.X_OK) == nil }

// signalName is the name of a signal by its number; "" for none.
func signalName(n int) string {
	if n == 0 {
		return ""
	}
	return unix.SignalName(unix.Signal(n))
}
