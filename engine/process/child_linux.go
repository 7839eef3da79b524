package process

import (
	"fmt"
	"sync"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// The parts of the time in which leftovers of an ended command may end. They
// add up to what a grandchild may delay a result.
const (
	lingerTime = 50 * time.Millisecond  // by themselves
	termTime   = 100 * time.Millisecond // after SIGTERM
	killTime   = 100 * time.Millisecond // after SIGKILL
)

// child is a started leader. It stays unreaped until reap, so that until then
// its process id, and the group and session of the same number, are its own.
type child struct {
	pid    int
	cookie string
	reaper *subreaper
	self   func() stat
}

func startChild(c Command) (*child, error) {
	f := theSubreaper()
	attr := &syscall.ProcAttr{
		Dir:   c.Dir,
		Env:   c.Env,
		Files: []uintptr{c.Stdin.Fd(), c.Stdout.Fd(), c.Stderr.Fd()},
		Sys:   &syscall.SysProcAttr{Setsid: true, Pdeathsig: syscall.SIGKILL},
	}
	argv := append([]string{c.Path}, c.Args...)
	pid, err := f.start(func() (int, error) {
		// What our own parent left open in us is none of the child's business.
		unix.CloseRange(3, 1<<31-1, unix.CLOSE_RANGE_CLOEXEC)
		return syscall.ForkExec(c.Path, argv, attr)
	})
	if err != nil {
		return nil, err
	}
	if pid <= 1 { // kill(-1) means everybody
		panic(fmt.Sprintf("proc: started process %d", pid))
	}
	k := &child{pid: pid, cookie: c.Cookie, reaper: f}
	k.self = sync.OnceValue(func() stat { s, _ := readStat(pid); return s })
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
	k.reaper.unregister(k.pid)
}

// terminate asks the whole tree to end. The group is asked at once by the
// kernel and everybody else one by one; nobody is asked twice, since some
// programs take a second SIGTERM for impatience and drop what they have.
func (k *child) terminate() {
	members := k.members()
	unix.Kill(-k.pid, unix.SIGTERM)
	for _, m := range members {
		if m.pgid != k.pid {
			send(m, unix.SIGTERM)
		}
		if m.state == 'T' { // a stopped process would not even see it
			send(m, unix.SIGCONT)
		}
	}
}

func (k *child) kill() {
	members := k.members()
	unix.Kill(-k.pid, unix.SIGKILL)
	for _, m := range members {
		send(m, unix.SIGKILL)
	}
}

// members returns the processes of this command that are alive.
func (k *child) members() []stat {
	leader := k.self()
	k.reaper.mu.Lock()
	v := k.reaper.view()
	k.reaper.mu.Unlock()
	v.all = snapshot()
	return v.tree(leader, k.cookie)
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
	f := k.reaper
	if !f.subreaper {
		return len(k.members()) > 0
	}
	f.mu.Lock()
	living, _ := f.adopted()
	v := f.view()
	f.mu.Unlock()
	for _, s := range living {
		if v.owns(k.self(), k.cookie, s) {
			return true
		}
		// One that is about to end has no environment any more but may still have
		// children. What they are shows when they are ours.
		if now, err := readStat(s.pid); err != nil || now.dead() || !now.memory {
			return true
		}
	}
	return false
}

// sweep ends what the leader left behind. It returns how many processes it had
// to end and which of them are still there. If the tree was asked to end before,
// it is not asked again.
func (k *child) sweep(asked bool) (swept int, left []int) {
	if !k.remains() {
		return 0, nil
	}
	done := map[stat]bool{}
	if asked {
		k.strike(0, lingerTime+termTime, done)
	} else {
		k.strike(0, lingerTime, done)
		k.strike(unix.SIGTERM, termTime, done)
	}
	for _, s := range k.strike(unix.SIGKILL, killTime, done) {
		left = append(left, s.pid)
	}
	return len(done), left
}

// finish goes on killing what sweep had to leave.
func (k *child) finish(d time.Duration) { k.strike(unix.SIGKILL, d, map[stat]bool{}) }

// strike signals all members, also such as appear meanwhile, and waits at most
// d for them to go. It returns those that are left and enters in done, by their
// names for good, those that it signalled.
func (k *child) strike(sig unix.Signal, d time.Duration, done map[stat]bool) []stat {
	const round = 20 * time.Millisecond // then look for new ones
	end := time.Now().Add(d)
	for first := true; ; first = false {
		if !k.remains() {
			return nil
		}
		// On a busy machine the time may be over after the first look.
		members, rest := k.members(), time.Until(end)
		if rest <= 0 && !first {
			return members
		}
		strikeOnce(members, sig, min(rest, round), done)
	}
}

// strikeOnce signals members once and waits at most d for all of them to go.
func strikeOnce(members []stat, sig unix.Signal, d time.Duration, done map[stat]bool) {
	var watched []unix.PollFd
	for _, m := range members {
		h, err := openProcess(m)
		if err != nil {
			continue
		}
		defer h.close()
		key := stat{pid: m.pid, start: m.start}
		if again := sig == unix.SIGKILL; sig != 0 && (again || !done[key]) && h.signal(sig) == nil {
			done[key] = true
		}
		if h.fd >= 0 {
			watched = append(watched, unix.PollFd{Fd: int32(h.fd), Events: unix.POLLIN})
		}
	}
	if len(members) == 0 { // those that remain are just ending
		d = time.Millisecond
	}
	awaitAll(watched, d)
}

// awaitAll waits at most d until every process has ended.
func awaitAll(fds []unix.PollFd, d time.Duration) {
	live := append([]unix.PollFd(nil), fds...)
	for end := time.Now().Add(d); ; {
		rest := time.Until(end)
		if rest <= 0 {
			return
		}
		if len(live) == 0 && len(fds) > 0 {
			return
		}
		// With no file descriptor, on a kernel without them, this is a mere pause.
		_, err := unix.Poll(live, int(rest.Milliseconds())+1)
		if err != nil && err != unix.EINTR {
			return
		}
		still := live[:0]
		for _, w := range live {
			if w.Revents == 0 {
				still = append(still, w)
			}
		}
		live = still
	}
}

func send(s stat, sig unix.Signal) {
	if h, err := openProcess(s); err == nil {
		h.signal(sig)
		h.close()
	}
}

// handle is exactly one process, whoever gets its id later. Where the kernel or
// a sandbox has no pidfd, fd is -1 and the check in openProcess has to do.
type handle struct{ pid, fd int }

// openProcess looks at the start time after the handle is open: by then the
// handle holds on to a process, and a recycled id shows.
func openProcess(s stat) (handle, error) {
	if s.pid <= 1 {
		return handle{}, unix.EINVAL
	}
	fd, err := unix.PidfdOpen(s.pid, 0)
	switch err {
	case nil:
	case unix.ENOSYS, unix.EPERM:
		fd = -1
	default:
		return handle{}, err
	}
	h := handle{s.pid, fd}
	if now, err := readStat(s.pid); err != nil || now.start != s.start {
		h.close()
		return handle{}, unix.ESRCH
	}
	return h, nil
}

func (h handle) signal(sig unix.Signal) error {
	if h.fd < 0 {
		return unix.Kill(h.pid, sig)
	}
	return unix.PidfdSendSignal(h.fd, sig, nil, 0)
}

func (h handle) close() {
	if h.fd >= 0 {
		unix.Close(h.fd)
	}
}
