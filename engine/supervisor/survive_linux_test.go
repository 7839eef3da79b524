package supervisor

import (
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/llm-cli-gateway/gateway/engine/process/limits"
	"github.com/llm-cli-gateway/gateway/engine/process/proctree"
	"github.com/llm-cli-gateway/gateway/testdata/disk"
)

// gateway is another process that plays the gateway.
type gateway struct {
	t    testing.TB
	root string
	cmd  *exec.Cmd
	out  io.Reader
}

// startGateway returns when the gateway has done the step, which is "gateway" or
// "prepare"; program is the file to run, if not this one.
func startGateway(t testing.TB, program, step string, steps ...string) *gateway {
	t.Helper()
	exe, err := os.Executable()
	check(t, err)
	g := &gateway{t: t, root: t.TempDir()}
	check(t, os.WriteFile(g.root+"/steps", []byte(strings.Join(steps, "\n")), 0o600))
	check(t, os.WriteFile(g.root+"/exe", []byte(exe), 0o600))
	if program == "" {
		program = exe
	}
	g.cmd = exec.Command(program, "await="+g.root+"/go", step+"="+g.root)
	g.cmd.Env = helperEnv
	g.cmd.Dir = g.root
	g.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	out, err := g.cmd.StdoutPipe()
	check(t, err)
	g.out = out
	g.cmd.Stderr = os.Stderr
	check(t, g.cmd.Start())
	t.Cleanup(func() {
		g.cmd.Process.Kill()
		g.cmd.Wait()
		if d, err := Open(g.root + "/inner"); err == nil {
			d.Cancel("cleanup")
			waitFor(t, d)
		}
	})
	return g
}

// proceed has the gateway do its step and waits until it has.
func (g *gateway) proceed() *Dir {
	g.t.Helper()
	check(g.t, os.WriteFile(g.root+"/go", nil, 0o600))
	until(g.t, "the gateway is up", func() bool { return exists(g.root + "/up") })
	d, err := Open(g.root + "/inner")
	check(g.t, err)
	return d
}

// T1, T2, T4
func TestAJobOutlivesItsGateway(t *testing.T) {
	for name, end := range map[string]func(pid int) error{
		"kill -9":       func(pid int) error { return syscall.Kill(pid, syscall.SIGKILL) },
		"killpg":        func(pid int) error { return syscall.Kill(-pid, syscall.SIGKILL) },
		"killpg gently": func(pid int) error { return syscall.Kill(-pid, syscall.SIGTERM) },
	} {
		t.Run(name, func(t *testing.T) {
			g := startGateway(t, "", "gateway", "out=first,", "await=finish", "out=last")
			d := g.proceed()
			check(t, end(g.cmd.Process.Pid))
			// The client sees the end of the gateway's output although the job runs.
			if b, err := io.ReadAll(g.out); err != nil || len(b) > 0 {
				t.Errorf("read %q, %v", b, err)
			}
			if s, err := d.State(); err != nil || s.Phase != Running {
				t.Fatalf("state %+v, %v", s, err)
			}
			if err := d.Remove(); err != ErrLive {
				t.Errorf("Remove: %v", err)
			}
			if _, err := d.Sweep(); err != ErrLive {
				t.Errorf("Sweep: %v", err)
			}
			check(t, os.WriteFile(g.root+"/finish", nil, 0o600))
			s := waitFor(t, d)
			if s.Phase != Ended || s.Exit.Code != 0 || s.Exit.Reason != Exited {
				t.Errorf("state %+v", s)
			}
			if out := string(mustRead(d.Path() + stdoutFile)); out != "first,last" {
				t.Errorf("output %q", out)
			}
		})
	}
}

// descendants are the processes below pid by their parents, and pid itself.
func descendants(pid int) []int {
	all := []int{pid}
	for i := 0; i < len(all); i++ {
		for _, p := range proctree.Snapshot().Processes {
			if p.Parent == all[i] {
				all = append(all, p.PID)
			}
		}
	}
	return all
}

