package supervisor

import (
	"os"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/llm-cli-gateway/gateway/engine/process/proctree"
)

// queued prepares a job that needs slots of semaphores and runs until a file with
// its name appears.
func queued(t testing.TB, name string, timeout time.Duration, root string, semaphores ...Semaphore) *trial {
	t.Helper()
	return prepareJob(t, Job{QueueTimeout: timeout, Args: []string{"pid=" + root + "/" + name + ".up", "await=" + root + "/" + name}, Semaphores: semaphores}).start()
}

func phase(t testing.TB, x *trial, want Phase) {
	t.Helper()
	until(t, string(want), func() bool { s, err := x.State(); check(t, err); return s.Phase == want })
}

func letGo(t testing.TB, root, name string) {
	t.Helper()
	check(t, os.WriteFile(root+"/"+name, nil, 0o600))
}

func TestASemaphoreBoundsItsJobs(t *testing.T) {
	root := t.TempDir()
	semaphore := Semaphore{root + "/semaphores/all", 2}
	a, b := queued(t, "a", 0, root, semaphore), queued(t, "b", 0, root, semaphore)
	phase(t, a, Running)
	phase(t, b, Running)
	c := queued(t, "c", time.Hour, root, semaphore)
	d := queued(t, "d", 0, root, semaphore)
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

// A slot is free again whatever became of its job.
func TestASlotOfTheDeadIsFree(t *testing.T) {
	root := t.TempDir()
	semaphore := Semaphore{root + "/semaphore", 1}
	a := queued(t, "a", 0, root, semaphore)
	phase(t, a, Running)
	b := queued(t, "b", 0, root, semaphore)
	phase(t, b, Queued)
	killSupervisor(t, a.Dir)
	phase(t, b, Running)
	letGo(t, root, "b")
	b.end()
}

func TestTheEndOfAQueuedJob(t *testing.T) {
	root := t.TempDir()
	semaphore := Semaphore{root + "/semaphore", 1}
	a := queued(t, "a", 0, root, semaphore)
	phase(t, a, Running)

	late := queued(t, "late", 50*time.Millisecond, root, semaphore)
	if e := late.end(); e.Reason != QueueTimeout || e.Code != -1 {
		t.Errorf("exit %+v", e)
	}
	canceled := queued(t, "canceled", 0, root, semaphore)
	phase(t, canceled, Queued)
	check(t, canceled.Cancel("enough"))
	if e := canceled.end(); e.Reason != Canceled || e.Detail != "enough" || e.Code != -1 {
		t.Errorf("exit %+v", e)
	}
	// Of one that is lost before its turn nothing ran.
	lost := queued(t, "lost", 0, root, semaphore)
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

// A job that waits for the second semaphore keeps its slot of the first, and gives it
// up when it does not wait any more.
func TestTwoSemaphores(t *testing.T) {
	root := t.TempDir()
	narrow, wide := Semaphore{root + "/narrow", 1}, Semaphore{root + "/wide", 1}
	a := queued(t, "a", 0, root, wide)
	phase(t, a, Running)
	b := queued(t, "b", 0, root, narrow, wide)
	phase(t, b, Queued)
	check(t, b.Cancel("x"))
	b.end()
	c := queued(t, "c", 0, root, narrow)
	phase(t, c, Running)
	letGo(t, root, "a")
	letGo(t, root, "c")
	a.end()
	c.end()
}

// Wherever the search begins, it finds the one slot that is free.
func TestASemaphoreOfManySlots(t *testing.T) {
	s := Semaphore{t.TempDir() + "/wide", 64}
	var slots []int
	defer func() { closeAll(slots) }()
	for range s.Size {
		fd, err := s.acquire(syscall.LOCK_NB)
		check(t, err)
		slots = append(slots, fd)
	}
	before := len(proctree.Numbers("/proc/self/fd"))
	if fd, err := s.acquire(syscall.LOCK_NB); err != syscall.EWOULDBLOCK {
		t.Errorf("one more: %d, %v", fd, err)
	}
	if after := len(proctree.Numbers("/proc/self/fd")); after != before {
		t.Errorf("%d descriptors, then %d", before, after)
	}
	for i := range slots {
		syscall.Close(slots[i])
		fd, err := s.acquire(syscall.LOCK_NB)
		check(t, err)
		slots[i] = fd
	}
}

func TestSemaphoresAreSwept(t *testing.T) {
	root := t.TempDir()
	future, past := time.Now().Add(time.Hour), time.Now().Add(-time.Hour)
	sweep := func(olderThan time.Time, want int) {
		t.Helper()
		if n, err := SweepSemaphores(root, olderThan); n != want || err != nil {
			t.Errorf("%d were removed, %v; want %d", n, err, want)
		}
	}
	used, idle, strange := Semaphore{root + "/used", 2}, Semaphore{root + "/idle", 2}, Semaphore{root + "/strange", 1}
	held, err := used.acquire(syscall.LOCK_NB)
	check(t, err)
	for _, s := range []Semaphore{idle, strange} {
		fd, err := s.acquire(syscall.LOCK_NB)
		check(t, err)
		syscall.Close(fd)
	}
	check(t, os.WriteFile(strange.Dir+"/note", nil, 0o600))
	check(t, os.WriteFile(root+"/file", nil, 0o600))
	check(t, os.Mkdir(root+"/half", 0o700))
	sweep(past, 1) // the half
	queue, err := idle.lockFile(queueFile, syscall.LOCK_EX)
	check(t, err)
	sweep(future, 0) // somebody waits
	syscall.Close(queue)
	sweep(future, 1)
	if exists(idle.Dir) || exists(root+"/half") || !exists(used.Dir) || !exists(strange.Dir+"/note") {
		t.Error("it removed others than the idle one")
	}
	syscall.Close(held)
	sweep(future, 1)
	if _, err := SweepSemaphores(root+"/none", future); err != nil {
		t.Errorf("without a root: %v", err)
	}
}

// Who waits for a lock while its file is removed is not left with a lock that
// nobody else can see.
func TestASemaphoreIsRemovedUnderItsQueue(t *testing.T) {
	s := Semaphore{t.TempDir() + "/semaphore", 1}
	queue, err := s.lockFile(queueFile, syscall.LOCK_EX)
	check(t, err)
	got := make(chan int)
	go func() {
		fd, err := s.acquire(0)
		if err != nil {
			t.Error(err)
		}
		got <- fd
	}()
	until(t, "it waits", func() bool {
		// Both have it open: the one who waits, and we.
		return open(s.Dir+"/"+queueFile) == 2
	})
	check(t, os.RemoveAll(s.Dir))
	syscall.Close(queue)
	fd := <-got
	defer syscall.Close(fd)
	if !sameFile(fd, s.Dir+"/0") {
		t.Error("its slot is of no semaphore")
	}
	if fd, err := s.acquire(syscall.LOCK_NB); err != syscall.EWOULDBLOCK {
		t.Errorf("another has a slot too: %d, %v", fd, err)
	}
}

// Semaphores may be removed at any moment: never more jobs hold a slot than there are.
func TestSemaphoresAreSweptAllTheTime(t *testing.T) {
	root := t.TempDir()
	s := Semaphore{root + "/semaphore", 2}
	var in, most atomic.Int32
	var all sync.WaitGroup
	done := make(chan struct{})
	swept := 0
	all.Go(func() {
		for {
			select {
			case <-done:
				return
			default:
			}
			n, err := SweepSemaphores(root, time.Now().Add(time.Hour))
			if err != nil {
				t.Error(err)
			}
			swept += n
		}
	})
	var users sync.WaitGroup
	for range 4 {
		users.Go(func() {
			for range 200 {
				fd, err := s.acquire(0)
				if err != nil {
					t.Error(err)
					return
				}
				n := in.Add(1)
				for m := most.Load(); n > m && !most.CompareAndSwap(m, n); m = most.Load() {
				}
				in.Add(-1)
				syscall.Close(fd)
			}
		})
	}
	users.Wait()
	close(done)
	all.Wait()
	if most.Load() > 2 {
		t.Errorf("%d held one of 2 slots", most.Load())
	}
	t.Logf("removed %d times", swept)
}

// open counts our descriptors of a file.
func open(path string) (n int) {
	for _, fd := range proctree.Numbers("/proc/self/fd") {
		if name, err := os.Readlink("/proc/self/fd/" + strconv.Itoa(fd)); err == nil && name == path {
			n++
		}
	}
	return n
}

// supervisorOf finds the supervisor of a job that has recorded none.
func supervisorOf(t testing.TB, x *trial) int {
	t.Helper()
	for _, pid := range proctree.Numbers("/proc") {
		if name, arg := commandLine(pid); name == processName && arg == x.Path() {
			return pid
		}
	}
	t.Fatal("there is no supervisor")
	return 0
}
