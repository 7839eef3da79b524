package process

import (
	"fmt"
	"os"
)

// child is a started process. Its descendants are not followed, it is ended
// without being asked, and if we are killed it goes on.
type child struct {
	pid  int
	proc *os.Process
}

func startChild(c Command) (*child, error) {
	p, err := os.StartProcess(c.Path, append([]string{c.Path}, c.Args...), &os.ProcAttr{
		Dir:   c.Dir,
		Env:   c.Env,
		Files: []*os.File{c.Stdin, c.Stdout, c.Stderr},
	})
	if err != nil {
		return nil, err
	}
	return &child{pid: p.Pid, proc: p}, nil
}

func (k *child) wait() status {
	st, err := k.proc.Wait()
	if err != nil {
		return status{code: -1, err: fmt.Errorf("wait for process %d: %w", k.pid, err)}
	}
	return status{code: st.ExitCode()}
}

func (k *child) ended() bool { return false } // wait alone knows
func (k *child) reap()       {}

func (k *child) terminate() { k.proc.Kill() }
func (k *child) kill()      { k.proc.Kill() }

func (k *child) sweep(bool) (swept int, left []int) { return 0, nil }
func (k *child) killLeft()                          {}

// setAppend leaves the mode to whoever opened the file.
func setAppend(*os.File) error { return nil }

func canEnter(string) bool { return true }

// signalName has nothing to name: no process here is ended by a signal.
func signalName(int) string { return "" }