// T3: some clients end all that is below the gateway, while it lives.
func TestAJobOutlivesTheTreeOfItsGateway(t *testing.T) {
	g := startGateway(t, "", "gateway", "out=first,", "await=finish", "out=last")
	check(t, os.WriteFile(g.root+"/warm", nil, 0o600))
	d := g.proceed()
	s, err := d.State()
	check(t, err)
	check(t, g.cmd.Process.Signal(syscall.SIGSTOP))
	tree := descendants(g.cmd.Process.Pid)
	for _, pid := range tree {
		if pid == s.Start.Pid || pid == s.Start.Supervisor || pid == pidIn(t, g.root+"/spare") {
			t.Errorf("%d is below the gateway", pid)
		}
		check(t, syscall.Kill(pid, syscall.SIGKILL))
	}
	g.cmd.Wait()
	check(t, os.WriteFile(g.root+"/finish", nil, 0o600))
	if s := waitFor(t, d); s.Phase != Ended || s.Exit.Code != 0 || string(mustRead(d.Path()+stdoutFile)) != "first,last" {
		t.Errorf("state %+v", s)
	}
}

// T31: without a job a supervisor ends with its gateway, and with one after it.
func TestSupervisorsEndWithTheirGateway(t *testing.T) {
	g := startGateway(t, "", "gateway", "await=finish")
	check(t, os.WriteFile(g.root+"/warm", nil, 0o600))
	d := g.proceed()
	spare := pidIn(t, g.root+"/spare")
	if !alive(spare) {
		t.Fatal("there is no spare")
	}
	check(t, g.cmd.Process.Kill())
	g.cmd.Wait()
	gone(t, spare)
	s, err := d.State()
	if err != nil || s.Phase != Running || !alive(s.Start.Supervisor) {
		t.Errorf("state %+v, %v", s, err)
	}
	check(t, os.WriteFile(g.root+"/finish", nil, 0o600))
	if s := waitFor(t, d); s.Phase != Ended || s.Exit.Code != 0 {
		t.Errorf("state %+v", s)
	}
	gone(t, s.Start.Supervisor)
}

func TestAJobMayEndWithItsGateway(t *testing.T) {
	g := startGateway(t, "", "gateway", "sleep")
	check(t, os.WriteFile(g.root+"/bound", nil, 0o600))
	d := g.proceed()
	if s, err := d.State(); err != nil || s.Phase != Running {
		t.Fatalf("state %+v, %v", s, err)
	}
	check(t, g.cmd.Process.Kill())
	g.cmd.Wait()
	s := waitFor(t, d)
	if s.Phase != Ended || s.Exit.Reason != Canceled || s.Exit.Detail != gatewayEndedDetail {
		t.Errorf("state %+v", s)
	}
	gone(t, s.Start.Supervisor, s.Start.Pid)
}

// T17
func TestAGatewayThatDiesBeforeTheStart(t *testing.T) {
	d := startGateway(t, "", "prepare").proceed()
	s := waitFor(t, d)
	if s.Phase != Lost || s.Exit.Reason != NeverStarted {
		t.Errorf("state %+v", s)
	}
	if n, err := d.Sweep(); n != 0 || err != nil {
		t.Errorf("Sweep: %d, %v", n, err)
	}
	check(t, d.Remove())
}

// One that dies on the way may have begun.
func TestASupervisorThatDiesWhileItStarts(t *testing.T) {
	x := prepare(t, Limits{}, "exit=0")
	s := Start{Supervisor: 1 << 22, Boot: bootID(), At: time.Now()}
	overwrite(t, x.Path()+statusFile, startOffset, s.encode(x.ID()))
	x.releaseLease()
	if s := x.wait(); s.Phase != Lost || s.Exit.Reason != SupervisorDied {
		t.Errorf("state %+v", s)
	}
}

// T26, as far as it is ours: those who look do not take each other for a supervisor.
func TestManyLookAtOnce(t *testing.T) {
	x := prepare(t, Limits{}, "exit=0")
	overwrite(t, x.Path()+statusFile, startOffset, []byte{1})
	x.releaseLease()
	var all sync.WaitGroup
	for range 12 {
		all.Go(func() {
			d, err := Open(x.Path())
			if err != nil {
				t.Error(err)
				return
			}
			for range 10 {
				if s, err := d.State(); err != nil || s.Phase != Lost {
					t.Errorf("state %+v, %v", s, err)
				}
				if _, err := d.Sweep(); err != nil {
					t.Errorf("Sweep: %v", err)
				}
			}
		})
	}
	all.Wait()
}

