//go:build linux || darwin

package supervisor

import (
	"os"
	"syscall"
)

// mostAtOnce is how many supervisors one starter starts.
const mostAtOnce = 16

// launch starts n supervisors by way of a starter, whose end makes them orphans.
func launch(n int) (hands []*hand, err error) {
	exe, err := self()
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
		hands = append(hands, newHand(ours))
		files = append(files, uintptr(theirs))
	}
	// It stays in our session, so that nobody takes it for a stray. It is soon gone.
	pid, err := syscall.ForkExec(exe, []string{summons, starting, itoa(int64(n))},
		&syscall.ProcAttr{Dir: "/", Env: crewEnv, Files: files})
	if err != nil {
		return hands, os.NewSyscallError("start of the supervisor", err)
	}
	retry(func() (int, error) { return syscall.Wait4(pid, nil, 0, nil) })
	return hands, nil
}

// startSome starts a supervisor for each socket that we were given. Then we end, and
// nobody can tell by their parents whose they are.
func startSome(n int) {
	for i := range n {
		syscall.CloseOnExec(sockFD + i)
	}
	dropInherited(sockFD + n - 1)
	exe, err := self()
	blank := make([]byte, titleSize)
	for i := range blank {
		blank[i] = ' '
	}
	for i := range n {
		if err == nil {
			_, err = syscall.ForkExec(exe, []string{summons, string(blank)}, &syscall.ProcAttr{
				Dir: "/", Env: os.Environ(), Files: []uintptr{0, 1, 2, uintptr(sockFD + i)},
				Sys: &syscall.SysProcAttr{Setsid: true},
			})
		}
		if err != nil {
			e, _ := err.(syscall.Errno)
			say(sockFD+i, "F "+itoa(int64(e)))
		}
	}
}
