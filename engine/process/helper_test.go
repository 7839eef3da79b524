//go:build unix

package process

import (
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

const helperSwitch = "PROCESS_TEST_HELPER"

var helperEnv = []string{helperSwitch + "=1"}

// leave ends a helper. Unlike os.Exit it does so at once, without what a
// race-enabled binary (sleep for a second) or one with coverage (write a warning)
// does at its exit.
func leave(code int) { syscall.Exit(code) }

// TestMain makes the test binary its own child: with the switch set it carries
// out its arguments one after the other.
func TestMain(m *testing.M) {
	if os.Getenv(helperSwitch) == "" {
		os.Exit(m.Run())
	}
	for _, step := range os.Args[1:] {
		name, arg, _ := strings.Cut(step, "=")
		helperStep(name, arg)
	}
	leave(0)
}

func helperStep(name, arg string) {
	num := func() int { n, err := strconv.Atoi(arg); must(err); return n }
	switch name {
	case "out":
		_, err := os.Stdout.WriteString(arg)
		must(err)
	case "err":
		_, err := os.Stderr.WriteString(arg)
		must(err)
	case "fill": // so many bytes of the pattern on stdout
		_, err := io.Copy(os.Stdout, io.LimitReader(&pattern{}, int64(num())))
		must(err)
	case "zeros":
		b := make([]byte, 1<<16)
		for n := num(); n > 0; n -= len(b) {
			_, err := os.Stdout.Write(b[:min(n, len(b))])
			must(err)
		}
	case "flood": // until somebody stops it
		io.Copy(os.Stdout, &pattern{})
	case "drip": // a byte now and then until a file appears
		for !exists(arg) {
			os.Stdout.WriteString(".")
			time.Sleep(2 * time.Millisecond)
		}
	case "truncate":
		must(os.Stdout.Truncate(0))
	case "cat":
		_, err := io.Copy(os.Stdout, os.Stdin)
		must(err)
	case "env":
		fmt.Println(strings.Join(os.Environ(), "\n"))
	case "dir":
		wd, err := os.Getwd()
		must(err)
		fmt.Print(wd)
	case "group":
		sid, _, _ := syscall.Syscall(syscall.SYS_GETSID, 0, 0, 0)
		fmt.Print(os.Getpid() == syscall.Getpgrp() && os.Getpid() == int(sid))
	case "fds": // those that are not closed on exec, so our own runtime's are left out
		for fd := range uintptr(64) {
			flags, _, e := syscall.Syscall(syscall.SYS_FCNTL, fd, syscall.F_GETFD, 0)
			if e == 0 && flags&syscall.FD_CLOEXEC == 0 {
				fmt.Print(fd, " ")
			}
		}
	case "noterm":
		signal.Ignore(syscall.SIGTERM)
	case "onterm": // exit with this code at SIGTERM
		c := make(chan os.Signal, 1)
		signal.Notify(c, syscall.SIGTERM)
		go func() { <-c; leave(num()) }()
	case "tally": // a T on stdout for each SIGTERM
		c := make(chan os.Signal, 8)
		signal.Notify(c, syscall.SIGTERM)
		go func() {
			for range c {
				os.Stdout.WriteString("T")
			}
		}()
	case "swarm": // ever more children, each in its own session
		for range num() {
			spawn("noterm;sleep", true, os.Environ())
		}
	case "pid": // publish our process id in a file
		must(os.WriteFile(arg+"~", []byte(strconv.Itoa(os.Getpid())), 0o600))
		must(os.Rename(arg+"~", arg))
	case "await":
		for !exists(arg) {
			time.Sleep(time.Millisecond)
		}
	case "sleep":
		time.Sleep(time.Hour)
	case "exit":
		leave(num())
	case "raise":
		must(syscall.Kill(os.Getpid(), syscall.Signal(num())))
		time.Sleep(time.Hour)
	case "spawn": // steps of the child separated by ";", those of its child by "|"
		spawn(arg, false, os.Environ())
	case "setsid":
		spawn(arg, true, os.Environ())
	case "bare": // a session of its own and none of our environment
		spawn(arg, true, nil)
	case "foreign": // as another job's
		spawn(arg, true, append(os.Environ(), CookieName+"=another"))
	case "gateway": // be the parent of a command
		startSleeper(arg)
	default:
		panic("unknown step " + name)
	}
}

func spawn(steps string, setsid bool, env []string) {
	args := append([]string{os.Args[0]}, strings.Split(steps, ";")...)
	for i := range args {
		if name, inner, ok := strings.Cut(args[i], "="); ok {
			args[i] = name + "=" + strings.ReplaceAll(inner, "|", ";")
		}
	}
	env = append(dropCookies(env), helperEnv...)
	_, err := os.StartProcess(os.Args[0], args, &os.ProcAttr{
		Env:   env,
		Files: []*os.File{os.Stdin, os.Stdout, os.Stderr},
		Sys:   &syscall.SysProcAttr{Setsid: setsid},
	})
	must(err)
}

// dropCookies keeps the last cookie only.
func dropCookies(env []string) []string {
	var out []string
	cookie := ""
	for _, kv := range env {
		if strings.HasPrefix(kv, CookieName+"=") {
			cookie = kv
		} else {
			out = append(out, kv)
		}
	}
	if cookie != "" {
		out = append(out, cookie)
	}
	return out
}

func startSleeper(pidFile string) {
	dir := filepath.Dir(pidFile)
	open := func(name string) *os.File {
		f, err := os.OpenFile(filepath.Join(dir, name), os.O_RDWR|os.O_CREATE, 0o600)
		must(err)
		return f
	}
	_, err := Start(Command{
		Path: os.Args[0], Args: []string{"noterm", "pid=" + pidFile, "sleep"}, Env: os.Environ(),
		Stdout: open("inner-out"), Stderr: open("inner-err"), Cookie: "inner",
	}, Limits{})
	must(err)
}

func must(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		leave(99)
	}
}

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func exists(path string) bool { _, err := os.Stat(path); return err == nil }