// T23
func TestTheProgramIsDeletedUnderAGateway(t *testing.T) {
	exe, err := os.ReadFile("/proc/self/exe")
	check(t, err)
	copied := t.TempDir() + "/gateway"
	check(t, os.WriteFile(copied, exe, 0o700))
	g := startGateway(t, copied, "gateway", "out=done")
	check(t, os.Remove(copied))
	d := g.proceed()
	if s := waitFor(t, d); s.Phase != Ended || s.Exit.Code != 0 {
		t.Errorf("state %+v", s)
	}
}

// killSupervisor kills the supervisor of a running job with -9.
func killSupervisor(t testing.TB, d *Dir) State {
	t.Helper()
	s, err := d.State()
	check(t, err)
	if s.Phase != Running || s.Start.Supervisor <= 1 {
		t.Fatalf("state %+v", s)
	}
	check(t, syscall.Kill(s.Start.Supervisor, syscall.SIGKILL))
	return s
}

// T6, T7
func TestTheSupervisorIsKilled(t *testing.T) {
	for name, steps := range map[string][]string{
		"a simple command":          {"out=some", "pid=up", "sleep"},
		"one that outlives it":      {"orphanable", "out=some", "pid=up", "sleep"},
		"one that does not show":    {"orphanable", "opaque", "out=some", "pid=up", "sleep"},
		"with a child far away":     {"setsid=noterm;pid=gc;sleep", "await=gc", "out=some", "pid=up", "sleep"},
		"and a nameless one below":  {"orphanable", "bare=noterm;pid=gc;sleep", "await=gc", "out=some", "pid=up", "sleep"},
		"a daemon that has no name": {"setsid=noterm;bare=noterm|pid=gc|sleep;await=gc;pid=middle;sleep", "await=middle", "out=some", "pid=up", "sleep"},
	} {
		t.Run(name, func(t *testing.T) {
			x := start(t, Limits{}, steps...)
			pids := []int{pidIn(t, x.file("up"))}
			if exists(x.file("gc")) {
				pids = append(pids, pidIn(t, x.file("gc")))
			}
			killSupervisor(t, x.Dir)
			s := x.wait()
			if s.Phase != Lost || s.Exit.Reason != SupervisorDied || s.Exit.Code != -1 {
				t.Errorf("state %+v", s)
			}
			if want := (Capture{Size: 4, Head: 4}); s.Exit.Stdout != want || x.out() != "some" {
				t.Errorf("output %q, %+v", x.out(), s.Exit.Stdout)
			}
			if _, err := x.Sweep(); err != nil {
				t.Error(err)
			}
			gone(t, pids...)
			noSurvivors(t, x.ID())
			if n, err := x.Sweep(); n != 0 || err != nil {
				t.Errorf("once more: %d, %v", n, err)
			}
			check(t, x.Remove())
		})
	}
}

// bystander is a process that nothing here may end.
func bystander(t testing.TB) (pid int) {
	t.Helper()
	c := exec.Command("/proc/self/exe", "sleep")
	c.Env = helperEnv
	c.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	check(t, c.Start())
	t.Cleanup(func() {
		if !alive(c.Process.Pid) {
			t.Error("the bystander was ended")
		}
		c.Process.Kill()
		c.Wait()
	})
	return c.Process.Pid
}

// T18, T19
func TestARecycledProcessIDIsNotTheJob(t *testing.T) {
	for name, tc := range map[string]struct {
		start func(s *Start)
		boot  string // in the request
		want  Reason
	}{
		"after a reboot":       {start: func(s *Start) { s.Boot = "another" }, want: Rebooted},
		"on the same boot":     {start: func(s *Start) { s.Began-- }, want: SupervisorDied},
		"no start is recorded": {start: nil, boot: "another", want: Rebooted},
	} {
		t.Run(name, func(t *testing.T) {
			x := prepare(t, Limits{}, "exit=0")
			pid := bystander(t)
			if tc.start != nil {
				s := Start{Pid: pid, Began: startTime(pid), Supervisor: pid, Boot: bootID(), At: time.Now()}
				tc.start(&s)
				overwrite(t, x.Path()+statusFile, startOffset, s.encode(x.ID()))
			}
			if tc.boot != "" {
				r, err := x.request()
				check(t, err)
				r.Boot = tc.boot
				check(t, os.WriteFile(x.Path()+requestFile, r.encode(), 0o600))
			}
			x.releaseLease()
			if s := x.wait(); s.Phase != Lost || s.Exit.Reason != tc.want {
				t.Errorf("state %+v", s)
			}
			if n, err := x.Sweep(); n != 0 || err != nil {
				t.Errorf("Sweep: %d, %v", n, err)
			}
		})
	}
}

