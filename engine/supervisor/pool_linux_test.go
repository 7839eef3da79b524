package supervisor

import (
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/llm-cli-gateway/gateway/engine/process/proctree"
)

// newTestPool returns a pool that no other test uses.
func newTestPool(t testing.TB) *Pool {
	p := NewPool()
	t.Cleanup(p.Close)
	return p
}

// idle waits until exactly n supervisors of a pool are idle and it has no other, and
// returns their process ids.
func idle(t testing.TB, p *Pool, n int) (pids []int) {
	t.Helper()
	until(t, strconv.Itoa(n)+" idle supervisors", func() bool {
		p.lock()
		defer p.unlock()
		pids = nil
		for _, w := range p.idle {
			pids = append(pids, w.pid)
		}
		return len(pids) == n && len(p.workers) == n && p.starting == 0
	})
	return pids
}

func (x *trial) startWith(p *Pool) *trial {
	x.t.Helper()
	_, err := p.Start(x.Dir, x.env)
	check(x.t, err)
	return x
}

func (x *trial) supervisor() int {
	x.t.Helper()
	s, err := x.State()
	check(x.t, err)
	return s.Start.Supervisor
}

func TestASupervisorServesOneJobAfterAnother(t *testing.T) {
	p := newTestPool(t)
	p.Warm()
	pid := idle(t, p, 1)[0]
	p.lock()
	p.warm = false // or each job would find another
	p.unlock()
	first := proctree.Numbers("/proc/" + strconv.Itoa(pid) + "/fd")
	for i := range 5 {
		x := prepare(t, Limits{}, "fds", "env")
		x.env = append(slices.Clone(helperEnv), "SECRET"+strconv.Itoa(i)+"=s3cr3t")
		x.startWith(p)
		e := x.end()
		want := "0 1 2 " + strings.Join(append(x.env, CookieName+"="+x.ID()), "\n") + "\n"
		if e.Code != 0 || e.Err != "" || x.out() != want || x.supervisor() != pid {
			t.Errorf("exit %+v, supervisor %d instead of %d, output %s", e, x.supervisor(), pid, x.out())
		}
		idle(t, p, 1)
		var now []int
		for end := time.Now().Add(30 * time.Second); !slices.Equal(now, first) && time.Now().Before(end); time.Sleep(time.Millisecond) {
			now = proctree.Numbers("/proc/" + strconv.Itoa(pid) + "/fd")
		}
		if !slices.Equal(now, first) {
			t.Fatalf("first it had the descriptors %v, now %v", first, now)
		}
		if b := mustRead("/proc/" + strconv.Itoa(pid) + "/environ"); strings.Contains(string(b), "SECRET") {
			t.Errorf("its own environment is %q", b)
		}
		if _, arg := commandLine(pid); arg != "" {
			t.Errorf("it still calls itself %q", arg)
		}
	}
}

// A cancel that comes when its job ends is not taken for one of the next job.
func TestALateCancelHitsNobodyElse(t *testing.T) {
	p := newTestPool(t)
	for range 20 {
		x := prepare(t, Limits{}, "exit=0").startWith(p)
		x.Cancel("late")
		x.wait()
		idle(t, p, 1)
		y := prepare(t, Limits{}, "exit=5").startWith(p)
		if e := y.end(); e.Reason != Exited || e.Code != 5 {
			t.Fatalf("exit %+v", e)
		}
		idle(t, p, 1)
	}
}

// Nothing of a job may reach the next, so one that is not rid of it ends.
func TestASupervisorThatIsNotCleanEnds(t *testing.T) {
	p := newTestPool(t)
	next := func() (pid int) {
		t.Helper()
		x := prepare(t, Limits{}, "fds").startWith(p)
		if e := x.end(); e.Code != 0 || x.out() != "0 1 2 " {
			t.Fatalf("exit %+v", e)
		}
		idle(t, p, 1)
		return x.supervisor()
	}
	was := next()
	changed := func(what string) {
		t.Helper()
		gone(t, was)
		if now := next(); now == was {
			t.Errorf("%s: it went on", what)
		} else {
			was = now
		}
	}

	x := prepareJob(t, Job{Args: []string{"setsid=pid=gc;sleep", "await=gc"}, KeepDescendants: true}).startWith(p)
	x.end()
	left := pidIn(t, x.file("gc"))
	changed("a process is left")
	if !alive(left) {
		t.Error("what was to stay is gone")
	}
	syscall.Kill(left, syscall.SIGKILL)

	if _, err := p.Start(prepareJob(t, Job{Path: "/no/such/program"}).Dir, nil); err == nil {
		t.Error("it is started")
	}
	changed("the start failed")

	x = prepare(t, Limits{}, "sleep").startWith(p)
	check(t, syscall.Kill(was, syscall.SIGTERM))
	x.end()
	changed("it was asked to end")

	root := t.TempDir()
	semaphore := Semaphore{root + "/semaphore", 1}
	holder := queued(t, "a", 0, root, semaphore)
	phase(t, holder, Running)
	x = prepareJob(t, Job{Args: []string{"exit=0"}, Semaphores: []Semaphore{semaphore}}).startWith(p)
	phase(t, x, Queued)
	check(t, x.Cancel("enough"))
	x.end()
	changed("it waited for a slot")
	letGo(t, root, "a")
	holder.end()

	check(t, syscall.Kill(was, syscall.SIGTERM))
	changed("it was asked to end while it was idle")
}

