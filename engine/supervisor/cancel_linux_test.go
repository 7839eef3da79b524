package supervisor

import (
	"bytes"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/llm-cli-gateway/gateway/engine/process/proctree"
)

// T9, T10
func TestCancelEndsTheTree(t *testing.T) {
	for name, step := range map[string]string{
		"child":                         "spawn=pid=gc;sleep",
		"noterm child":                  "spawn=noterm;pid=gc;sleep",
		"noterm, own session":           "setsid=noterm;pid=gc;sleep",
		"noterm, own session, no trace": "bare=noterm;pid=gc;sleep",
		"daemon":                        "setsid=setsid=noterm|pid=gc|sleep",
		"daemon without a trace":        "bare=bare=noterm|pid=gc|sleep",
	} {
		t.Run(name, func(t *testing.T) {
			x := start(t, Limits{Grace: time.Second}, step, "await=gc", "pid=up", "sleep")
			pidIn(t, x.file("up"))
			check(t, x.Cancel("enough"))
			e := x.end()
			if e.Reason != Canceled || e.Detail != "enough" || e.Signal != int(syscall.SIGTERM) {
				t.Errorf("exit %+v", e)
			}
			gone(t, pidIn(t, x.file("gc")))
			noSurvivors(t, x.ID())
		})
	}
}

// T9
func TestWhoIgnoresSIGTERMIsKilled(t *testing.T) {
	x := start(t, Limits{Grace: 50 * time.Millisecond}, "noterm", "pid=up", "sleep")
	pidIn(t, x.file("up"))
	check(t, x.Cancel("x"))
	if e := x.end(); e.Reason != Canceled || e.Signal != int(syscall.SIGKILL) || e.Ended.Sub(e.Started) < 50*time.Millisecond {
		t.Errorf("exit %+v", e)
	}
}

func TestACommandMayEndWell(t *testing.T) {
	x := start(t, Limits{}, "onterm=7", "pid=up", "sleep")
	pidIn(t, x.file("up"))
	check(t, x.Cancel("x"))
	if err := x.Cancel("y"); err != nil && err != ErrEnded { // it may be quick
		t.Error(err)
	}
	if e := x.end(); e.Reason != Canceled || e.Code != 7 || e.Detail != "x" {
		t.Errorf("exit %+v", e)
	}
}

func TestCancelWakesTheSuspended(t *testing.T) {
	x := start(t, Limits{}, "onterm=7", "pid=up", "raise=19")
	pid := pidIn(t, x.file("up"))
	until(t, "it is suspended", func() bool { p, _ := proctree.Read(pid); return p.Stopped() })
	check(t, x.Cancel("x"))
	if e := x.end(); e.Code != 7 {
		t.Errorf("exit %+v", e)
	}
}

// T11: from a process that did not start it, whether the one that did is there or
// not.
func TestCancelFromAnywhere(t *testing.T) {
	for _, dead := range []bool{false, true} {
		g := startGateway(t, "", "gateway", "sleep")
		d := g.proceed()
		if dead {
			g.cmd.Process.Kill()
			g.cmd.Wait()
		}
		check(t, d.Cancel("from afar"))
		if s := waitFor(t, d); s.Phase != Ended || s.Exit.Reason != Canceled || s.Exit.Detail != "from afar" {
			t.Errorf("gateway dead: %v: %+v", dead, s)
		}
	}
}

// T12
func TestCancelAfterTheEnd(t *testing.T) {
	x, before := run(t, Limits{}, "exit=0")
	if err := x.Cancel("too late"); err != ErrEnded {
		t.Errorf("error %v", err)
	}
	if after := x.end(); after != before || exists(x.Path()+cancelFile) {
		t.Errorf("before %+v, after %+v", before, after)
	}
}

func TestCancelBeforeTheStart(t *testing.T) {
	x := prepare(t, Limits{}, "pid=up")
	check(t, x.Cancel("changed my mind"))
	if s, err := x.State(); err != nil || s.Phase != Queued || !s.Canceling || s.Cancel != "changed my mind" {
		t.Errorf("state %+v, %v", s, err)
	}
	if pid, err := testPool.Start(x.Dir, x.env); pid != 0 || err != nil {
		t.Errorf("Start: %d, %v", pid, err)
	}
	if e := x.end(); e.Reason != Canceled || e.Code != -1 || e.Detail != "changed my mind" || exists(x.file("up")) {
		t.Errorf("exit %+v", e)
	}
}

// Without a marker, as on a full disk, the byte alone counts; without a listener
// the marker alone.
func TestAByteIsEnough(t *testing.T) {
	x := start(t, Limits{}, "sleep")
	check(t, os.WriteFile(x.Path()+ctlFile, []byte("c"), 0))
	if e := x.end(); e.Reason != Canceled {
		t.Errorf("exit %+v", e)
	}
}

// T8
func TestTheSupervisorIsAskedToEnd(t *testing.T) {
	for _, sig := range []syscall.Signal{syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP} {
		x := start(t, Limits{}, "out=some", "pid=up", "sleep")
		pidIn(t, x.file("up"))
		s, err := x.State()
		check(t, err)
		check(t, syscall.Kill(s.Start.Supervisor, sig))
		if e := x.end(); e.Reason != SupervisorSignal || e.Detail != sig.String() || e.Stdout.Size != 4 {
			t.Errorf("%v: exit %+v", sig, e)
		}
	}
}

