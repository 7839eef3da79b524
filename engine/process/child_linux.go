package process

import (
	"fmt"
	"sync"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/llm-cli-gateway/gateway/engine/process/proctree"
)

// child is a started leader. It stays unreaped until reap, so that until then
// its process id, and the group and session of the same number, are its own.
type child struct {
	pid       int
	cookie    string
	subreaper *subreaper
	self      func() proctree.Process
	sweeper   *proctree.Sweeper
}

func startChild(c Command) (*child, error) {
	r := theSubreaper()
	attr := &syscall.ProcAttr{
		Dir:   c.Dir,
		Env:   c.Env,
		Files: []uintptr{c.Stdin.Fd(), c.Stdout.Fd(), c.Stderr.Fd()},
		Sys:   proctree.LeaderAttr(),
	}
	argv := append([]string{c.Path}, c.Args...)
	pid, err := r.start(func() (int, error) {
		// What our own parent left open in us is none of the child's business.
		unix.CloseRange(3, 1<<31-1, unix.CLOSE_RANGE_CLOEXEC)
		return syscall.ForkExec(c.Path, argv, attr)
	})
	if err != nil {
		return nil, err
	}
	if pid <= 1 { // kill(-1) means everybody
		panic(fmt.Sprintf("process: started process %d", pid))
	}
	k := &child{pid: pid, cookie: c.Cookie, subreaper: r}
	k.self = sync.OnceValue(func() proctree.Process { p, _ := proctree.Read(pid); return p })
	return k, nil
}

// wait returns when the leader has ended, and does not reap it.
func (k *child) wait() status {
	var info unix.Siginfo
	for {
		err := unix.Waitid(unix.P_PID, k.pid, &info, unix.WEXITED|unix.WNOWAIT, nil)
		if err == unix.EINTR {
			continue
		}
		if err != nil {
			return status{code: -1, err: fmt.Errorf("wait for process %d: %w", k.pid, err)}
		}
		break
	}
	code := siStatus(&info)
	if info.Code == cldExited {
		return status{code: code}
	}
	return status{code: -1, number: code, signal: unix.SignalName(syscall.Signal(code))}
}

const cldExited = 1

// siStatus reads si_status. The fields after the three leading integers are a
// union that is aligned like a pointer: pid, uid, status.
func siStatus(info *unix.Siginfo) int {
	const ptr = unsafe.Sizeof(uintptr(0))
	const union = (3*4 + ptr - 1) / ptr * ptr
	return int(*(*int32)(unsafe.Add(unsafe.Pointer(info), union+8)))
}

func (k *child) ended() bool {
	var info unix.Siginfo
	err := unix.Waitid(unix.P_PID, k.pid, &info, unix.WEXITED|unix.WNOWAIT|unix.WNOHANG, nil)
	return info.Signo != 0 || err == unix.ECHILD
}

func (k *child) reap() {
	for {
		if _, err := unix.Wait4(k.pid, nil, 0, nil); err != unix.EINTR {
			break
		}
	}
	k.subreaper.unregister(k.pid)
}

// members returns the processes of this command that are alive.
func (k *child) members() []proctree.Process {
	leader := k.self()
	k.subreaper.mu.Lock()
	v := k.subreaper.view()
	k.subreaper.mu.Unlock()
	v.Table = proctree.Snapshot()
	return v.members(leader, k.cookie)
}

// remaining returns the living processes of the command, and reports whether it has any.
func (k *child) remaining() (members []proctree.Process, some bool) {
	if !k.remains() {
		return nil, false
	}
	return k.members(), true
}

// remains reports whether the command has a process left. Once the leader has
// ended, at least one of the others is our child, since the kernel gives the
// children of the dead away before it announces the death. A look at all
// processes instead would be slow, and is not safe: while it goes on, links to
// parents that die break.
func (k *child) remains() bool {
	if !k.ended() {
		return true
	}
	r := k.subreaper
	if !r.supported {
		return len(k.members()) > 0
	}
	r.mu.Lock()
	living, _ := r.adopted()
	v := r.view()
	r.mu.Unlock()
	for _, p := range living {
		if v.owns(k.self(), k.cookie, p) {
			return true
		}
		// One that is about to end has no environment any more but may still have
		// children. What they are shows when they are ours.
		if now, err := proctree.Read(p.PID); err != nil || now.Dead() || !now.HasMemory {
			return true
		}
	}
	return false
}
