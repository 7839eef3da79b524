package process

import (
	"maps"
	"os"
	"os/signal"
	"runtime"
	"sync"

	"golang.org/x/sys/unix"

	"github.com/llm-cli-gateway/gateway/engine/process/proctree"
)

// subreaper is what this process has once for all its commands: the role of a subreaper,
// the thread that starts children, and the register of those started.
//
// It has the role only while commands run. Supervisors of jobs are meant to be no
// children of ours, and orphans come to the nearest subreaper. One that comes to us
// all the same is not ours to end, by its cookie, and is reaped like any other.
type subreaper struct {
	supported bool // whether the system has such a role
	session   int
	forks     chan func()
	wake      chan os.Signal

	mu       sync.Mutex
	starting int // forks whose process id is not registered yet
	leaders  map[int]bool
}

var theSubreaper = sync.OnceValue(func() *subreaper {
	session, _ := unix.Getsid(0)
	r := &subreaper{
		supported: proctree.SetSubreaper(true) && proctree.SetSubreaper(false),
		session:   session,
		forks:     make(chan func()),
		wake:      make(chan os.Signal, 1),
		leaders:   map[int]bool{},
	}
	go r.forkLoop()
	if r.supported {
		signal.Notify(r.wake, unix.SIGCHLD)
		go r.reapLoop()
	}
	return r
})

// forkLoop runs forks on one thread that never ends. A child's parent-death
// signal comes when the thread that started it ends (golang/go#27505), and a
// thread of the Go runtime ends with any goroutine that dies locked to it.
func (r *subreaper) forkLoop() {
	runtime.LockOSThread()
	for fork := range r.forks {
		fork()
	}
}

// start starts a command on the thread that its parent-death signal needs, and
// registers it before anybody can take it for an adopted one. No lock is held
// meanwhile: fork waits for the exec, which may hang on a dead network file system.
func (r *subreaper) start(fork func() (int, error)) (pid int, err error) {
	r.mu.Lock()
	r.starting++
	proctree.SetSubreaper(true)
	r.mu.Unlock()

	done := make(chan struct{})
	r.forks <- func() {
		pid, err = fork()
		close(done)
	}
	<-done

	r.mu.Lock()
	r.starting--
	if err == nil {
		r.leaders[pid] = true
	}
	r.releaseRole()
	r.mu.Unlock()
	r.wakeReaper()
	return pid, err
}

func (r *subreaper) unregister(pid int) {
	r.mu.Lock()
	delete(r.leaders, pid)
	r.releaseRole()
	r.mu.Unlock()
	r.wakeReaper()
}

// releaseRole gives up the role of subreaper if there is nothing to adopt orphans for. The
// caller holds mu.
func (r *subreaper) releaseRole() {
	if r.starting == 0 && len(r.leaders) == 0 {
		proctree.SetSubreaper(false)
	}
}

// wakeReaper has the reaper look again, because it may have been unable to.
func (r *subreaper) wakeReaper() {
	select {
	case r.wake <- unix.SIGCHLD:
	default:
	}
}

func (r *subreaper) reapLoop() {
	for range r.wake {
		r.reapAdopted()
	}
}

// reapAdopted reaps the dead among the children we did not start. Those in our
// own session were started with os/exec: another caller waits for their exit status.
func (r *subreaper) reapAdopted() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.starting > 0 {
		return // a child that is not registered yet looks adopted; start wakes us
	}
	_, dead := r.adopted()
	for _, p := range dead {
		unix.Wait4(p.PID, nil, unix.WNOHANG, nil)
	}
}

// adopted returns our children that this package did not start. The caller holds mu.
//
// It lists again whenever it meets one that died: the children of that one
// became ours before it was seen dead, but perhaps after the list was made.
func (r *subreaper) adopted() (living, dead []proctree.Process) {
	known := map[int]bool{}
	for again := true; again; {
		again, living, dead = false, nil, nil
		for _, pid := range proctree.Children() {
			if r.leaders[pid] {
				continue
			}
			p, err := proctree.Read(pid)
			switch {
			case err == nil && p.Session == r.session:
				continue
			case err == nil && !p.Dead():
				living = append(living, p)
				continue
			case err == nil:
				dead = append(dead, p)
			}
			again = again || !known[pid]
			known[pid] = true
		}
	}
	return living, dead
}

// view returns what this process knows of its commands, without the process table. The
// caller holds mu.
func (r *subreaper) view() *view {
	self := os.Getpid()
	v := &view{self: self, session: r.session, leaders: maps.Clone(r.leaders), complete: r.starting == 0 && self != 1 && r.supported}
	v.Cookie = proctree.ReadCookie
	return v
}