// T13, T14
func TestDescendantsAreSwept(t *testing.T) {
	for name, step := range map[string]string{
		"a grandchild that holds the output": "spawn=noterm;pid=gc;sleep",
		"a daemon":                           "setsid=setsid=noterm|pid=gc|sleep",
	} {
		t.Run(name, func(t *testing.T) {
			x, e := run(t, Limits{}, step, "await=gc", "out=done")
			if e.Code != 0 || e.Reason != Exited || e.Swept != 1 && e.Swept != 2 || x.out() != "done" {
				t.Errorf("output %q, exit %+v", x.out(), e)
			}
			gone(t, pidIn(t, x.file("gc")))
			noSurvivors(t, x.ID())
		})
	}
}

func TestDescendantsMayBeKept(t *testing.T) {
	x := prepareJob(t, Job{Args: []string{"setsid=pid=gc;sleep", "await=gc"}, KeepDescendants: true}).start()
	e := x.end()
	pid := pidIn(t, x.file("gc"))
	if e.Swept != 0 || !alive(pid) {
		t.Errorf("alive %v, exit %+v", alive(pid), e)
	}
	syscall.Kill(pid, syscall.SIGKILL)
}

// T15
func TestANestedJobOutlivesTheOuter(t *testing.T) {
	root := t.TempDir()
	check(t, os.WriteFile(root+"/steps", []byte("await=finish"), 0o600))
	check(t, os.WriteFile(root+"/warm", nil, 0o600))
	x := start(t, Limits{}, "gateway="+root)
	until(t, "the inner job runs", func() bool { return exists(root + "/up") })
	inner, err := Open(root + "/inner")
	check(t, err)
	s, err := inner.State()
	check(t, err)
	// The outer supervisor has both below it, which is why it must know them.
	outer, spare := x.supervisor(), pidIn(t, root+"/spare")
	for _, pid := range []int{s.Start.Supervisor, spare} {
		until(t, "it is adopted", func() bool { p, _ := proctree.Read(pid); return p.Parent == outer })
	}
	check(t, x.Cancel("outer"))
	if e := x.end(); e.Left != 0 {
		t.Errorf("exit %+v", e)
	}
	noSurvivors(t, x.ID())
	gone(t, spare) // with the inner gateway
	gone(t, outer) // it is not used again as long as there is somebody below it
	if s, err := inner.State(); err != nil || s.Phase != Running || !alive(s.Start.Pid) || !alive(s.Start.Supervisor) {
		t.Errorf("inner state %+v, %v", s, err)
	}
	check(t, os.WriteFile(root+"/finish", nil, 0o600))
	if s := waitFor(t, inner); s.Phase != Ended || s.Exit.Code != 0 {
		t.Errorf("inner state %+v", s)
	}
}

// T27: one that waits in a loop would use all of each of these windows. A tick may
// be completed in one by what was used before it.
func TestAnIdleSupervisorCostsNothing(t *testing.T) {
	const window, attempts = 500 * time.Millisecond, 10
	c := newTestPool(t)
	c.Warm()
	spare := idle(t, c, 1)[0]
	for name, pid := range map[string]int{"a spare": spare, "with a silent job": start(t, Limits{Idle: time.Hour}, "sleep").supervisor()} {
		used := int64(-1)
		for n := 0; n < attempts && used != 0; n++ {
			before, end := ticks(t, pid), time.Now().Add(window)
			until(t, "the window is over", func() bool { return time.Now().After(end) })
			used = ticks(t, pid) - before
		}
		if used != 0 {
			t.Errorf("%s: it took %d ticks of 10 ms in %v, and no less in %d others", name, used, window, attempts-1)
		}
	}
}

// ticks are those that a process spent on a processor.
func ticks(t testing.TB, pid int) (n int64) {
	t.Helper()
	b := mustRead("/proc/" + strconv.Itoa(pid) + "/stat")
	f := bytes.Fields(b[bytes.LastIndexByte(b, ')')+1:])
	for _, word := range f[11:13] {
		v, err := strconv.ParseInt(string(word), 10, 64)
		check(t, err)
		n += v
	}
	return n
}

// The name alone makes nobody a supervisor: here the steps are carried out, as far as
// there are such.
func TestTheNameAloneMakesNoSupervisor(t *testing.T) {
	padded := "out=" + strings.Repeat("x", titleSize-len("out="))
	for _, tc := range []struct {
		args []string
		out  string
		ok   bool
	}{
		{[]string{"out=ordinary"}, "ordinary", true},
		{[]string{padded}, padded[len("out="):], true},
		{[]string{launcherArg, "1"}, "", false},
	} {
		c := exec.Command("/proc/self/exe")
		c.Env = helperEnv
		c.Args = append([]string{processName}, tc.args...)
		if out, err := c.Output(); string(out) != tc.out || (err == nil) != tc.ok {
			t.Errorf("%.20q: %.20q, %v", tc.args, out, err)
		}
	}
}
