//go:build linux

package supervisor

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/llm-cli-gateway/gateway/engine/process/proctree"
)

const helperSwitch = "SUPERVISOR_TEST_HELPER"

var helperEnv = []string{helperSwitch + "=1"}

// testPool serves all tests that need no pool of their own, so that each finds
// supervisors that other tests have used.
var testPool = NewPool()

// A helper that refuses the parent-death signal must do so on its first thread, which
// alone was given one.
func init() {
	if os.Getenv(helperSwitch) != "" {
		runtime.LockOSThread()
	}
}

// TestMain makes the test binary its own command and its own gateway: with the
// switch set it carries out its arguments one after the other. As a supervisor it
// does not come this far.
func TestMain(m *testing.M) {
	if os.Getenv(helperSwitch) == "" {
		os.Exit(m.Run())
	}
	for _, step := range os.Args[1:] {
		name, arg, _ := strings.Cut(step, "=")
		helperStep(name, arg)
	}
	// Not os.Exit, which in a race-enabled binary sleeps for a second.
	syscall.Exit(0)
}

func helperStep(name, arg string) {
	num := func() int { n, err := strconv.Atoi(arg); must(err); return n }
	switch name {
	case "out":
		os.Stdout.WriteString(arg)
	case "err":
		os.Stderr.WriteString(arg)
	case "fill": // so many bytes of the pattern
		_, err := io.Copy(os.Stdout, io.LimitReader(&pattern{}, int64(num())))
		if err != nil {
			syscall.Exit(9)
		}
	case "drip": // a byte now and then until a file appears
		for !exists(arg) {
			os.Stdout.WriteString(".")
			time.Sleep(2 * time.Millisecond)
		}
	case "cat":
		_, err := io.Copy(os.Stdout, os.Stdin)
		must(err)
	case "env":
		fmt.Println(strings.Join(os.Environ(), "\n"))
	case "fds": // those that are not closed on exec, so our own runtime's are left out
		for fd := range uintptr(64) {
			flags, _, e := syscall.Syscall(syscall.SYS_FCNTL, fd, syscall.F_GETFD, 0)
			if e == 0 && flags&syscall.FD_CLOEXEC == 0 {
				fmt.Print(fd, " ")
			}
		}
	case "outer":
		fmt.Print(strings.Join(EnclosingJobs(), ","))
	case "noterm":
		signal.Ignore(syscall.SIGTERM)
	case "onterm": // exit with this code at SIGTERM
		c := make(chan os.Signal, 1)
		signal.Notify(c, syscall.SIGTERM)
		go func() { <-c; syscall.Exit(num()) }()
	case "orphanable": // our parent's death is no death of ours
		syscall.RawSyscall(syscall.SYS_PRCTL, syscall.PR_SET_PDEATHSIG, 0, 0)
	case "opaque": // as programs do that hold secrets: even we may not read its environment
		syscall.RawSyscall(syscall.SYS_PRCTL, syscall.PR_SET_DUMPABLE, 0, 0)
	case "pid": // publish our process id in a file
		publish(arg, strconv.Itoa(os.Getpid()))
	case "await":
		for !exists(arg) {
			time.Sleep(time.Millisecond)
		}
	case "sleep":
		time.Sleep(time.Hour)
	case "exit":
		syscall.Exit(num())
	case "raise":
		must(syscall.Kill(os.Getpid(), syscall.Signal(num())))
		time.Sleep(time.Hour)
	case "spawn": // steps of the child separated by ";", those of its child by "|"
		spawn(arg, false, os.Environ())
	case "setsid":
		spawn(arg, true, os.Environ())
	case "bare": // a session of its own and none of our environment
		spawn(arg, true, nil)
	case "prepare": // be a gateway that dies before it starts the job
		_, err := Prepare(arg, helperJob(arg, "exit=0"))
		must(err)
		publish(arg+"/up", "")
	case "gateway": // be one that starts a job of the steps in a file
		d, err := Prepare(arg, helperJob(arg, strings.Split(string(mustRead(arg+"/steps")), "\n")...))
		must(err)
		_, err = testPool.Start(d, os.Environ())
		must(err)
		if exists(arg + "/warm") {
			testPool.Warm()
			publish(arg+"/spare", strconv.Itoa(spare(testPool)))
		}
		publish(arg+"/up", "")
		time.Sleep(time.Hour)
	case "effect": // leave our job's id in a file
		f, err := os.OpenFile(arg, os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o600)
		must(err)
		_, err = f.WriteString(os.Getenv(CookieName) + "\n")
		must(err)
	case "busy": // be a gateway that starts one job after another
		for i := 0; ; i++ {
			j := helperJob(arg, "effect="+arg+"/effects")
			j.ID = "job" + strconv.Itoa(os.Getpid()) + "-" + strconv.Itoa(i)
			d, err := Prepare(arg+"/jobs", j)
			must(err)
			_, err = testPool.Start(d, os.Environ())
			must(err)
			publish(arg+"/up", "")
		}
	default:
		panic("unknown step " + name)
	}
}

func helperJob(root string, steps ...string) Job {
	exe, err := os.Readlink("/proc/self/exe")
	must(err)
	exe = strings.TrimSuffix(exe, " (deleted)")
	if b, err := os.ReadFile(root + "/exe"); err == nil {
		exe = string(b)
	}
	return Job{ID: "inner", Path: exe, Args: steps, Dir: root, EndWithGateway: exists(root + "/bound")}
}

