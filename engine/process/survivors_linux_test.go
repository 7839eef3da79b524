package process

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/llm-cli-gateway/gateway/engine/process/limits"
	"github.com/llm-cli-gateway/gateway/engine/process/proctree"
	"github.com/llm-cli-gateway/gateway/testdata/disk"
)

func alive(pid int) bool {
	p, err := proctree.Read(pid)
	return err == nil && !p.Dead()
}

// noSurvivors looks at every process of the machine, by another way than the
// code under test. On a busy machine a killed one may take its time, but then
// the exit says so.
func noSurvivors(t *testing.T, j *job, e Exit, pids ...int) {
	t.Helper()
	for _, p := range proctree.Snapshot().WithCookie(j.Cookie) {
		pids = append(pids, p.PID)
	}
	for _, pid := range pids {
		if alive(pid) && !slices.Contains(e.Left, pid) {
			t.Errorf("process %d of %v survived", pid, j.Args)
			unix.Kill(pid, unix.SIGKILL)
		}
		until(t, "a killed process is gone", func() bool { return !alive(pid) })
	}
}

func TestStopEndsTheTree(t *testing.T) {
	for name, step := range map[string]string{
		"child":                         "spawn=pid=gc;sleep",
		"noterm child":                  "spawn=noterm;pid=gc;sleep",
		"noterm, own session":           "setsid=noterm;pid=gc;sleep",
		"noterm, own session, no trace": "bare=noterm;pid=gc;sleep",
		"daemon":                        "setsid=setsid=noterm|pid=gc|sleep",
		"daemon without a trace":        "bare=bare=noterm|pid=gc|sleep",
	} {
		t.Run(name, func(t *testing.T) {
			j := newJob(t, step, "await=gc", "pid=up", "sleep")
			p := j.start(t, Limits{Grace: time.Second})
			pidIn(t, j.file("up"))
			p.Stop(Canceled)
			e := wait(t, p)
			if e.Reason != Canceled || e.Signal != "SIGTERM" {
				t.Errorf("exit %+v", e)
			}
			noSurvivors(t, j, e, pidIn(t, j.file("gc")))
		})
	}
}

func TestTheFirstReasonCounts(t *testing.T) {
	j := newJob(t, "tally", "sleep")
	p := j.start(t, Limits{Idle: 200 * time.Millisecond, Grace: 500 * time.Millisecond})
	until(t, "it is asked to end", func() bool { st, err := j.out.Stat(); check(t, err); return st.Size() > 0 })
	p.Stop(Canceled)
	e := wait(t, p)
	if e.Reason != IdleTimeout || e.Signal != "SIGKILL" || j.stdout(t, e) != "T" {
		t.Errorf("output %q, exit %+v", j.stdout(t, e), e)
	}
}

// Neither a limit nor a Stop hits a command that has ended, even if we have not
// been told yet.
func TestTheEndCountsBeforeAReason(t *testing.T) {
	j := newJob(t, "exit=6")
	null, err := os.Open(os.DevNull)
	check(t, err)
	defer null.Close()
	j.Stdin = null
	k, err := startChild(j.Command)
	check(t, err)
	defer k.reap()
	until(t, "it ends", k.ended)
	p := &Process{
		child: k, lim: Limits{Wall: 1, Idle: 1}, stop: make(chan Reason, 1),
		out: [2]*limits.Output{limits.NewOutput(j.out, 1, limits.PunchHole), limits.NewOutput(j.err, 1, limits.PunchHole)},
	}
	p.Stop(Canceled)
	ended := make(chan status)
	go func() {
		until(t, "the stop is seen", func() bool { return len(p.stop) == 0 })
		ended <- k.wait()
	}()
	if st, m := p.monitor(ended); st.code != 6 || m.Reason != Exited || m.Stopped {
		t.Errorf("%+v, reason %q", st, m.Reason)
	}
}

func TestStopWakesTheSuspended(t *testing.T) {
	j := newJob(t, "onterm=7", "raise=19")
	p := j.start(t, Limits{})
	until(t, "it is suspended", func() bool { s, _ := proctree.Read(p.Pid()); return s.Stopped() })
	p.Stop(Canceled)
	if e := wait(t, p); e.Code != 7 {
		t.Errorf("exit %+v", e)
	}
}

