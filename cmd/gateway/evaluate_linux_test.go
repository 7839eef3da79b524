package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestSignalsEndAnEvaluation at once, with the process in which it goes on.
func TestSignalsEndAnEvaluation(t *testing.T) {
	home := t.TempDir()
	specs := filepath.Join(home, "specs")
	if err := os.Mkdir(specs, 0o700); err != nil {
		t.Fatal(err)
	}
	text := `import "list"

_n: list.Range(0, 1000, 1)
cli: {for a in _n for b in _n for c in _n for d in _n if a+b+c+d < 0 {"x\(a)\(b)\(c)\(d)": bin: "x"}}
gateway: specs: {evalMs: 600000, evalMb: 16384}
`
	if err := os.WriteFile(filepath.Join(specs, "a.cue"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, signal := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM, syscall.SIGKILL} {
		for _, args := range [][]string{{"vet", specs}, {"fmt", specs}, {"--specs", specs, "serve"}} {
			t.Run(fmt.Sprint(signal, " ", args), func(t *testing.T) {
				var said strings.Builder
				cmd := exec.Command(os.Args[0], args...)
				cmd.Args[0] = "gateway"
				cmd.Env = []string{"HOME=" + home, "PATH=" + os.Getenv("PATH")}
				cmd.Stdout, cmd.Stderr = &said, &said
				if err := cmd.Start(); err != nil {
					t.Fatal(err)
				}
				defer func() { _ = cmd.Process.Kill() }()
				child := evaluating(t, cmd.Process.Pid)
				if err := cmd.Process.Signal(signal); err != nil {
					t.Fatal(err)
				}
				err := cmd.Wait()
				var exit *exec.ExitError
				if !errors.As(err, &exit) || signal != syscall.SIGKILL && exit.ExitCode() != 1 {
					t.Errorf("%v", err)
				}
				if signal != syscall.SIGKILL && !strings.Contains(said.String(), "a.cue:4:7: the evaluation of this file was interrupted\n") {
					t.Error(said.String())
				}
				eventually(t, "the end of its process", func() bool { return errors.Is(syscall.Kill(child, 0), syscall.ESRCH) || zombie(child) })
			})
		}
	}
}

// evaluating is the process in which a gateway evaluates, once it has begun.
func evaluating(t *testing.T, gateway int) (child int) {
	t.Helper()
	eventually(t, "the process that evaluates", func() bool {
		tasks, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", gateway))
		for _, task := range tasks {
			text, _ := os.ReadFile(task)
			for _, id := range strings.Fields(string(text)) {
				line, _ := os.ReadFile("/proc/" + id + "/cmdline")
				if _, err := fmt.Sscan(id, &child); err == nil && strings.HasPrefix(string(line), "gateway-evaluation\x00") {
					return true
				}
			}
		}
		return false
	})
	return child
}

// zombie reports whether a process has ended that nobody has waited for.
func zombie(pid int) bool {
	text, _ := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	return strings.Contains(string(text), ") Z ")
}

func eventually(t *testing.T, what string, so func() bool) {
	t.Helper()
	for late := time.Now().Add(time.Minute); !so(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(late) {
			t.Fatalf("no %s", what)
		}
	}
}