// spare waits for an idle supervisor.
func spare(p *Pool) (pid int) {
	for ; pid == 0; time.Sleep(time.Millisecond) {
		p.lock()
		if len(p.idle) > 0 {
			pid = p.idle[0].pid
		}
		p.unlock()
	}
	return pid
}

func spawn(steps string, setsid bool, env []string) {
	args := append([]string{os.Args[0]}, strings.Split(steps, ";")...)
	for i := range args {
		if name, inner, ok := strings.Cut(args[i], "="); ok {
			args[i] = name + "=" + strings.ReplaceAll(inner, "|", ";")
		}
	}
	_, err := os.StartProcess("/proc/self/exe", args, &os.ProcAttr{
		Env:   append(slices.Clone(env), helperEnv...),
		Files: []*os.File{os.Stdin, os.Stdout, os.Stderr},
		Sys:   &syscall.SysProcAttr{Setsid: setsid},
	})
	must(err)
}

func publish(path, text string) {
	must(os.WriteFile(path+"~", []byte(text), 0o600))
	must(os.Rename(path+"~", path))
}

func must(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		syscall.Exit(99)
	}
}

func mustRead(path string) []byte { b, err := os.ReadFile(path); must(err); return b }

func exists(path string) bool { _, err := os.Stat(path); return err == nil }

// pattern is an endless text whose every piece tells where it is from: lines of
// ten bytes with their number.
type pattern struct{ off int64 }

func (p *pattern) Read(b []byte) (n int, err error) {
	for n < len(b) {
		line := fmt.Sprintf("%09d\n", p.off/10)
		c := copy(b[n:], line[p.off%10:])
		n += c
		p.off += int64(c)
	}
	return n, nil
}

func patternBytes(from, to int64) []byte {
	b := make([]byte, to-from)
	(&pattern{off: from}).Read(b)
	return b
}

// trial is a job under test. Its working directory is also where its helpers
// leave their files.
type trial struct {
	t testing.TB
	*Dir
	dir string
	env []string
}

func prepare(t testing.TB, l Limits, steps ...string) *trial {
	return prepareJob(t, Job{Limits: l, Args: steps})
}

func prepareJob(t testing.TB, j Job) *trial {
	t.Helper()
	dir := t.TempDir()
	if j.Path == "" {
		exe, err := os.Executable()
		check(t, err)
		j.Path = exe
	}
	j.ID, j.Dir = "job-"+strconv.FormatInt(time.Now().UnixNano(), 36), dir
	d, err := Prepare(dir+"/jobs", j)
	check(t, err)
	x := &trial{t, d, dir, helperEnv}
	t.Cleanup(func() {
		if s, err := d.State(); err == nil && (s.Phase == Running || s.Phase == Queued) && d.lease < 0 {
			d.Cancel("cleanup")
			x.wait()
		}
		d.releaseLease()
	})
	return x
}

func start(t testing.TB, l Limits, steps ...string) *trial {
	t.Helper()
	return prepare(t, l, steps...).start()
}

func (x *trial) start() *trial {
	x.t.Helper()
	_, err := testPool.Start(x.Dir, x.env)
	check(x.t, err)
	return x
}

func run(t testing.TB, l Limits, steps ...string) (*trial, Exit) {
	t.Helper()
	x := start(t, l, steps...)
	return x, x.end()
}

// wait waits for the end, whatever it is.
func (x *trial) wait() State {
	x.t.Helper()
	return waitFor(x.t, x.Dir)
}

func waitFor(t testing.TB, d *Dir) State {
	t.Helper()
	stop := make(chan struct{})
	timer := time.AfterFunc(30*time.Second, func() { close(stop) })
	defer timer.Stop()
	s, err := d.Wait(stop)
	check(t, err)
	return s
}

// end waits for the record of the end.
func (x *trial) end() Exit {
	x.t.Helper()
	s := x.wait()
	if s.Phase != Ended {
		x.t.Fatalf("the state is %+v", s)
	}
	return s.Exit
}

func (x *trial) out() string { return string(x.read(stdoutFile)) }

func (x *trial) read(name string) []byte {
	x.t.Helper()
	b, err := os.ReadFile(x.Path() + name)
	check(x.t, err)
	return b
}

func (x *trial) file(name string) string { return x.dir + "/" + name }

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// until polls, because what it waits for happens in other processes.
func until(t testing.TB, what string, cond func() bool) {
	t.Helper()
	for end := time.Now().Add(30 * time.Second); !cond(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("never: %s", what)
		}
	}
}

// pidIn waits for a process id in a file.
func pidIn(t testing.TB, path string) int {
	t.Helper()
	until(t, path+" appears", func() bool { return exists(path) })
	pid, err := strconv.Atoi(string(mustRead(path)))
	check(t, err)
	return pid
}

func alive(pid int) bool {
	p, err := proctree.Read(pid)
	return err == nil && !p.Dead()
}

// gone waits for processes to end: on a busy machine a killed one may take its
// time.
func gone(t testing.TB, pids ...int) {
	t.Helper()
	for _, pid := range pids {
		until(t, "process "+strconv.Itoa(pid)+" is gone", func() bool { return !alive(pid) })
	}
}

// noSurvivors looks at every process of the machine, by another way than the code
// under test.
func noSurvivors(t testing.TB, id string) {
	t.Helper()
	entries, err := os.ReadDir("/proc")
	check(t, err)
	for _, e := range entries {
		b, _ := os.ReadFile("/proc/" + e.Name() + "/environ")
		if pid, _ := strconv.Atoi(e.Name()); bytes.Contains(b, []byte(CookieName+"="+id+"\x00")) && pid > 0 {
			gone(t, pid)
		}
	}
}
