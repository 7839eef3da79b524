package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/llm-cli-gateway/gateway/engine"
)

func TestTemporary(t *testing.T) {
	for path, want := range map[string]bool{
		"/tmp/go-build3965788795/b001/exe/gateway":    true,
		"/home/me/.cache/go-build/ab/abcd-d/gateway":  true,
		"/usr/local/bin/gateway":                      false,
		"/home/me/go/bin/gateway":                     false,
		"/home/me/src/gateway/bin/go-build-my-own":    false,
		"/home/me/src/gateway/cmd/gateway/__debug_ai": false,
	} {
		if got := temporary(path); got != want {
			t.Errorf("temporary(%q) = %v", path, got)
		}
	}
}

// failing fails after some bytes, as a closed terminal does.
type failing struct{ left int }

func (f *failing) Write(p []byte) (int, error) {
	if f.left -= len(p); f.left < 0 {
		return 0, io.ErrClosedPipe
	}
	return len(p), nil
}

func TestPageStopsAtTheFirstError(t *testing.T) {
	w := &failing{left: 40}
	p := newPage(w)
	p.heading(1, "Title")
	if p.err != nil {
		t.Fatal(p.err)
	}
	p.block(strings.Repeat("line\n", 10))
	left := w.left
	p.table([][]string{{"a", "b"}})
	p.label("more")
	if !errors.Is(p.err, io.ErrClosedPipe) || w.left != left {
		t.Errorf("error %v; %d bytes were written after it", p.err, left-w.left)
	}
}

func TestPageIsBoldOnTerminalsOnly(t *testing.T) {
	file, err := os.Create(filepath.Join(t.TempDir(), "out"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	t.Setenv("TERM", "xterm")
	t.Setenv("NO_COLOR", "")
	if newPage(file).bold || newPage(&bytes.Buffer{}).bold {
		t.Error("a file gets escape sequences")
	}
	null, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0) // a character device, like a terminal
	if err != nil {
		t.Fatal(err)
	}
	defer null.Close()
	if runtime.GOOS != "windows" && !newPage(null).bold {
		t.Error("a terminal gets none")
	}
	t.Setenv("NO_COLOR", "1")
	if newPage(null).bold {
		t.Error("NO_COLOR is not heeded")
	}
}

func TestStandIn(t *testing.T) {
	t.Setenv("HOME", t.TempDir())
	t.Setenv("USERPROFILE", os.Getenv("HOME"))
	for _, c := range []struct {
		name  string
		args  []string
		code  int
		out   string
		wrong string
	}{
		{"an answer", []string{"--output=jsonl"}, 0, "You said: hello", ""},
		{"a voice", []string{"--voice=loud"}, 0, "YOU SAID: HELLO", ""},
		{"an unknown option", []string{"--frobnicate"}, 1, "", "parrot: unknown option --frobnicate\n"},
		{"no id of its own", []string{"--resume=../../etc/passwd"}, 1, "", "parrot: unknown conversation ../../etc/passwd\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var out, errOut bytes.Buffer
			if code := standIn(c.args, strings.NewReader("hello"), &out, &errOut); code != c.code {
				t.Errorf("exit code %d", code)
			}
			if !strings.Contains(out.String(), c.out) || c.out == "" && out.Len() > 0 || errOut.String() != c.wrong {
				t.Errorf("stdout %q, stderr %q", out.String(), errOut.String())
			}
		})
	}
}

func TestTailKeepsTheEnd(t *testing.T) {
	var log tail
	for range 3 {
		if n, err := log.Write([]byte(strings.Repeat("a", tailBytes-1) + "\n")); n != tailBytes || err != nil {
			t.Fatal(n, err)
		}
	}
	if _, err := log.Write([]byte("the end\n")); err != nil {
		t.Fatal(err)
	}
	if got := log.String(); len(got) > tailBytes || !strings.HasSuffix(got, "the end") {
		t.Errorf("%d bytes: ...%s", len(got), got[max(0, len(got)-20):])
	}
}

func TestRootIsAURI(t *testing.T) {
	if got := fileURI("/tmp/with space"); got != "file:///tmp/with%20space" {
		t.Error(got)
	}
}

// TestDemoSaysWhichStepFailed interrupts the demo before its gateway has started.
func TestDemoSaysWhichStepFailed(t *testing.T) {
	t.Setenv("HOME", t.TempDir())
	e, diags := engine.Open(engine.Options{Environ: os.Environ()})
	if e == nil {
		t.Fatal(diags)
	}
	t.Setenv("TMPDIR", t.TempDir())
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	var out bytes.Buffer
	d := &demo{page: newPage(&out), engine: e}
	err := d.run(ctx)
	if err == nil || !strings.HasPrefix(err.Error(), "the demo failed at step 2 (A gateway starts") || !errors.Is(err, context.Canceled) {
		t.Errorf("error: %v", err)
	}
	left, err := os.ReadDir(os.Getenv("TMPDIR"))
	if err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}