func TestStopEndsASwarm(t *testing.T) {
	j := newJob(t, "noterm", "pid=up", "swarm=40", "sleep")
	p := j.start(t, Limits{Grace: 30 * time.Millisecond})
	pidIn(t, j.file("up"))
	p.Stop(Canceled)
	e := wait(t, p)
	if e.Signal != "SIGKILL" {
		t.Errorf("exit %+v", e)
	}
	noSurvivors(t, j, e)
}

func TestEachIsAskedOnce(t *testing.T) {
	j := newJob(t, "onterm=0", "setsid=tally;pid=gc;sleep", "await=gc", "pid=up", "sleep")
	p := j.start(t, Limits{})
	pidIn(t, j.file("up"))
	p.Stop(Canceled)
	e := wait(t, p)
	if got := j.stdout(t, e); got != "T" || e.Swept != 1 {
		t.Errorf("the grandchild got %q, %+v", got, e)
	}
}

func TestDescendantsAreSwept(t *testing.T) {
	for name, step := range map[string]string{
		"holds stdout":         "spawn=pid=gc;sleep",
		"noterm":               "spawn=noterm;pid=gc;sleep",
		"own session":          "setsid=noterm;pid=gc;sleep",
		"daemon":               "setsid=setsid=noterm|pid=gc|sleep",
		"daemon without trace": "bare=bare=noterm|pid=gc|sleep",
	} {
		t.Run(name, func(t *testing.T) {
			j := newJob(t, step, "await=gc", "out=done", "exit=5")
			e := j.run(t, Limits{})
			if e.Code != 5 || e.Reason != Exited || e.Swept != 1 || e.Err != nil || j.stdout(t, e) != "done" {
				t.Errorf("exit %+v", e)
			}
			noSurvivors(t, j, e, pidIn(t, j.file("gc")))
		})
	}
}

func TestDescendantsAreAskedOnce(t *testing.T) {
	j := newJob(t, "setsid=tally;pid=gc;sleep", "await=gc")
	if e := j.run(t, Limits{}); j.stdout(t, e) != "T" || e.Swept != 1 {
		t.Errorf("it got %q, %+v", j.stdout(t, e), e)
	}
}

func TestNestedJobIsLeftAlone(t *testing.T) {
	for name, end := range map[string]string{"exit": "exit=0", "stop": "sleep"} {
		t.Run(name, func(t *testing.T) {
			j := newJob(t, "foreign=noterm;pid=nested;sleep", "await=nested", "pid=up", end)
			p := j.start(t, Limits{Grace: 100 * time.Millisecond})
			pidIn(t, j.file("up"))
			if end == "sleep" {
				p.Stop(Canceled)
			}
			e := wait(t, p)
			nested := pidIn(t, j.file("nested"))
			if !alive(nested) || e.Swept != 0 {
				t.Errorf("the nested job is gone: %+v", e)
			}
			check(t, unix.Kill(nested, unix.SIGKILL))
			until(t, "the nested job is reaped", func() bool { return unix.Kill(nested, 0) == unix.ESRCH })
		})
	}
}

func TestNeighbourIsLeftAlone(t *testing.T) {
	a := newJob(t, "setsid=setsid=noterm|pid=gc|sleep", "bare=bare=noterm|pid=gc2|sleep", "await=gc", "await=gc2", "sleep")
	pa := a.start(t, Limits{Grace: 100 * time.Millisecond})
	gc, gc2 := pidIn(t, a.file("gc")), pidIn(t, a.file("gc2"))

	b := newJob(t, "exit=0")
	if e := b.run(t, Limits{}); e.Swept != 0 {
		t.Errorf("exit %+v", e)
	}
	if !alive(gc) || !alive(gc2) || !alive(pa.Pid()) {
		t.Error("a process of the other command is gone")
	}
	pa.Stop(Canceled)
	e := wait(t, pa)
	noSurvivors(t, a, e, gc, gc2)
}

