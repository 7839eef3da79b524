package supervisor

import (
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/llm-cli-gateway/gateway/engine/process/proctree"
)

const trivial = "/bin/true"

var benchID int

func bare(t testing.TB) time.Duration {
	begin := time.Now()
	p, err := os.StartProcess(trivial, []string{trivial}, &os.ProcAttr{Files: []*os.File{nil, nil, nil}, Sys: &syscall.SysProcAttr{Setsid: true}})
	check(t, err)
	_, err = p.Wait()
	check(t, err)
	return time.Since(begin)
}

func supervised(t testing.TB, p *Pool, root, id string) time.Duration {
	begin := time.Now()
	d, err := Prepare(root, Job{ID: id, Path: trivial, Dir: "/", Stdin: []byte("hello")})
	check(t, err)
	_, err = p.Start(d, nil)
	check(t, err)
	s, err := d.Wait(nil)
	check(t, err)
	took := time.Since(begin)
	if s.Phase != Ended || s.Exit.Code != 0 {
		t.Fatalf("state %+v", s)
	}
	check(t, d.Remove())
	return took
}

// BenchmarkJob compares a job with a bare fork, exec and wait of the same child,
// in turns because the machine may be busy.
func BenchmarkJob(b *testing.B) {
	p := newTestPool(b)
	p.Warm()
	idle(b, p, 1)
	compare(b, func(root, id string) time.Duration { return supervised(b, p, root, id) })
}

// BenchmarkColdJob has to wait for its supervisor.
func BenchmarkColdJob(b *testing.B) {
	compare(b, func(root, id string) time.Duration {
		p := NewPool()
		defer p.Close()
		return supervised(b, p, root, id)
	})
}

func compare(b *testing.B, job func(root, id string) time.Duration) {
	if !exists(trivial) {
		b.Skip("no " + trivial)
	}
	root := b.TempDir()
	var jobs, bares []time.Duration
	for b.Loop() {
		benchID++
		bares = append(bares, bare(b))
		jobs = append(jobs, job(root, strconv.Itoa(benchID)))
	}
	ours, bare := milliseconds(jobs), milliseconds(bares)
	b.ReportMetric(ours, "job-p50-ms")
	b.ReportMetric(bare, "bare-p50-ms")
	b.ReportMetric(ours-bare, "more-ms")
	b.ReportMetric(ours/bare, "ratio")
}

// milliseconds returns the middle of some durations.
func milliseconds(d []time.Duration) float64 {
	slices.Sort(d)
	return float64(d[len(d)/2].Nanoseconds()) / 1e6
}

// BenchmarkEightAtOnce also reports what all processes spend on a job: supervisors
// and their starters, commands, and we.
func BenchmarkEightAtOnce(b *testing.B) {
	if !exists(trivial) {
		b.Skip("no " + trivial)
	}
	// Orphans come to us, so that what they spent is known when they have ended.
	proctree.SetSubreaper(true)
	defer proctree.SetSubreaper(false)
	root, p := b.TempDir(), newTestPool(b)
	p.Warm()
	next := make(chan string)
	var callers sync.WaitGroup
	for range 8 {
		callers.Go(func() {
			for id := range next {
				supervised(b, p, root, id)
			}
		})
	}
	usage := func() (sum time.Duration) {
		for _, who := range []int{syscall.RUSAGE_SELF, syscall.RUSAGE_CHILDREN} {
			var u syscall.Rusage
			check(b, syscall.Getrusage(who, &u))
			sum += time.Duration(u.Utime.Nano() + u.Stime.Nano())
		}
		return sum
	}
	before, begin := usage(), time.Now()
	for b.Loop() {
		benchID++
		next <- strconv.Itoa(benchID)
	}
	close(next)
	callers.Wait()
	b.ReportMetric(float64(b.N)/time.Since(begin).Seconds(), "jobs/s")
	p.Close()
	until(b, "all are reaped", func() bool {
		_, err := syscall.Wait4(-1, nil, syscall.WNOHANG, nil)
		return err == syscall.ECHILD
	})
	b.ReportMetric((usage()-before).Seconds()*1e3/float64(b.N), "cpu-ms/job")
}

// BenchmarkFiftyAtOnce are jobs of a second each, for a pool that expects one.
func BenchmarkFiftyAtOnce(b *testing.B) {
	root := b.TempDir()
	var took []time.Duration
	for b.Loop() {
		p := newTestPool(b)
		p.Warm()
		idle(b, p, 1)
		begin := time.Now()
		var all sync.WaitGroup
		for range 50 {
			benchID++
			id := strconv.Itoa(benchID)
			all.Go(func() {
				d, err := Prepare(root, Job{ID: id, Path: "/bin/sleep", Args: []string{"1"}, Dir: "/"})
				check(b, err)
				_, err = p.Start(d, nil)
				check(b, err)
				_, err = d.Wait(nil)
				check(b, err)
				check(b, d.Remove())
			})
		}
		all.Wait()
		took = append(took, time.Since(begin))
		p.Close()
	}
	b.ReportMetric(milliseconds(took)/1e3, "p50-s")
}

func BenchmarkState(b *testing.B) {
	x := start(b, Limits{}, "sleep")
	for b.Loop() {
		if s, err := x.State(); err != nil || s.Phase != Running {
			b.Fatal(s, err)
		}
	}
}

// BenchmarkCancel reports the time from a request to the death of the command.
func BenchmarkCancel(b *testing.B) {
	var took []time.Duration
	for b.Loop() {
		x := prepareJob(b, Job{Path: "/bin/sleep", Args: []string{"1000"}}).start()
		s, err := x.State()
		check(b, err)
		begin := time.Now()
		check(b, x.Cancel("enough"))
		for alive(s.Start.Pid) {
			time.Sleep(100 * time.Microsecond)
		}
		took = append(took, time.Since(begin))
		x.end()
	}
	b.ReportMetric(milliseconds(took), "p50-ms")
	b.ReportMetric(float64(took[len(took)-1].Microseconds())/1e3, "max-ms")
}

// BenchmarkDiskSync is the latency that every durable record pays once.
func BenchmarkDiskSync(b *testing.B) {
	f, err := os.Create(b.TempDir() + "/f")
	check(b, err)
	defer f.Close()
	for b.Loop() {
		_, err := f.WriteAt(make([]byte, recordSize), 0)
		check(b, err)
		check(b, syscall.Fdatasync(int(f.Fd())))
	}
}

// BenchmarkMemory reports what a running job costs while others run.
func BenchmarkMemory(b *testing.B) {
	const jobs = 20
	var kb float64
	for b.Loop() {
		var running []*trial
		for range jobs {
			x := prepareJob(b, Job{Path: "/bin/sleep", Args: []string{"1000"}})
			running = append(running, x.start())
		}
		kb = 0
		for _, x := range running {
			s, err := x.State()
			check(b, err)
			kb += pss(b, s.Start.Supervisor)
		}
		for _, x := range running {
			check(b, x.Cancel("done"))
			x.end()
		}
	}
	b.ReportMetric(kb/jobs/1024, "MB-PSS/job")
}

// pss is the memory of a process, in kB, of which it pays its share of what it
// has in common with others.
func pss(t testing.TB, pid int) float64 {
	t.Helper()
	b := mustRead("/proc/" + strconv.Itoa(pid) + "/smaps_rollup")
	for line := range strings.Lines(string(b)) {
		if f := strings.Fields(line); f[0] == "Pss:" {
			kb, err := strconv.ParseFloat(f[1], 64)
			check(t, err)
			return kb
		}
	}
	t.Fatal("no Pss")
	return 0
}
