//go:build unix

package process

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

func TestEnds(t *testing.T) {
	for _, tc := range []struct {
		name     string
		steps    []string
		code     int
		signal   string
		out, err string
	}{
		{"success", []string{"out=a", "err=b", "out=c"}, 0, "", "ac", "b"},
		{"nothing", nil, 0, "", "", ""},
		{"exit code", []string{"out=x", "exit=41"}, 41, "", "x", ""},
		{"signal", []string{"out=x", "raise=9"}, -1, "SIGKILL", "x", ""},
		{"input ends", []string{"cat", "out=end"}, 0, "", "end", ""},
		{"leads its session", []string{"group"}, 0, "", "true", ""},
		{"truncates its output", []string{"out=gone", "truncate", "out=kept"}, 0, "", "kept", ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			j := newJob(t, tc.steps...)
			e := j.run(t, Limits{})
			if e.Code != tc.code || e.Signal != tc.signal || e.Reason != Exited || e.Err != nil || e.Swept != 0 || e.Left != nil {
				t.Errorf("exit %+v", e)
			}
			if out, err := j.stdout(t, e), j.stderr(t, e); out != tc.out || err != tc.err {
				t.Errorf("stdout %q, stderr %q", out, err)
			}
			if e.Started.IsZero() || e.Ended.Before(e.Started) {
				t.Errorf("started %v, ended %v", e.Started, e.Ended)
			}
		})
	}
}

