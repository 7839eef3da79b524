package supervisor

import (
	"errors"
	"os"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

func TestAJobRuns(t *testing.T) {
	x := prepareJob(t, Job{Args: []string{"cat", "out=!", "err=oops", "exit=3"}, Stdin: []byte("hello")})
	if s, err := x.State(); err != nil || s.Phase != Queued {
		t.Errorf("before: %+v, %v", s, err)
	}
	before := time.Now()
	e := x.start().end()
	if e.Code != 3 || e.Signal != 0 || e.Reason != Exited || e.Err != "" || e.DiskFull || e.Swept != 0 {
		t.Errorf("exit %+v", e)
	}
	if x.out() != "hello!" || string(x.read(stderrFile)) != "oops" {
		t.Errorf("output %q, %q", x.out(), x.read(stderrFile))
	}
	if want := (Capture{Size: 6, Head: 6}); e.Stdout != want {
		t.Errorf("stdout %+v", e.Stdout)
	}
	if e.Started.Before(before.Round(0)) || e.Ended.Before(e.Started) || time.Now().Round(0).Before(e.Ended) {
		t.Errorf("from %v to %v", e.Started, e.Ended)
	}
	if _, err := testPool.Start(x.Dir, x.env); err != ErrNoLease {
		t.Errorf("a second start: %v", err)
	}
	check(t, x.Remove())
	if exists(x.Path()) {
		t.Error("the directory is still there")
	}
}

func TestASignalIsRecorded(t *testing.T) {
	if _, e := run(t, Limits{}, "raise=9"); e.Code != -1 || e.Signal != 9 || e.Reason != Exited {
		t.Errorf("exit %+v", e)
	}
}

// T32
func TestNoInputIsAnEmptyInput(t *testing.T) {
	if x, e := run(t, Limits{}, "cat", "out=end"); e.Code != 0 || x.out() != "end" {
		t.Errorf("output %q, exit %+v", x.out(), e)
	}
}

// T5, from the command's side
func TestTheCommandHasThreeDescriptors(t *testing.T) {
	if x, _ := run(t, Limits{}, "fds"); x.out() != "0 1 2 " {
		t.Errorf("descriptors %s", x.out())
	}
}

// T5, from the supervisor's: who waits for the end of a pipe must not wait for jobs.
func TestTheSupervisorHoldsNothingOfOthers(t *testing.T) {
	var p [2]int
	check(t, syscall.Pipe(p[:])) // left open on exec, as careless programs do
	defer syscall.Close(p[0])
	x := start(t, Limits{}, "sleep")
	syscall.Close(p[1])
	r := make(chan int, 1)
	go func() { n, _ := syscall.Read(p[0], make([]byte, 1)); r <- n }()
	select {
	case n := <-r:
		if n != 0 {
			t.Errorf("read %d bytes", n)
		}
	case <-time.After(20 * time.Second):
		t.Error("the supervisor keeps the pipe open")
	}
	if s, _ := x.State(); s.Phase != Running {
		t.Errorf("state %+v", s)
	}
}

func TestOneCookie(t *testing.T) {
	x := prepare(t, Limits{}, "env")
	x.env = append(x.env, CookieName+"=outer", "A=b", CookieName+"=outer2")
	x.start().end()
	if n := strings.Count(x.out(), CookieName); n != 1 || !strings.Contains(x.out(), CookieName+"="+x.ID()+"\n") || !strings.Contains(x.out(), "A=b\n") {
		t.Errorf("environment:\n%s", x.out())
	}
}

// Several programs start others with next to no environment.
func TestEnclosingJobs(t *testing.T) {
	root := t.TempDir()
	check(t, os.WriteFile(root+"/steps", []byte("bare=outer;pid="+root+"/dirs\nawait="+root+"/dirs"), 0o600))
	x := start(t, Limits{}, "gateway="+root)
	pidIn(t, root+"/dirs")
	inner, err := Open(root + "/inner")
	check(t, err)
	waitFor(t, inner)
	if got, want := string(mustRead(inner.Path()+stdoutFile)), inner.Path()+","+x.Path(); got != want {
		t.Errorf("%q, want %q", got, want)
	}
	if got := EnclosingJobs(); len(got) > 0 {
		t.Errorf("here: %q", got)
	}
}

// T24
func TestNoEnvironmentOnDisk(t *testing.T) {
	const secret = "s3cr3t-value"
	x := prepare(t, Limits{}, "pid=up", "sleep")
	x.env = append(x.env, "TOKEN="+secret)
	x.start()
	pidIn(t, x.file("up"))
	look := func() {
		entries, err := os.ReadDir(x.Path())
		check(t, err)
		for _, e := range entries {
			st, err := e.Info()
			check(t, err)
			if st.Mode().Perm() != 0o600 {
				t.Errorf("%s has mode %v", e.Name(), st.Mode())
			}
			if st.Mode().IsRegular() && strings.Contains(string(x.read("/"+e.Name())), secret) {
				t.Errorf("%s holds a secret", e.Name())
			}
		}
	}
	look()
	check(t, x.Cancel("enough"))
	x.end()
	look()
	if st, err := os.Stat(x.Path()); err != nil || st.Mode().Perm() != 0o700 {
		t.Errorf("directory: %v, %v", st.Mode(), err)
	}
}

// T25
func TestACommandThatCannotStart(t *testing.T) {
	script := t.TempDir() + "/not-a-program"
	check(t, os.WriteFile(script, []byte("\x00\x01"), 0o700))
	for _, tc := range []struct {
		path  string
		errno syscall.Errno
	}{{script, syscall.ENOEXEC}, {"/no/such/program", syscall.ENOENT}, {os.TempDir(), syscall.EACCES}} {
		x := prepareJob(t, Job{Path: tc.path})
		_, err := testPool.Start(x.Dir, x.env)
		if e, ok := err.(*StartError); !ok || e.Errno != int(tc.errno) || !strings.Contains(e.Text, tc.path) {
			t.Errorf("%s: error %v", tc.path, err)
		}
		if e := x.end(); e.Reason != StartFailed || e.Code == 0 || e.Errno != int(tc.errno) {
			t.Errorf("%s: exit %+v", tc.path, e)
		}
		check(t, x.Remove())
		if exists(x.Path()) {
			t.Error("the directory is still there")
		}
	}
}

func TestAStartThatIsTooBig(t *testing.T) {
	x := prepare(t, Limits{}, "exit=0")
	x.env = append(x.env, "BIG="+strings.Repeat("x", 1<<20))
	_, err := testPool.Start(x.Dir, x.env)
	if e, ok := err.(*StartError); !ok || e.Errno != int(syscall.E2BIG) {
		t.Errorf("error %v", err)
	}
	if e := x.end(); e.Reason != StartFailed || e.Errno != int(syscall.E2BIG) {
		t.Errorf("exit %+v", e)
	}
	y := prepare(t, Limits{}, "exit=0")
	y.env = append(y.env, "NUL=a\x00b")
	if _, err := testPool.Start(y.Dir, y.env); !errors.Is(err, syscall.EINVAL) {
		t.Errorf("error %v", err)
	}
	y.env = helperEnv // the lease is still ours
	if e := y.start().end(); e.Code != 0 {
		t.Errorf("exit %+v", e)
	}
}

func TestBadJobs(t *testing.T) {
	good := Job{ID: "a", Path: "/bin/x", Dir: "/"}
	for name, spoil := range map[string]func(*Job){
		"no id": func(j *Job) { j.ID = "" }, "an id that is a path": func(j *Job) { j.ID = "../a" },
		"no path": func(j *Job) { j.Path = "" }, "a relative path": func(j *Job) { j.Path = "bin/x" },
		"no directory": func(j *Job) { j.Dir = "" }, "a NUL in an argument": func(j *Job) { j.Args = []string{"a\x00b"} },
		"a NUL in the path": func(j *Job) { j.Path = "/a\x00" },
	} {
		j := good
		spoil(&j)
		root := t.TempDir()
		if _, err := Prepare(root, j); err != ErrJob {
			t.Errorf("%s: %v", name, err)
		}
		if left, _ := os.ReadDir(root); len(left) > 0 {
			t.Errorf("%s: %v is left", name, left)
		}
	}
	if _, err := Prepare("relative", good); err != ErrJob {
		t.Errorf("a relative root: %v", err)
	}
	root := t.TempDir()
	d, err := Prepare(root, good)
	check(t, err)
	defer d.Remove()
	if _, err := Prepare(root, good); !os.IsExist(err) {
		t.Errorf("the same id again: %v", err)
	}
}

// T22
func TestLimits(t *testing.T) {
	for name, tc := range map[string]struct {
		lim   Limits
		steps []string
		want  Reason
	}{
		"wall":                  {Limits{Wall: 100 * time.Millisecond}, []string{"drip=never"}, WallTimeout},
		"idle":                  {Limits{Idle: 100 * time.Millisecond}, []string{"out=x", "sleep"}, IdleTimeout},
		"output is not idle":    {Limits{Idle: 20 * time.Second, Wall: 200 * time.Millisecond}, []string{"drip=never"}, WallTimeout},
		"an end before a limit": {Limits{Idle: 20 * time.Second, Wall: 20 * time.Second}, []string{"exit=0"}, Exited},
		"stderr is output also": {Limits{Idle: 20 * time.Second}, []string{"err=x"}, Exited},
	} {
		t.Run(name, func(t *testing.T) {
			_, e := run(t, tc.lim, tc.steps...)
			if e.Reason != tc.want {
				t.Errorf("exit %+v", e)
			}
			if tc.want == WallTimeout && e.Ended.Sub(e.Started) < tc.lim.Wall {
				t.Errorf("ended after %v", e.Ended.Sub(e.Started))
			}
		})
	}
}

// T21
func TestTheCapKeepsBothEnds(t *testing.T) {
	const size, max = 20_000_000, 100_001
	x, e := run(t, Limits{Output: max}, "fill="+strconv.Itoa(size))
	if want := (Capture{Size: size, Head: max / 2, Tail: max - max/2, Truncated: true}); e.Stdout != want || e.Code != 0 || e.Reason != Exited {
		t.Fatalf("exit %+v", e)
	}
	b := x.read(stdoutFile)
	if string(b[:e.Stdout.Head]) != string(patternBytes(0, e.Stdout.Head)) {
		t.Error("the head is damaged")
	}
	if string(b[size-e.Stdout.Tail:]) != string(patternBytes(size-e.Stdout.Tail, size)) {
		t.Error("the tail is damaged")
	}
	var st syscall.Stat_t
	check(t, syscall.Stat(x.Path()+stdoutFile, &st))
	if used := st.Blocks * 512; used > max+4*4096 {
		t.Errorf("it takes %d bytes of disk", used)
	}
	o, _, err := x.Captured()
	if check(t, err); o != e.Stdout {
		t.Errorf("seen from outside %+v", o)
	}
}
