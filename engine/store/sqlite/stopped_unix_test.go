//go:build unix

package sqlite

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"github.com/llm-cli-gateway/gateway/engine/store"
)

func init() { roles["hold"] = holdStopped }

// holdStopped is a gateway that is stopped while it writes.
func holdStopped(path string) error {
	s, err := Open(path)
	if err != nil {
		return err
	}
	tx, err := s.writer.Begin()
	if err != nil {
		return err
	}
	fmt.Println("locked")
	return errors.Join(syscall.Kill(os.Getpid(), syscall.SIGSTOP), tx.Rollback(), s.Close())
}

// TestStoppedWriter: while a stopped process holds the lock, what is there can be read, and a
// write fails after the time for which it waits, names the process and says what to do. Nothing is
// lost, and when the process goes on so do the others.
func TestStoppedWriter(t *testing.T) {
	s := newStore(t)
	id := mustBegin(t, s, store.Job{})
	o := startOther(t, "hold", os.Args[0], s.path, nil)
	o.start.Close()
	if line, err := o.output.ReadString('\n'); line != "locked\n" {
		t.Fatalf("%q, %v", line, err)
	}
	var status syscall.WaitStatus
	if _, err := syscall.Wait4(o.process.Pid, &status, syscall.WUNTRACED, nil); err != nil || !status.Stopped() {
		t.Fatal(status, err)
	}
	if _, err := s.writer.Exec("PRAGMA busy_timeout=50"); err != nil {
		t.Fatal(err)
	}
	err := s.Finish(ctx, id, store.Outcome{Ending: store.EndOK}, nil)
	wrong, ok := errors.AsType[*FileError](err)
	if !ok || runtime.GOOS == "linux" && (!strings.Contains(err.Error(), "is stopped") || !strings.Contains(wrong.Fix, fmt.Sprintf("kill -CONT %d", o.process.Pid))) {
		t.Errorf("got %v", err)
	}
	if job, err := s.Job(ctx, store.Local, id); err != nil || job.State != store.Live {
		t.Errorf("%+v, %v", job, err)
	}
	if err := o.process.Signal(syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
	if said, ok := o.end(t); !ok {
		t.Fatal(said)
	}
	if err := s.Finish(ctx, id, store.Outcome{Ending: store.EndOK}, nil); err != nil {
		t.Error(err)
	}
}