func overwrite(t testing.TB, path string, at int64, b []byte) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	check(t, err)
	_, err = f.WriteAt(b, at)
	check(t, err)
	check(t, f.Close())
}

// T20: whatever part of it reached the disk.
func TestATornRecordIsNoSuccess(t *testing.T) {
	x := prepare(t, Limits{}, "exit=0")
	x.releaseLease()
	good := (&Exit{Reason: Exited, Started: time.Now(), Ended: time.Now(), Err: strings.Repeat("x", recordSize)}).encode(x.ID())
	for _, n := range []int{1, 4, 8, 10, 100, 200, 256, 450} {
		overwrite(t, x.Path()+statusFile, exitOffset, make([]byte, recordSize))
		overwrite(t, x.Path()+statusFile, exitOffset, good[:n])
		if s, err := x.State(); err != nil || s.Phase != Lost || s.Exit.Reason != SupervisorDied {
			t.Errorf("%d bytes: %+v, %v", n, s, err)
		}
	}
	for _, n := range []int64{0, 100, recordSize, recordSize + 100, statusSize - 50} {
		check(t, os.WriteFile(x.Path()+statusFile, append(make([]byte, recordSize), good...)[:n], 0o600))
		if s, err := x.State(); err != nil || s.Phase != Lost {
			t.Errorf("a file of %d bytes: %+v, %v", n, s, err)
		}
	}
	check(t, os.WriteFile(x.Path()+statusFile, append(make([]byte, recordSize), good...), 0o600))
	if s, err := x.State(); err != nil || s.Phase != Ended || s.Exit.Code != 0 {
		t.Errorf("whole: %+v, %v", s, err)
	}
}

// A request that did not reach the disk must not be taken for one that nobody
// began: the start may be among what is lost.
func TestADamagedRequestIsNotSafeToRepeat(t *testing.T) {
	x := prepare(t, Limits{}, "exit=0")
	check(t, os.Truncate(x.Path()+requestFile, 20))
	if _, err := testPool.Start(x.Dir, x.env); err == nil {
		t.Error("it is started")
	}
	if e := x.end(); e.Reason != StartFailed {
		t.Errorf("exit %+v", e)
	}
	y := prepare(t, Limits{}, "exit=0")
	check(t, os.Truncate(y.Path()+requestFile, 0))
	y.releaseLease()
	if s := y.wait(); s.Phase != Lost || s.Exit.Reason != SupervisorDied {
		t.Errorf("state %+v", s)
	}
}

// T34: the disk takes files in no order, so a record may be there and the output not.
func TestARecordWithoutItsOutput(t *testing.T) {
	for name, tc := range map[string]struct {
		harm func(x *trial)
		boot string
		want Reason
	}{
		"some of it is missing": {func(x *trial) { check(t, os.Truncate(x.Path()+stdoutFile, 3)) }, "another", Rebooted},
		"all of it is missing":  {func(x *trial) { check(t, os.Remove(x.Path()+stderrFile)) }, "another", Rebooted},
		"only its size is there": {func(x *trial) {
			check(t, os.Truncate(x.Path()+stdoutFile, 2))
			check(t, os.Truncate(x.Path()+stdoutFile, 4))
		}, "another", Rebooted},
		"it was cut off":       {func(x *trial) { check(t, os.Truncate(x.Path()+stdoutFile, 3)) }, bootID(), SupervisorDied},
		"it is there":          {func(*trial) {}, "another", Exited},
		"it ended with a zero": {func(x *trial) { overwrite(t, x.Path()+stdoutFile, 3, []byte{0}) }, bootID(), Exited},
	} {
		t.Run(name, func(t *testing.T) {
			x := prepare(t, Limits{}, "exit=0")
			now := time.Now()
			start := Start{Pid: 1 << 22, Supervisor: 1 << 22, Boot: tc.boot, At: now}
			exit := Exit{Reason: Exited, Started: now, Ended: now, Stdout: limits.CaptureOf(4, 100), Stderr: limits.CaptureOf(4, 100)}
			overwrite(t, x.Path()+statusFile, startOffset, start.encode(x.ID()))
			overwrite(t, x.Path()+statusFile, exitOffset, exit.encode(x.ID()))
			overwrite(t, x.Path()+stdoutFile, 0, []byte("some"))
			overwrite(t, x.Path()+stderrFile, 0, []byte("some"))
			tc.harm(x)
			x.releaseLease()
			if s := x.wait(); s.Exit.Reason != tc.want || (s.Phase == Ended) != (tc.want == Exited) {
				t.Errorf("state %+v", s)
			}
		})
	}
}