// pattern is an endless text whose every piece tells where it is from: lines of
// ten bytes with their number.
type pattern struct{ off int64 }

func (p *pattern) Read(b []byte) (int, error) {
	n := 0
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

// job is one test command.
type job struct {
	Command
	out, err *os.File
	dir      string
}

func newJob(t testing.TB, steps ...string) *job {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	j := &job{dir: t.TempDir()}
	open := func(name string) *os.File {
		f, err := os.OpenFile(filepath.Join(j.dir, name), os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { f.Close() })
		return f
	}
	j.out, j.err = open("stdout"), open("stderr")
	j.Command = Command{
		Path: exe, Args: steps, Env: slices.Clone(helperEnv), Dir: j.dir,
		Stdout: j.out, Stderr: j.err, Cookie: "job " + j.dir,
	}
	return j
}

// file names a file in the job's directory.
func (j *job) file(name string) string { return filepath.Join(j.dir, name) }

func (j *job) start(t testing.TB, l Limits) *Process {
	t.Helper()
	p, err := Start(j.Command, l)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.Stop(Canceled); <-p.Done() })
	return p
}

func (j *job) run(t testing.TB, l Limits) Exit {
	t.Helper()
	return wait(t, j.start(t, l))
}

func (j *job) stdout(t testing.TB, e Exit) string { return read(t, j.out, e.Stdout) }
func (j *job) stderr(t testing.TB, e Exit) string { return read(t, j.err, e.Stderr) }

func read(t testing.TB, f *os.File, c Capture) string {
	t.Helper()
	b, err := io.ReadAll(Reader(f, c))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func wait(t testing.TB, p *Process) Exit {
	t.Helper()
	select {
	case <-p.Done():
		return p.Exit()
	case <-time.After(20 * time.Second):
		t.Fatal("the command does not end")
		panic("unreachable")
	}
}

// until polls, because what it waits for happens in other processes.
func until(t testing.TB, what string, cond func() bool) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); !cond(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("never: %s", what)
		}
	}
}

// pidIn waits for a process id in a file.
func pidIn(t testing.TB, path string) int {
	t.Helper()
	until(t, path+" appears", func() bool { return exists(path) })
	b, err := os.ReadFile(path)
	check(t, err)
	pid, err := strconv.Atoi(string(b))
	check(t, err)
	return pid
}
