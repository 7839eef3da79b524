//go:build unix && !linux

package process

import (
	"fmt"
	"os"

	"golang.org/x/sys/unix"

	"github.com/llm-cli-gateway/gateway/engine/process/proctree"
)

// child is a started leader with its process group. A descendant that leaves
// the group escapes, and if we are killed the child goes on: these systems have
// neither a subreaper nor a parent-death signal.
type child struct {
	pid     int
	proc    *os.Process
	sweeper *proctree.Sweeper
}

func startChild(c Command) (*child, error) {
	p, err := os.StartProcess(c.Path, append([]string{c.Path}, c.Args...), &os.ProcAttr{
		Dir:   c.Dir,
		Env:   c.Env,
		Files: []*os.File{c.Stdin, c.Stdout, c.Stderr},
		Sys:   proctree.LeaderAttr(),
	})
	if err != nil {
		return nil, err
	}
	if p.Pid <= 1 { // kill(-1) means everybody
		panic(fmt.Sprintf("process: started process %d", p.Pid))
	}
	return &child{pid: p.Pid, proc: p}, nil
}

func (k *child) wait() status {
	st, err := k.proc.Wait()
	if err != nil {
		return status{code: -1, err: fmt.Errorf("wait for process %d: %w", k.pid, err)}
	}
	if ws, ok := st.Sys().(unix.WaitStatus); ok && ws.Signaled() {
		return status{code: -1, number: int(ws.Signal()), signal: unix.SignalName(ws.Signal())}
	}
	return status{code: st.ExitCode()}
}

func (k *child) ended() bool { return false } // wait alone knows, and reaps
func (k *child) reap()       {}

// members cannot be listed on these systems.
func (k *child) members() []proctree.Process { return nil }

func (k *child) remaining() ([]proctree.Process, bool) { return nil, false }
