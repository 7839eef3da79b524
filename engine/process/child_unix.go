//go:build unix && !linux

package process

import (
	"fmt"
	"os"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// lingerTime, termTime and killTime divide what a grandchild may delay a result.
const (
	lingerTime = 50 * time.Millisecond
	termTime   = 100 * time.Millisecond
	killTime   = 100 * time.Millisecond
	pause      = 5 * time.Millisecond
)

// child is a started leader with its process group. A descendant that leaves
// the group escapes, and if we are killed the child goes on: these systems have
// neither a subreaper nor a parent-death signal.
type child struct {
	pid  int
	proc *os.Process
}

func startChild(c Command) (*child, error) {
	p, err := os.StartProcess(c.Path, append([]string{c.Path}, c.Args...), &os.ProcAttr{
		Dir:   c.Dir,
		Env:   c.Env,
		Files: []*os.File{c.Stdin, c.Stdout, c.Stderr},
		Sys:   &syscall.SysProcAttr{Setsid: true},
	})
	if err != nil {
		return nil, err
	}
	if p.Pid <= 1 { // kill(-1) means everybody
		panic(fmt.Sprintf("proc: started process %d", p.Pid))
	}
	return &child{pid: p.Pid, proc: p}, nil
}

func (k *child) wait() status {
	st, err := k.proc.Wait()
	if err != nil {
		return status{code: -1, err: fmt.Errorf("wait for process %d: %w", k.pid, err)}
	}
	if ws, ok := st.Sys().(syscall.WaitStatus); ok && ws.Signaled() {
		return status{code: -1, number: int(ws.Signal()), signal: unix.SignalName(ws.Signal())}
	}
	return status{code: st.ExitCode()}
}

func (k *child) ended() bool { return false } // await alone knows, and reaps
func (k *child) reap()       {}

func (k *child) terminate() { unix.Kill(-k.pid, unix.SIGTERM) }
func (k *child) kill()      { unix.Kill(-k.pid, unix.SIGKILL) }

// sweep ends what is left of the group. While it has members its number is not
// given away.
func (k *child) sweep(asked bool) (swept int, left []int) {
	if k.gone(0, 0) {
		return 0, nil
	}
	if k.gone(0, lingerTime) {
		return 0, nil
	}
	if !asked {
		unix.Kill(-k.pid, unix.SIGTERM)
	}
	if k.gone(0, termTime) || k.gone(unix.SIGKILL, killTime) {
		return 1, nil
	}
	return 1, []int{k.pid}
}

func (k *child) finish(d time.Duration) { k.gone(unix.SIGKILL, d) }

// gone signals the group until it is empty, or for the time d.
func (k *child) gone(sig unix.Signal, d time.Duration) bool {
	for end := time.Now().Add(d); ; time.Sleep(pause) {
		if unix.Kill(-k.pid, sig) == unix.ESRCH {
			return true
		}
		if !time.Now().Before(end) {
			return false
		}
	}
}
