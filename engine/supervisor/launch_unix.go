//go:build linux || darwin

package supervisor

import (
	"errors"
	"os"
	"slices"
	"strconv"
	"syscall"
)

// maxBatch is how many supervisors one launcher starts.
const maxBatch = 16

// launch starts n supervisors through a launcher, whose end makes them orphans.
func launch(n int) (workers []*worker, err error) {
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
		for _, w := range workers {
			if err != nil {
				w.sock.Close()
			}
		}
		if err != nil {
			workers = nil
		}
	}()
	for range n {
		ours, theirs, err := socketpair()
		if err != nil {
			return workers, os.NewSyscallError("socketpair", err)
		}
		workers = append(workers, newWorker(ours))
		files = append(files, uintptr(theirs))
	}
	// It stays in our session, so that it is not taken for an adopted process. It is soon
	// gone.
	pid, err := syscall.ForkExec(exe, []string{processName, launcherArg, strconv.Itoa(n)},
		&syscall.ProcAttr{Dir: "/", Env: supervisorEnv, Files: files})
	if err != nil {
		return workers, os.NewSyscallError("start of the supervisor", err)
	}
	retry(func() (int, error) { return syscall.Wait4(pid, nil, 0, nil) })
	return workers, nil
}

// startBatch starts a supervisor for each socket that this launcher was given. Then it
// ends, and their parents do not show whose they are.
func startBatch(n int) {
	for i := range n {
		syscall.CloseOnExec(sockFD + i)
	}
	closeInherited(sockFD + n - 1)
	exe, err := executable()
	blank := string(slices.Repeat([]byte{' '}, titleSize))
	for i := range n {
		if err == nil {
			_, err = syscall.ForkExec(exe, []string{processName, blank}, &syscall.ProcAttr{
				Dir: "/", Env: os.Environ(), Files: []uintptr{0, 1, 2, uintptr(sockFD + i)},
				Sys: &syscall.SysProcAttr{Setsid: true},
			})
		}
		if err != nil {
			var e syscall.Errno
			errors.As(err, &e)
			sendLine(sockFD+i, "F "+strconv.Itoa(int(e)))
		}
	}
}
