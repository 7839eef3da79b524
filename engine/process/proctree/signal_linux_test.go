package proctree

import (
	"io"
	"os/exec"
	"syscall"
	"testing"
	"time"
)

// startCat starts a process that ends when its input is closed.
func startCat(t *testing.T) (Process, io.Closer) {
	t.Helper()
	c := exec.Command("cat")
	in, err := c.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Process.Kill(); c.Wait() })
	p, err := Read(c.Process.Pid)
	if err != nil {
		t.Fatal(err)
	}
	return p, in
}

func alive(p Process) bool {
	now, err := Read(p.PID)
	return err == nil && !now.Dead()
}

func TestARecycledIDIsNotSignalled(t *testing.T) {
	p, _ := startCat(t)
	was := p.ID
	was.Start-- // whom we once knew under this id
	if err := Signal(was, syscall.SIGKILL); err != syscall.ESRCH || !alive(p) {
		t.Errorf("error %v", err)
	}
	for _, pid := range []int{-1, 0, 1} {
		if err := Signal(ID{PID: pid}, 0); err == nil {
			t.Errorf("process %d was signalled", pid)
		}
	}
	if err := Signal(p.ID, syscall.SIGKILL); err != nil {
		t.Error(err)
	}
}

// A process that ends by itself is waited for, and not signalled.
func TestLingering(t *testing.T) {
	p, in := startCat(t)
	s := NewSweeper(p.PID, func() ([]Process, bool) { return []Process{p}, alive(p) })
	ended := make(chan bool)
	go func() {
		_, some := s.signal(0, time.Minute)
		ended <- !some
	}()
	in.Close()
	if !<-ended || len(s.signalled) > 0 {
		t.Errorf("signalled %v", s.signalled)
	}
}

// Processes that are killed may have started others just before.
func TestKillAllLooksAgain(t *testing.T) {
	a, _ := startCat(t)
	b, _ := startCat(t)
	rounds := [][]Process{{a}, {a, b}, {b}}
	n := KillAll(func() (found []Process) {
		if len(rounds) > 0 {
			found, rounds = rounds[0], rounds[1:]
		}
		return found
	}, time.Minute)
	if n != 2 || len(rounds) > 0 {
		t.Errorf("%d were killed, %d rounds are left", n, len(rounds))
	}
}
