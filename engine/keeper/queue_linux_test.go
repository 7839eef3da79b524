package keeper

import (
	"os"
	"syscall"
	"testing"
	"time"
)

// queued prepares a job that needs a place in pools and runs until a file with
// its name appears.
func queued(t testing.TB, name string, l Limits, root string, pools ...Pool) *trial {
	t.Helper()
	return prepareJob(t, Job{Args: []string{"pid=" + root + "/" + name + ".up", "await=" + root + "/" + name}, Limits: l, Pools: pools}).start()
}

func phase(t testing.TB, x *trial, want Phase) {
	t.Helper()
	until(t, string(want), func() bool { s, err := x.State(); check(t, err); return s.Phase == want })
}

func letGo(t testing.TB, root, name string) {
	t.Helper()
	check(t, os.WriteFile(root+"/"+name, nil, 0o600))
}

func TestAPoolHoldsSoMany(t *testing.T) {
	root := t.TempDir()
	pool := Pool{root + "/pools/all", 2}
	a, b := queued(t, "a", Limits{}, root, pool), queued(t, "b", Limits{}, root, pool)
	phase(t, a, Running)
	phase(t, b, Running)
	c := queued(t, "c", Limits{Wall: time.Hour}, root, pool)
	d := queued(t, "d", Limits{}, root, pool)
	phase(t, c, Queued)
	phase(t, d, Queued)
	letGo(t, root, "a")
	if e := a.end(); e.Code != 0 {
		t.Errorf("exit %+v", e)
	}
	until(t, "one of the others runs", func() bool { return exists(root+"/c.up") || exists(root+"/d.up") })
	if exists(root+"/c.up") && exists(root+"/d.up") {
		t.Error("both run")
	}
	letGo(t, root, "b")
	letGo(t, root, "c")
	letGo(t, root, "d")
	for _, x := range []*trial{b, c, d} {
		if e := x.end(); e.Code != 0 || e.Reason != Exited {
			t.Errorf("exit %+v", e)
		}
	}
}

// A place is free again whatever became of its job.
func TestAPlaceOfTheDeadIsFree(t *testing.T) {
	root := t.TempDir()
	pool := Pool{root + "/pool", 1}
	a := queued(t, "a", Limits{}, root, pool)
	phase(t, a, Running)
	b := queued(t, "b", Limits{}, root, pool)
	phase(t, b, Queued)
	killSupervisor(t, a.Dir)
	phase(t, b, Running)
	letGo(t, root, "b")
	b.end()
}

func TestTheEndOfAQueuedJob(t *testing.T) {
	root := t.TempDir()
	pool := Pool{root + "/pool", 1}
	a := queued(t, "a", Limits{}, root, pool)
	phase(t, a, Running)

	late := queued(t, "late", Limits{Queue: 50 * time.Millisecond}, root, pool)
	if e := late.end(); e.Reason != QueueTimeout || e.Code != -1 {
		t.Errorf("exit %+v", e)
	}
	canceled := queued(t, "canceled", Limits{}, root, pool)
	phase(t, canceled, Queued)
	check(t, canceled.Cancel("enough"))
	if e := canceled.end(); e.Reason != Canceled || e.Detail != "enough" || e.Code != -1 {
		t.Errorf("exit %+v", e)
	}
	// Of one that is lost before its turn nothing ran.
	lost := queued(t, "lost", Limits{}, root, pool)
	phase(t, lost, Queued)
	check(t, syscall.Kill(supervisorOf(t, lost), syscall.SIGKILL))
	if s := lost.wait(); s.Phase != Lost || s.Exit.Reason != NeverStarted {
		t.Errorf("state %+v", s)
	}
	for _, name := range []string{"late", "canceled", "lost"} {
		if exists(root + "/" + name + ".up") {
			t.Errorf("%s ran", name)
		}
	}
	letGo(t, root, "a")
	a.end()
}

// A job that waits for the second pool keeps its place in the first, and gives it
// up when it does not wait any more.
func TestTwoPools(t *testing.T) {
	root := t.TempDir()
	narrow, wide := Pool{root + "/narrow", 1}, Pool{root + "/wide", 1}
	a := queued(t, "a", Limits{}, root, wide)
	phase(t, a, Running)
	b := queued(t, "b", Limits{}, root, narrow, wide)
	phase(t, b, Queued)
	check(t, b.Cancel("x"))
	b.end()
	c := queued(t, "c", Limits{}, root, narrow)
	phase(t, c, Running)
	letGo(t, root, "a")
	letGo(t, root, "c")
	a.end()
	c.end()
}

// supervisorOf finds the supervisor of a job that has recorded none.
func supervisorOf(t testing.TB, x *trial) int {
	t.Helper()
	for _, pid := range numbers("/proc") {
		if name, arg, _ := lineage(pid); name == summons && arg == x.Path() {
			return pid
		}
	}
	t.Fatal("there is no supervisor")
	return 0
}
