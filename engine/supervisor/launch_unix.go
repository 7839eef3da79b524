//go:build linux || darwin

package supervisor

import (
	"os"
	"syscall"
)

// maxBatch is how many supervisors one starter starts.
const maxBatch = 16

// launch starts n supervisors by way of a starter, whose end makes them orphans.
func launch(n int) (hands []*worker, err error) {
	exe, err := executable()
	if err != nil {
		return nil, err
	}
	null, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
	if err != nil {
		return nil, err
	}
	defer null.Close()
	files := []uintptr{null.Fd(), null.Fd(), null.Fd()}
	defer func() {
		for _, fd := range files[3:] {
			syscall.Close(int(fd))
		}
		for _, h := range hands {
			if err != nil {
				h.sock.Close()
			}
		}
		if err != nil {
			hands = nil
		}
	}()
	for range n {
		ours, theirs, err := socketpair()
		if err != nil {
			return hands, os.NewSyscallError("socketpair", err)
		}
		hands = append(hands, newWorker(ours))
		files = append(files, uintptr(theirs))
	}
	// It stays in our session, so that nobody takes it for a stray. It is soon gone.
	pid, err := syscall.ForkExec(exe, []string{processName, launcherArg, itoa(int64(n))},
		&syscall.ProcAttr{Dir: "/", Env: supervisorEnv, Files: files})
	if err != nil {
		return hands, os.NewSyscallError("start of the supervisor", err)
	}
	retry(func() (int, error) { return syscall.Wait4(pid, nil, 0, nil) })
	return hands, nil
}

// startBatch starts a supervisor for each socket that we were given. Then we end, and
// nobody can tell by their parents whose they are.
func startBatch(n int) {
	for i := range n {
		syscall.CloseOnExec(sockFD + i)
	}
	closeInherited(sockFD + n - 1)
	exe, err := executable()
	blank := make([]byte, titleSize)
	for i := range blank {
		blank[i] = ' '
	}
	for i := range n {
		if err == nil {
			_, err = syscall.ForkExec(exe, []string{processName, string(blank)}, &syscall.ProcAttr{
				Dir: "/", Env: os.Environ(), Files: []uintptr{0, 1, 2, uintptr(sockFD + i)},
				Sys: &syscall.SysProcAttr{Setsid: true},
			})
		}
		if err != nil {
			e, _ := err.(syscall.Errno)
			sendLine(sockFD+i, "F "+itoa(int64(e)))
		}
	}
}
