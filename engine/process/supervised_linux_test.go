package process

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/llm-cli-gateway/gateway/engine/process/proctree"
	"github.com/llm-cli-gateway/gateway/engine/supervisor"
)

var testPool = supervisor.NewPool()

func prepareSupervised(t *testing.T, id, path string, steps ...string) *supervisor.Dir {
	t.Helper()
	root := t.TempDir()
	d, err := supervisor.Prepare(root, supervisor.Job{ID: id, Path: path, Args: steps, Dir: root})
	check(t, err)
	t.Cleanup(func() {
		d.Cancel("cleanup")
		d.Wait(nil)
	})
	return d
}

func self(t *testing.T) string {
	t.Helper()
	exe, err := os.Executable()
	check(t, err)
	return exe
}

func TestStartSupervised(t *testing.T) {
	d := prepareSupervised(t, "supervised", self(t), "out=hello", "exit=4")
	_, err := StartSupervised(testPool, d, helperEnv)
	check(t, err)
	s, err := d.Wait(nil)
	if check(t, err); s.Phase != supervisor.Ended || s.Exit.Code != 4 {
		t.Errorf("state %+v", s)
	}
}

// A command that ends, or is stopped, takes no job with it.
func TestACommandLeavesJobsAlone(t *testing.T) {
	d := prepareSupervised(t, "supervised", self(t), "sleep")
	pid, err := StartSupervised(testPool, d, helperEnv)
	check(t, err)
	j := newJob(t, "bare=noterm;pid=gc;sleep", "await=gc")
	e := j.run(t, Limits{})
	noSurvivors(t, j, e, pidIn(t, j.file("gc")))
	if s, err := d.State(); err != nil || s.Phase != supervisor.Running || !alive(pid) || !alive(s.Start.Supervisor) {
		t.Errorf("state %+v, %v", s, err)
	}
}

// Who ends us with all that is below us does not end our jobs, unless a command ran
// when their supervisor was started: then orphans come to us.
func TestASupervisorIsNoChild(t *testing.T) {
	until(t, "no command runs", func() bool {
		f := theSubreaper()
		f.mu.Lock()
		defer f.mu.Unlock()
		return len(f.leaders) == 0
	})
	for _, busy := range []bool{false, true} {
		pool := supervisor.NewPool()
		defer pool.Close()
		var j *job
		var p *Process
		if busy {
			j = newJob(t, "bare=noterm;pid=gc;sleep", "await=gc", "await=go")
			p = j.start(t, Limits{})
			pidIn(t, j.file("gc"))
		}
		d := prepareSupervised(t, "supervised", self(t), "sleep")
		_, err := StartSupervised(pool, d, helperEnv)
		check(t, err)
		s, err := d.State()
		check(t, err)
		parent, err := proctree.Read(s.Start.Supervisor)
		check(t, err)
		if (parent.Parent == os.Getpid()) != busy {
			t.Errorf("busy %v: its parent is %d, and we are %d", busy, parent.Parent, os.Getpid())
		}
		if !busy {
			continue
		}
		check(t, os.WriteFile(j.file("go"), nil, 0o600))
		if e := wait(t, p); e.Swept != 1 {
			t.Errorf("exit %+v", e)
		}
		gone := pidIn(t, j.file("gc"))
		until(t, "what the command left is gone", func() bool { return !alive(gone) })
		if s, err := d.State(); err != nil || s.Phase != supervisor.Running || !alive(s.Start.Supervisor) {
			t.Errorf("state %+v, %v", s, err)
		}
		check(t, unix.Kill(s.Start.Supervisor, unix.SIGKILL))
		until(t, "it is reaped", func() bool { return unix.Kill(s.Start.Supervisor, 0) == unix.ESRCH })
	}
}

func TestAStartIsExplained(t *testing.T) {
	script := t.TempDir() + "/script"
	check(t, os.WriteFile(script, []byte("#!/no/such/interpreter\n"), 0o700))
	for path, want := range map[string]error{"/no/such/program": ErrNotFound, script: ErrNotFound, t.TempDir(): ErrNotExecutable} {
		if _, err := StartSupervised(testPool, prepareSupervised(t, "supervised", path), nil); !errors.Is(err, want) {
			t.Errorf("%s: %v", path, err)
		}
	}
	d := prepareSupervised(t, "supervised", self(t), strings.Repeat("x", maxArg+1))
	if _, err := StartSupervised(testPool, d, nil); !errors.Is(err, ErrTooBig) || !strings.Contains(err.Error(), "argument 1") {
		t.Errorf("a long argument: %v", err)
	}
	d = prepareSupervised(t, "supervised", self(t))
	if _, err := StartSupervised(testPool, d, []string{"BIG=" + strings.Repeat("x", maxArg)}); !errors.Is(err, ErrTooBig) || !strings.Contains(err.Error(), "BIG") {
		t.Errorf("a long environment: %v", err)
	}
	check(t, d.Remove())
}

// T33: a supervisor must cost as little as a program that has only what it needs. What
// this test links is not all that a gateway does, but it is enough to show that
// the supervisor comes before the rest.
func TestASupervisorInitialisesLittle(t *testing.T) {
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	check(t, err)
	socket := os.NewFile(uintptr(pair[0]), "")
	defer socket.Close()
	check(t, unix.Close(pair[1])) // the gateway is gone
	c := exec.Command(self(t))
	c.Args = []string{"llm-gateway-keeper", strings.Repeat(" ", 4096)}
	c.Env = []string{"GODEBUG=inittrace=1"}
	c.ExtraFiles = []*os.File{socket}
	trace, err := c.CombinedOutput()
	check(t, err)
	n := bytes.Count(trace, []byte("\n"))
	if n == 0 || n > 30 || bytes.Contains(trace, []byte("init testing")) {
		t.Errorf("%d packages are initialised:\n%s", n, trace)
	}
}

func TestSupervisedExit(t *testing.T) {
	began := time.Now()
	got := SupervisedExit(supervisor.Exit{Code: -1, Signal: 9, Reason: supervisor.SupervisorSignal, Started: began, Stdout: supervisor.Capture{Size: 9, Head: 4, Tail: 4, Truncated: true},
		Swept: 2, Left: 1, DiskFull: true, Err: "and more"})
	if got.Code != -1 || got.Signal != "SIGKILL" || got.SignalNumber != 9 || got.Reason != "supervisor_signal" || got.Stdout != (Capture{Size: 9, Head: 4, Tail: 4, Truncated: true}) || got.Swept != 2 || !got.Started.Equal(began) {
		t.Errorf("%+v", got)
	}
	if !errors.Is(got.Err, ErrNoSpace) || !strings.Contains(got.Err.Error(), "and more") || !strings.Contains(got.Err.Error(), "1 processes could not be ended") {
		t.Errorf("err: %v", got.Err)
	}
	if got := SupervisedExit(supervisor.Exit{Reason: supervisor.Exited}); got.Err != nil || got.Signal != "" || got.Reason != Exited {
		t.Errorf("%+v", got)
	}
}