// A script that waits for its daemon to vanish must see it vanish.
func TestAdoptedAreReaped(t *testing.T) {
	j := newJob(t, "setsid=spawn=pid=gc0|await=die", "spawn=spawn=pid=gc|await=die", "await=gc", "pid=up", "await=go")
	p := j.start(t, Limits{})
	pidIn(t, j.file("up"))
	gc, gc0 := pidIn(t, j.file("gc")), pidIn(t, j.file("gc0"))
	check(t, os.WriteFile(j.file("die"), nil, 0o600))
	for _, pid := range []int{gc, gc0} {
		until(t, "the adopted child is reaped", func() bool { return unix.Kill(pid, 0) == unix.ESRCH })
	}
	check(t, os.WriteFile(j.file("go"), nil, 0o600))
	if e := wait(t, p); e.Code != 0 || e.Swept != 0 {
		t.Errorf("exit %+v", e)
	}
}

func TestOthersChildrenAreNotReaped(t *testing.T) {
	j := newJob(t, "exit=0")
	cmd := exec.Command(j.Path, "exit=9")
	cmd.Env = helperEnv
	check(t, cmd.Start())
	until(t, "the other child ends", func() bool { return !alive(cmd.Process.Pid) })
	j.run(t, Limits{})
	theSubreaper().reapAdopted()
	var ee *exec.ExitError
	if err := cmd.Wait(); !errors.As(err, &ee) || ee.ExitCode() != 9 {
		t.Errorf("its exit status is gone: %v", err)
	}
}

func TestDeathOfTheGateway(t *testing.T) {
	j := newJob(t)
	cmd := exec.Command(j.Path, "gateway="+j.file("inner"), "sleep")
	cmd.Env = helperEnv
	check(t, cmd.Start())
	inner := pidIn(t, j.file("inner"))
	if !alive(inner) {
		t.Fatal("the command does not run")
	}
	check(t, cmd.Process.Kill())
	cmd.Wait()
	until(t, "the command ends with its gateway", func() bool { return !alive(inner) })
}

// The thread that asks for a command may end before the command.
func TestDeathOfTheStartingThread(t *testing.T) {
	j := newJob(t, "await=go", "exit=4")
	started := make(chan *Process)
	tid := 0
	go func() {
		runtime.LockOSThread() // and never unlock: the thread ends with us
		tid = unix.Gettid()
		p, err := Start(j.Command, Limits{})
		check(t, err)
		started <- p
	}()
	p := <-started
	if tid != os.Getpid() { // the main thread never ends
		until(t, "the thread ends", func() bool {
			_, err := os.Stat(filepath.Join("/proc/self/task", strconv.Itoa(tid)))
			return err != nil
		})
	}
	check(t, os.WriteFile(j.file("go"), nil, 0o600))
	if e := wait(t, p); e.Code != 4 {
		t.Errorf("exit %+v", e)
	}
}

func TestNoLeaks(t *testing.T) {
	round := func() {
		good := newJob(t, "out=x", "spawn=sleep")
		stopped := newJob(t, "setsid=noterm;sleep", "sleep")
		bad := newJob(t)
		bad.Path = "/no/such/acme"
		ps := []*Process{good.start(t, Limits{}), stopped.start(t, Limits{Grace: 10 * time.Millisecond})}
		ps[1].Stop(Canceled)
		if _, err := Start(bad.Command, Limits{}); err == nil {
			t.Fatal("started")
		}
		for _, p := range ps {
			wait(t, p)
		}
		for _, j := range []*job{good, stopped, bad} {
			j.out.Close()
			j.err.Close()
		}
	}
	round()
	fds, routines := len(proctree.Numbers("/proc/self/fd")), runtime.NumGoroutine()
	for range 8 {
		round()
	}
	until(t, "the goroutines end", func() bool { return runtime.NumGoroutine() <= routines })
	until(t, "the descriptors are closed", func() bool { return len(proctree.Numbers("/proc/self/fd")) <= fds })
	theSubreaper().mu.Lock()
	defer theSubreaper().mu.Unlock()
	if n := len(theSubreaper().leaders); n != 0 {
		t.Errorf("%d leaders are still registered", n)
	}
}

