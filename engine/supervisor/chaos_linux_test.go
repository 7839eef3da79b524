package supervisor

import (
	"maps"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/llm-cli-gateway/gateway/engine/process/limits"
)

// T29, as far as it is ours: whatever hits them, jobs reach a final state, one
// that ended well has all its output, and nothing goes on. It makes no difference
// that supervisors had other jobs before.
func TestChaos(t *testing.T) {
	const rounds, jobs, size = 3, 16, 200_000
	p := newTestPool(t)
	seed := uint64(time.Now().UnixNano())
	t.Log("seed ", seed)
	random := rand.New(rand.NewPCG(seed, 1))

	hits := map[string]func(x *trial, s Start){
		"nothing":        func(*trial, Start) {},
		"cancel":         func(x *trial, s Start) { x.Cancel("chaos") },
		"ask":            func(x *trial, s Start) { syscall.Kill(s.Supervisor, syscall.SIGTERM) },
		"kill":           func(x *trial, s Start) { syscall.Kill(s.Supervisor, syscall.SIGKILL) },
		"kill the child": func(x *trial, s Start) { syscall.Kill(s.Pid, syscall.SIGKILL) },
		"all at once": func(x *trial, s Start) {
			syscall.Kill(s.Supervisor, syscall.SIGTERM)
			x.Cancel("chaos")
			syscall.Kill(s.Supervisor, syscall.SIGKILL)
		},
	}
	var names []string
	for name := range hits {
		names = append(names, name)
	}
	outcomes, supervisors := map[Reason]int{}, map[int]bool{}
	for range rounds {
		var running []*trial
		for range jobs {
			x := prepare(t, Limits{Grace: 50 * time.Millisecond}, "setsid=noterm;sleep", "fill="+strconv.Itoa(size)).startWith(p)
			running = append(running, x)
			s, err := x.State()
			check(t, err)
			supervisors[s.Start.Supervisor] = true
			if s.Phase == Running && s.Start.Pid > 1 {
				hits[names[random.IntN(len(names))]](x, s.Start)
			}
		}
		for _, x := range running {
			s := x.wait()
			outcomes[s.Exit.Reason]++
			if s.Phase == Lost {
				if s.Exit.Reason != SupervisorDied || s.Exit.Code == 0 {
					t.Errorf("state %+v", s)
				}
				_, err := x.Sweep()
				check(t, err)
			}
			if s.Phase == Ended && s.Exit.Code == 0 && (s.Exit.Stdout.Size != size || x.out() != string(patternBytes(0, size))) {
				t.Errorf("output of %d bytes, state %+v", len(x.out()), s)
			}
			if again := x.wait(); again != s {
				t.Errorf("first %+v, then %+v", s, again)
			}
			noSurvivors(t, x.ID())
		}
		p.lock()
		for _, w := range p.idle {
			if random.IntN(3) == 0 {
				syscall.Kill(w.pid, syscall.SIGKILL)
			}
		}
		p.unlock()
	}
	t.Log(outcomes)
	if len(supervisors) == rounds*jobs {
		t.Error("no supervisor had two jobs")
	}
}

// T28, as far as it is ours: wherever a gateway is killed, a job has run once and
// has a record, or has not run and says so.
func TestGatewaysAreKilledAnywhere(t *testing.T) {
	for range 10 {
		g := startGateway(t, "", "busy")
		check(t, os.WriteFile(g.root+"/go", nil, 0o600))
		until(t, "it is busy", func() bool { return exists(g.root + "/up") })
		begin, wait := time.Now(), time.Duration(rand.IntN(20_000))*time.Microsecond
		until(t, "the moment is there", func() bool { return time.Since(begin) > wait })
		check(t, g.cmd.Process.Kill())
		g.cmd.Wait()

		entries, err := os.ReadDir(g.root + "/jobs")
		check(t, err)
		want := map[string]int{}
		for _, e := range entries {
			d, err := Open(g.root + "/jobs/" + e.Name())
			check(t, err)
			if _, err := os.Stat(d.Path() + ctlFile); err != nil {
				continue // it was not prepared to the end, so nobody can have started it
			}
			s := waitFor(t, d)
			switch {
			case s.Phase == Ended && s.Exit.Code == 0 && s.Exit.Reason == Exited:
				want[d.ID()] = 1
			case s.Phase == Lost && s.Exit.Reason == NeverStarted:
			default:
				t.Errorf("state %+v", s)
			}
		}
		ran := map[string]int{}
		for id := range strings.Lines(string(mustRead(g.root + "/effects"))) {
			ran[strings.TrimSpace(id)]++
		}
		if !maps.Equal(ran, want) {
			t.Errorf("ran %v, recorded %v", ran, want)
		}
	}
}

// Neither a limit nor a cancel hits a command that has ended, even if we have not
// been told yet.
func TestTheEndCountsBeforeAReason(t *testing.T) {
	x := prepare(t, Limits{})
	s := &supervisor{
		Dir: *x.Dir, sigs: make(chan os.Signal, 1), child: make(chan os.Signal), ctl: make(chan struct{}, 1),
		exit: Exit{Code: -1, Reason: Exited},
	}
	s.req.Limits = Limits{Wall: 1, Idle: 1, Grace: time.Second, Output: 1}
	for i, name := range []string{stdoutFile, stderrFile} {
		f, err := os.OpenFile(x.Path()+name, os.O_RDWR, 0)
		check(t, err)
		defer f.Close()
		s.out[i] = limits.NewOutput(f, 1, limits.PunchHole)
	}
	var err error
	s.pid, err = syscall.ForkExec("/proc/self/exe", []string{"helper", "exit=6"}, &syscall.ProcAttr{Env: helperEnv})
	check(t, err)
	gone(t, s.pid)
	s.ctl <- struct{}{}
	s.sigs <- syscall.SIGTERM
	if stopped := s.monitor(); stopped || s.exit.Code != 6 || s.exit.Reason != Exited {
		t.Errorf("stopped %v, exit %+v", stopped, s.exit)
	}
}