func TestTheNextStartAfterAllWereKilled(t *testing.T) {
	p := newTestPool(t)
	for range 10 {
		var both [2]*trial
		for i := range both {
			both[i] = prepare(t, Limits{}, "await=go").startWith(p)
		}
		for _, x := range both {
			check(t, os.WriteFile(x.file("go"), nil, 0o600))
			x.end()
		}
		for _, pid := range idle(t, p, 2) {
			check(t, syscall.Kill(pid, syscall.SIGKILL))
		}
		x := prepare(t, Limits{}, "exit=3").startWith(p)
		if e := x.end(); e.Code != 3 {
			t.Errorf("exit %+v", e)
		}
		idle(t, p, 1)
	}
}

func TestAKilledSupervisorLosesOnlyItsJob(t *testing.T) {
	p := newTestPool(t)
	x, y := prepare(t, Limits{}, "sleep").startWith(p), prepare(t, Limits{}, "await=go").startWith(p)
	killSupervisor(t, x.Dir)
	if s := x.wait(); s.Phase != Lost || s.Exit.Reason != SupervisorDied {
		t.Errorf("state %+v", s)
	}
	check(t, os.WriteFile(y.file("go"), nil, 0o600))
	if e := y.end(); e.Code != 0 {
		t.Errorf("exit %+v", e)
	}
	z := prepare(t, Limits{}, "exit=2").startWith(p)
	if e := z.end(); e.Code != 2 {
		t.Errorf("exit %+v", e)
	}
}

func TestAPoolShrinks(t *testing.T) {
	p := newTestPool(t)
	p.idleTimeout = time.Millisecond
	var jobs []*trial
	for range maxIdle + 3 {
		jobs = append(jobs, prepare(t, Limits{}, "await=go").startWith(p))
	}
	for _, x := range jobs {
		check(t, os.WriteFile(x.file("go"), nil, 0o600))
	}
	for _, x := range jobs {
		x.end()
	}
	idle(t, p, 1)

	d := newTestPool(t)
	jobs = nil
	for range maxIdle + 3 {
		jobs = append(jobs, prepare(t, Limits{}, "await=go").startWith(d))
	}
	for _, x := range jobs {
		check(t, os.WriteFile(x.file("go"), nil, 0o600))
	}
	idle(t, d, maxIdle)
}

// A warm pool has one ready whenever one was taken.
func TestAnotherIsReady(t *testing.T) {
	p := newTestPool(t)
	p.Warm()
	spare := idle(t, p, 1)[0]
	x := prepare(t, Limits{}, "sleep").startWith(p)
	if x.supervisor() != spare {
		t.Error("the spare was not used")
	}
	until(t, "another is ready", func() bool {
		p.lock()
		defer p.unlock()
		return len(p.idle) == 1 && p.idle[0].pid != spare && len(p.workers) == 2
	})
}

func TestAPoolThatIsClosed(t *testing.T) {
	p := newTestPool(t)
	x := prepare(t, Limits{}, "await=go", "exit=4").startWith(p)
	bound := prepareJob(t, Job{Args: []string{"sleep"}, EndWithGateway: true}).startWith(p)
	p.Warm()
	until(t, "one is idle", func() bool { p.lock(); defer p.unlock(); return len(p.idle) == 1 })
	p.lock()
	spare := p.idle[0].pid
	p.unlock()
	p.Close()
	gone(t, spare)
	if e := bound.end(); e.Reason != Canceled || e.Detail != gatewayEndedDetail {
		t.Errorf("exit %+v", e)
	}
	y := prepare(t, Limits{}, "exit=0")
	if _, err := p.Start(y.Dir, y.env); err != ErrClosed {
		t.Errorf("error %v", err)
	}
	check(t, y.Remove()) // the lease is still here
	if s, err := x.State(); err != nil || s.Phase != Running {
		t.Errorf("state %+v, %v", s, err)
	}
	check(t, os.WriteFile(x.file("go"), nil, 0o600))
	if e := x.end(); e.Code != 4 {
		t.Errorf("exit %+v", e)
	}
	gone(t, x.supervisor(), bound.supervisor())
}