func TestCapKeepsBothEnds(t *testing.T) {
	const limit = 100_000
	for _, size := range []int64{limit - 1, limit, limit + 1, 3_000_000} {
		j := newJob(t, "fill="+strconv.Itoa(int(size)), "exit=3")
		e := j.run(t, Limits{Output: limit})
		if e.Code != 3 || e.Reason != Exited || e.Err != nil || e.Stdout.Size != size {
			t.Errorf("exit %+v", e)
		}
		want := string(patternBytes(0, size))
		if size > limit {
			want = want[:limit/2] + "[... " + strconv.Itoa(int(size-limit)) + " bytes left out ...]\n" + want[size-limit/2:]
		}
		if got := j.stdout(t, e); got != want {
			t.Errorf("of %d bytes %d were read, or others than expected", size, len(got))
		}
		if used := diskUse(t, j.out); used > limit+4*4096 {
			t.Errorf("%d bytes of disk for %d kept of %d", used, limit, size)
		}
	}
}

// The cap is kept while the command runs, not only at its end.
func TestCapOfAFlood(t *testing.T) {
	j := newJob(t, "pid=up", "flood")
	p := j.start(t, Limits{Output: 1 << 20, Grace: time.Millisecond})
	until(t, "there is a hole", func() bool {
		st, err := j.out.Stat()
		check(t, err)
		return st.Size() > 16<<20 && diskUse(t, j.out) < st.Size()/2
	})
	p.Stop(Canceled)
	e := wait(t, p)
	if used := diskUse(t, j.out); used > 1<<20+4*4096 || !e.Stdout.Truncated {
		t.Errorf("%d bytes of disk, %+v", used, e.Stdout)
	}
	got := j.stdout(t, e)
	if !strings.HasPrefix(got, string(patternBytes(0, 1<<19))) || !strings.HasSuffix(got, string(patternBytes(e.Stdout.Size-1<<19, e.Stdout.Size))) {
		t.Error("an end of the output is not as it was written")
	}
}

func TestCapWithoutHoles(t *testing.T) {
	j := newJob(t, "flood")
	p, err := start(j.Command, Limits{Output: 1 << 20}, func(*os.File, int64, int64) error { return errors.ErrUnsupported })
	check(t, err)
	if e := wait(t, p); e.Reason != OutputCap || e.Err != nil || !e.Stdout.Truncated {
		t.Errorf("exit %+v", e)
	}
}

func TestOutputClosedUnderTheCommand(t *testing.T) {
	j := newJob(t, "pid=up", "sleep")
	p := j.start(t, Limits{})
	pidIn(t, j.file("up"))
	j.out.Close()
	e := wait(t, p)
	if e.Reason != OutputLost || !errors.Is(e.Err, os.ErrClosed) || strings.Count(e.Err.Error(), "was closed") != 1 {
		t.Errorf("exit %+v", e)
	}
}

func TestDiskFull(t *testing.T) {
	const size = 4 << 20
	disk.Each(t, size, func(t *testing.T, root string) {
		f, err := os.OpenFile(filepath.Join(root, "out"), os.O_RDWR|os.O_CREATE, 0o600)
		check(t, err)
		t.Cleanup(func() { f.Close() })
		for _, tc := range []struct {
			step string
			want error
		}{
			{"fill=1000", nil},
			{"fill=" + strconv.Itoa(2*size), ErrNoSpace}, // it fails
			{"flood", ErrNoSpace},                        // it exits with code 0
		} {
			check(t, f.Truncate(0))
			j := newJob(t, tc.step)
			j.Stdout = f
			e := j.run(t, Limits{})
			if !errors.Is(e.Err, tc.want) || e.Reason != Exited {
				t.Errorf("%s: exit %+v", tc.step, e)
			}
			if got := read(t, f, e.Stdout); got != string(patternBytes(0, e.Stdout.Size)) || len(got) < 1000 {
				t.Errorf("%s: %d bytes were kept, or others than written", tc.step, len(got))
			}
		}
	})
}

func diskUse(t *testing.T, f *os.File) int64 {
	st, err := f.Stat()
	check(t, err)
	return st.Sys().(*syscall.Stat_t).Blocks * 512
}
