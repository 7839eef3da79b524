package process

import (
	"maps"
	"os"
	"os/signal"
	"runtime"
	"sync"

	"golang.org/x/sys/unix"
)

// subreaper is what belongs to the process as a whole: its role as subreaper, the
// thread that starts children, and the register of those started.
//
// It has the role only while commands run. Supervisors of jobs are meant to be no
// children of ours, and orphans come to the nearest subreaper. One that comes to us
// all the same is not ours to end, by its cookie, and is reaped like any other.
type subreaper struct {
	subreaper bool // whether the system has such a role
	sid       int
	forks     chan func()
	wake      chan os.Signal

	mu       sync.Mutex
	starting int // forks whose process id is not registered yet
	leaders  map[int]bool
}

var theSubreaper = sync.OnceValue(func() *subreaper {
	sid, _ := unix.Getsid(0)
	f := &subreaper{
		subreaper: adopt(true) && adopt(false),
		sid:       sid,
		forks:     make(chan func()),
		wake:      make(chan os.Signal, 1),
		leaders:   map[int]bool{},
	}
	go f.forkLoop()
	if f.subreaper {
		signal.Notify(f.wake, unix.SIGCHLD)
		go f.reapLoop()
	}
	return f
})

// adopt takes the role of subreaper, or gives it up.
func adopt(orphans bool) (ok bool) {
	on := uintptr(0)
	if orphans {
		on = 1
	}
	return unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, on, 0, 0, 0) == nil
}

// forkLoop runs forks on one thread that never ends. A child's parent-death
// signal comes when the thread that started it ends (golang/go#27505), and a
// thread of the Go runtime ends with any goroutine that dies locked to it.
func (f *subreaper) forkLoop() {
	runtime.LockOSThread()
	for fork := range f.forks {
		fork()
	}
}

// start starts a command on the thread that its parent-death signal needs, and
// registers it before anybody can take it for an adopted one. No lock is held
// meanwhile: fork waits for the exec, which may hang on a dead network file system.
func (f *subreaper) start(fork func() (int, error)) (pid int, err error) {
	f.mu.Lock()
	f.starting++
	adopt(true)
	f.mu.Unlock()

	done := make(chan struct{})
	f.forks <- func() {
		pid, err = fork()
		close(done)
	}
	<-done

	f.mu.Lock()
	f.starting--
	if err == nil {
		f.leaders[pid] = true
	}
	f.releaseRole()
	f.mu.Unlock()
	f.wakeReaper()
	return pid, err
}

func (f *subreaper) unregister(pid int) {
	f.mu.Lock()
	delete(f.leaders, pid)
	f.releaseRole()
	f.mu.Unlock()
	f.wakeReaper()
}

// releaseRole gives up the role of subreaper if there is nothing to adopt orphans for. The
// caller holds mu.
func (f *subreaper) releaseRole() {
	if f.starting == 0 && len(f.leaders) == 0 {
		adopt(false)
	}
}

// wakeReaper has the reaper look again, because it may have been kept from it.
func (f *subreaper) wakeReaper() {
	select {
	case f.wake <- unix.SIGCHLD:
	default:
	}
}

func (f *subreaper) reapLoop() {
	for range f.wake {
		f.reapAdopted()
	}
}

// reapAdopted reaps the dead among the children we did not start. Those in our
// own session were started with os/exec: their exit status is somebody else's.
func (f *subreaper) reapAdopted() {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.starting > 0 {
		return // a child that is not registered yet looks adopted; start pokes
	}
	_, dead := f.adopted()
	for _, s := range dead {
		unix.Wait4(s.pid, nil, unix.WNOHANG, nil)
	}
}

// adopted returns our children that nobody here started. The caller holds mu.
//
// It lists again whenever it meets one that died: the children of that one
// became ours before it was seen dead, but perhaps after the list was made.
func (f *subreaper) adopted() (living, dead []stat) {
	known := map[int]bool{}
	for again := true; again; {
		again, living, dead = false, nil, nil
		pids, _ := children()
		for _, pid := range pids {
			if f.leaders[pid] {
				continue
			}
			s, err := readStat(pid)
			switch {
			case err == nil && s.sid == f.sid:
				continue
			case err == nil && !s.dead():
				living = append(living, s)
				continue
			case err == nil:
				dead = append(dead, s)
			}
			again = again || !known[pid]
			known[pid] = true
		}
	}
	return living, dead
}

// view returns the scene without its processes. The caller holds mu.
func (f *subreaper) view() *scene {
	self := os.Getpid()
	return &scene{
		self: self, sid: f.sid, leaders: maps.Clone(f.leaders), cookie: readCookie,
		settled: f.starting == 0 && self != 1 && f.subreaper,
	}
}