// T34: of a directory, some files may have reached the disk and others not.
func TestADirectoryOfWhichPartIsMissing(t *testing.T) {
	for _, name := range []string{statusFile, leaseFile, requestFile, stdoutFile, stderrFile} {
		x := prepare(t, Limits{}, "exit=0")
		overwrite(t, x.Path()+statusFile, startOffset, (&Start{Boot: "another", At: time.Now()}).encode(x.ID()))
		x.releaseLease()
		check(t, os.Remove(x.Path()+name))
		if s := x.wait(); s.Phase != Lost || s.Exit.Reason == NeverStarted {
			t.Errorf("without %s: %+v", name, s)
		}
		if _, err := x.Sweep(); err != nil {
			t.Errorf("without %s: %v", name, err)
		}
		if _, _, err := x.Captured(); err != nil && name != requestFile {
			t.Errorf("without %s: %v", name, err)
		}
		stdout, stderr, err := x.OpenOutput()
		if err != nil {
			t.Errorf("without %s: %v", name, err)
		} else {
			stdout.Close()
			stderr.Close()
		}
		if err := x.Sync(); err != nil {
			t.Errorf("without %s: %v", name, err)
		}
		check(t, x.Remove())
		if _, err := x.State(); !os.IsNotExist(err) {
			t.Errorf("removed: %v", err)
		}
		if _, _, err := x.OpenOutput(); !os.IsNotExist(err) {
			t.Errorf("removed: %v", err)
		}
	}
}

// T30
func TestADiskThatIsFull(t *testing.T) {
	const size = 4 << 20
	disk.Each(t, size, func(t *testing.T, root string) {
		root += "/jobs"
		exe, err := os.Executable()
		check(t, err)
		j := Job{ID: "a", Path: exe, Dir: "/", Args: []string{"fill=" + strconv.Itoa(2*size)}}
		d, err := Prepare(root, j)
		check(t, err)
		_, err = testPool.Start(d, helperEnv)
		check(t, err)
		s := waitFor(t, d)
		if s.Phase != Ended || s.Exit.Code != 9 || !s.Exit.DiskFull || s.Exit.Stdout.Size == 0 {
			t.Errorf("state %+v", s)
		}
		release := disk.Fill(t, root) // a file system may have kept something for itself
		j.ID, j.Stdin = "b", make([]byte, 4096)
		if _, err := Prepare(root, j); err == nil {
			t.Error("there was space for another job")
		}
		if exists(root + "/b") {
			t.Error("a failed job left its directory")
		}
		release()
		check(t, d.Remove())
		until(t, "there is space again", func() bool { d, err = Prepare(root, j); return err == nil })
		check(t, d.Remove())
	})
}

// What is recorded when the disk is full from the beginning has its space already.
func TestAJobEndsOnAFullDisk(t *testing.T) {
	disk.Each(t, 4<<20, func(t *testing.T, root string) {
		exe, err := os.Executable()
		check(t, err)
		gate := t.TempDir() + "/gate"
		d, err := Prepare(root+"/jobs", Job{ID: "a", Path: exe, Dir: "/", Args: []string{"await=" + gate, "exit=6"}})
		check(t, err)
		_, err = testPool.Start(d, helperEnv)
		check(t, err)
		disk.Fill(t, root)
		check(t, os.WriteFile(gate, nil, 0o600))
		if s := waitFor(t, d); s.Phase != Ended || s.Exit.Code != 6 {
			t.Errorf("state %+v", s)
		}
	})
}