func TestInput(t *testing.T) {
	j := newJob(t, "cat")
	text := strings.Repeat("háló 世界\n", 40_000)
	if err := os.WriteFile(j.file("stdin"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	in, err := os.Open(j.file("stdin"))
	if err != nil {
		t.Fatal(err)
	}
	j.Stdin = in
	p := j.start(t, Limits{})
	in.Close()
	if e := wait(t, p); j.stdout(t, e) != text {
		t.Errorf("%d bytes came back of %d", e.Stdout.Size, len(text))
	}
}

func TestOneFileForBoth(t *testing.T) {
	j := newJob(t, "out=1", "err=2", "out=3")
	j.Stderr = j.out
	if e := j.run(t, Limits{}); j.stdout(t, e) != "123" {
		t.Errorf("got %q", j.stdout(t, e))
	}
}

func TestEnvironmentHasOneCookie(t *testing.T) {
	j := newJob(t, "env")
	j.Env = append(j.Env, CookieName+"=outer", "A=1", CookieName+"=other", "B=x=y")
	e := j.run(t, Limits{})
	got := strings.Split(strings.TrimSpace(j.stdout(t, e)), "\n")
	want := append(slices.Clone(helperEnv), "A=1", "B=x=y", CookieName+"="+j.Cookie)
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestDirectory(t *testing.T) {
	j := newJob(t, "dir")
	want, err := filepath.EvalSymlinks(j.dir)
	if err != nil {
		t.Fatal(err)
	}
	if e := j.run(t, Limits{}); j.stdout(t, e) != want {
		t.Errorf("got %q, want %q", j.stdout(t, e), want)
	}
}

func TestDescriptors(t *testing.T) {
	// Whoever started us may have left something open in us.
	fd, err := syscall.Open(os.DevNull, syscall.O_RDONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer syscall.Close(fd)
	j := newJob(t, "fds")
	if e := j.run(t, Limits{}); j.stdout(t, e) != "0 1 2 " {
		t.Errorf("the child has the descriptors %s", j.stdout(t, e))
	}
}

func TestRefused(t *testing.T) {
	script := func(t *testing.T, j *job, text string, mode os.FileMode) {
		j.Path = j.file("tool")
		if err := os.WriteFile(j.Path, []byte(text), mode); err != nil {
			t.Fatal(err)
		}
	}
	for _, tc := range []struct {
		name string
		edit func(*testing.T, *job)
		want error
		text string
	}{
		{"missing", func(t *testing.T, j *job) { j.Path = j.file("none") }, ErrNotFound, "none does not exist"},
		{"missing under a file", func(t *testing.T, j *job) { script(t, j, "", 0o700); j.Path += "/x" }, ErrNotFound, "does not exist"},
		{"directory", func(t *testing.T, j *job) { j.Path = j.dir }, ErrNotExecutable, "is a directory"},
		{"no x bit", func(t *testing.T, j *job) { script(t, j, "#!/bin/sh\n", 0o600) }, ErrNotExecutable, "chmod +x"},
		{"format", func(t *testing.T, j *job) { script(t, j, "hello\n", 0o700) }, ErrFormat, "neither a binary"},
		{"interpreter", func(t *testing.T, j *job) { script(t, j, "#! /no/such/acme -x\n", 0o700) }, ErrNotFound, "/no/such/acme, which does not exist"},
		{"no dir", func(t *testing.T, j *job) { j.Dir = j.file("none") }, ErrDir, "none does not exist"},
		{"dir is a file", func(t *testing.T, j *job) { j.Dir = j.out.Name() }, ErrDir, "is not a directory"},
		{"long argument", func(t *testing.T, j *job) { j.Args = []string{"x", strings.Repeat("x", 200_000)} }, ErrTooBig, "argument 2 has 200000 bytes"},
		{"long variable", func(t *testing.T, j *job) { j.Env = []string{"KEY=" + strings.Repeat("x", 200_000)} }, ErrTooBig, "variable KEY has 200004 bytes"},
		{"many arguments", func(t *testing.T, j *job) { j.Args = slices.Repeat([]string{strings.Repeat("x", 100_000)}, 100) }, ErrTooBig, "100 arguments"},
		{"relative", func(t *testing.T, j *job) { j.Path = "acme" }, ErrCommand, "not absolute"},
		{"NUL in argument", func(t *testing.T, j *job) { j.Args = []string{"a", "b\x00c"} }, ErrCommand, "argument 2 contains a NUL"},
		{"NUL in environment", func(t *testing.T, j *job) { j.Env = []string{"SECRET=\x00"} }, ErrCommand, "entry 1 contains a NUL"},
		{"NUL in dir", func(t *testing.T, j *job) { j.Dir += "\x00" }, ErrCommand, "NUL"},
		{"no cookie", func(t *testing.T, j *job) { j.Cookie = "" }, ErrCommand, "cookie"},
		{"no stdout", func(t *testing.T, j *job) { j.Stdout = nil }, ErrCommand, "stdout"},
		{"closed stderr", func(t *testing.T, j *job) { j.err.Close() }, ErrCommand, "stderr"},
		{"used stdout", func(t *testing.T, j *job) { j.out.WriteString("x") }, ErrCommand, "not empty"},
		{"pipe", func(t *testing.T, j *job) {
			r, w, err := os.Pipe()
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { r.Close(); w.Close() })
			j.Stdout = w
		}, ErrCommand, "not a regular file"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			j := newJob(t)
			tc.edit(t, j)
			p, err := Start(j.Command, Limits{})
			if err == nil {
				wait(t, p)
			}
			if !errors.Is(err, tc.want) || !strings.Contains(fmt.Sprint(err), tc.text) {
				t.Errorf("error %.300q, want %q with %q", fmt.Sprint(err), tc.want, tc.text)
			}
			if strings.Contains(fmt.Sprint(err), "SECRET") {
				t.Errorf("the error shows the environment: %v", err)
			}
		})
	}
}

func TestStop(t *testing.T) {
	for _, tc := range []struct {
		name   string
		steps  []string
		code   int
		signal string
	}{
		{"by SIGTERM", []string{"pid=up", "sleep"}, -1, "SIGTERM"},
		{"by its own handler", []string{"onterm=7", "pid=up", "sleep"}, 7, ""},
		{"by SIGKILL", []string{"noterm", "pid=up", "sleep"}, -1, "SIGKILL"},
		{"though it floods", []string{"noterm", "pid=up", "flood"}, -1, "SIGKILL"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			j := newJob(t, tc.steps...)
			p := j.start(t, Limits{Grace: 500 * time.Millisecond, Output: 1 << 20})
			pidIn(t, j.file("up"))
			p.Stop("first")
			p.Stop("second")
			e := wait(t, p)
			p.Stop("third")
			if e.Code != tc.code || e.Signal != tc.signal || e.Reason != "first" || e.Err != nil || e.Left != nil {
				t.Errorf("exit %+v", e)
			}
		})
	}
}

func TestStopAfterTheEnd(t *testing.T) {
	j := newJob(t, "exit=3")
	p := j.start(t, Limits{})
	wait(t, p)
	p.Stop(Canceled)
	if e := p.Exit(); e.Reason != Exited || e.Code != 3 {
		t.Errorf("exit %+v", e)
	}
}

func TestLimits(t *testing.T) {
	for _, tc := range []struct {
		name  string
		steps []string
		lim   Limits
		want  Reason
	}{
		{"wall", []string{"out=x", "sleep"}, Limits{Wall: 150 * time.Millisecond}, WallTimeout},
		{"wall while it writes", []string{"drip=never"}, Limits{Wall: 150 * time.Millisecond, Idle: 10 * time.Second}, WallTimeout},
		{"idle", []string{"out=x", "sleep"}, Limits{Idle: 150 * time.Millisecond, Wall: time.Minute}, IdleTimeout},
		{"neither", []string{"out=x"}, Limits{Idle: time.Minute, Wall: time.Minute}, Exited},
	} {
		t.Run(tc.name, func(t *testing.T) {
			j := newJob(t, tc.steps...)
			e := j.run(t, tc.lim)
			if e.Reason != tc.want {
				t.Errorf("reason %q, want %q: %+v", e.Reason, tc.want, e)
			}
			if lived := e.Ended.Sub(e.Started); tc.want != Exited && lived < 150*time.Millisecond {
				t.Errorf("ended after %v, before its limit", lived)
			}
		})
	}
}

// The command lives several times as long as it may be idle.
func TestGrowthKeepsItAlive(t *testing.T) {
	const idle = 250 * time.Millisecond
	j := newJob(t, "drip=enough", "out=end")
	p := j.start(t, Limits{Idle: idle})
	time.AfterFunc(4*idle, func() { os.WriteFile(j.file("enough"), nil, 0o600) })
	if e := wait(t, p); e.Reason != Exited || !strings.HasSuffix(j.stdout(t, e), ".end") {
		t.Errorf("exit %+v", e)
	}
}

func TestMany(t *testing.T) {
	var wg sync.WaitGroup
	for i := range 20 {
		j := newJob(t, "fill=100000", fmt.Sprintf("err=%d", i), fmt.Sprintf("exit=%d", i))
		p := j.start(t, Limits{})
		wg.Go(func() {
			e := wait(t, p)
			if e.Code != i || e.Reason != Exited || e.Stdout.Size != 100_000 || j.stderr(t, e) != fmt.Sprint(i) {
				t.Errorf("command %d: %+v", i, e)
			}
		})
	}
	wg.Wait()
}