func TestManyAtOnce(t *testing.T) {
	p := newTestPool(t)
	p.Warm()
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for range 10 {
				x := prepare(t, Limits{}, "out=x")
				if _, err := p.Start(x.Dir, x.env); err != nil {
					t.Error(err)
					return
				}
				if s := x.wait(); s.Phase != Ended || s.Exit.Code != 0 || s.Exit.Stdout.Size != 1 {
					t.Errorf("state %+v", s)
				}
			}
		})
	}
	all.Wait()
}

// An environment may be larger than what a socket holds.
func TestALargeEnvironment(t *testing.T) {
	x := prepare(t, Limits{}, "env")
	for i := range 100 {
		x.env = append(x.env, "V"+strconv.Itoa(i)+"="+strings.Repeat("v", 10_000))
	}
	x.start().end()
	if want := strings.Join(append(x.env, CookieName+"="+x.ID()), "\n") + "\n"; x.out() != want {
		t.Errorf("%d bytes instead of %d", len(x.out()), len(want))
	}
}

// If a supervisor cannot be started the error says why, and nothing ran.
func TestASupervisorThatCannotBeStarted(t *testing.T) {
	for _, tc := range []struct {
		line string
		want error
	}{{"F 11\n", syscall.EAGAIN}, {"", ErrSupervisor}} {
		p := newTestPool(t)
		p.launching = true // by this test
		replies := make(chan reply, 1)
		p.waiting, p.starting = append(p.waiting, replies), 1
		ours, theirs, err := socketpair()
		check(t, err)
		w := newWorker(ours)
		p.workers[w] = true
		if _, err := syscall.Write(theirs, []byte(tc.line)); err != nil {
			t.Fatal(err)
		}
		syscall.Close(theirs)
		p.track(w)
		r := <-replies
		if e, ok := r.err.(*os.SyscallError); ok {
			r.err = e.Err
		}
		if r.worker != nil || r.err != tc.want || p.starting != 0 || len(p.workers) > 0 {
			t.Errorf("%+v, pool %+v", r, p)
		}
	}
}

// A supervisor believes only the lease that it holds.
func TestALeaseOfAnotherJob(t *testing.T) {
	p := newTestPool(t)
	x, y := prepare(t, Limits{}, "pid=up"), prepare(t, Limits{})
	w, err := p.take()
	check(t, err)
	frame, err := encodeAssignment(x.Path(), x.env)
	check(t, err)
	if line := <-p.assign(w, frame, y.lease).first; line != "" || !x.statusUntouched() || exists(x.file("up")) {
		t.Errorf("it reported %q", line)
	}
	if e := x.startWith(p).end(); e.Code != 0 {
		t.Errorf("exit %+v", e)
	}
}

func TestAssignments(t *testing.T) {
	lease, err := os.Create(t.TempDir() + "/lease")
	check(t, err)
	defer lease.Close()
	good, err := encodeAssignment("/a/b", []string{"A=1", "B=\xff=2", ""})
	check(t, err)
	large := slices.Clone(good)
	large[7] = 0xff
	for name, tc := range map[string]struct {
		frame  []byte
		rights bool
		ok     bool
	}{
		"good":             {good, true, true},
		"no lease":         {good, false, false},
		"cut in the head":  {good[:5], true, false},
		"cut in the body":  {good[:len(good)-1], true, false},
		"another version":  {append([]byte("KPj0"), good[4:]...), true, false},
		"too long":         {large, true, false},
		"nothing":          {nil, false, false},
		"an empty one":     {[]byte(frameKind + "\x00\x00\x00\x00"), true, false},
		"no closing NUL":   {[]byte(frameKind + "\x02\x00\x00\x00/a"), true, false},
		"only a directory": {[]byte(frameKind + "\x03\x00\x00\x00/a\x00"), true, true},
	} {
		ours, theirs, err := socketpair()
		check(t, err)
		w, peer := newWorker(ours), newWorker(theirs)
		switch {
		case tc.rights:
			check(t, w.assign(tc.frame, int(lease.Fd())))
		default:
			_, err := w.sock.Write(tc.frame)
			check(t, err)
		}
		w.sock.Close()
		before := len(proctree.Numbers("/proc/self/fd"))
		j, ok := receiveAssignment(peer.sock)
		if ok != tc.ok {
			t.Errorf("%s: %+v, %v", name, j, ok)
		}
		if name == "good" && (j.path != "/a/b" || !slices.Equal(j.env, []string{"A=1", "B=\xff=2", ""})) {
			t.Errorf("%s: %+v", name, j)
		}
		if ok {
			syscall.Close(j.lease)
		}
		if after := len(proctree.Numbers("/proc/self/fd")); after != before {
			t.Errorf("%s: %d descriptors, then %d", name, before, after)
		}
		peer.sock.Close()
	}
}
