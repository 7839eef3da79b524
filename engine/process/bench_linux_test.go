package process

import (
	"hash/crc32"
	"io"
	"os"
	"os/exec"
	"slices"
	"testing"
	"time"

	"github.com/llm-cli-gateway/gateway/engine/process/proctree"
)

const trivial = "/bin/true"

func needTrivial(b *testing.B) {
	if _, err := os.Stat(trivial); err != nil {
		b.Skip(err)
	}
}

// BenchmarkBare is what any child costs.
func BenchmarkBare(b *testing.B) {
	needTrivial(b)
	for b.Loop() {
		bare(b)
	}
}

func bare(b *testing.B) {
	if err := exec.Command(trivial).Run(); err != nil {
		b.Fatal(err)
	}
}

// BenchmarkStart alternates with a bare command, so that a busy machine is busy for
// both, and compares medians: how many times as long a command takes, and how
// many microseconds more.
func BenchmarkStart(b *testing.B) {
	needTrivial(b)
	j := newJob(b)
	j.Path, j.Env = trivial, nil
	var ours, base laps
	for b.Loop() {
		b.StopTimer()
		base.time(func() { bare(b) })
		b.StartTimer()
		ours.time(func() {
			p, err := Start(j.Command, Limits{})
			if err != nil {
				b.Fatal(err)
			}
			if e := p.Exit(); e.Code != 0 || e.Err != nil {
				b.Fatalf("%+v", e)
			}
		})
	}
	b.ReportMetric(float64(ours.median())/float64(base.median()), "x-bare")
	b.ReportMetric(float64((ours.median() - base.median()).Microseconds()), "µs-more")
}

// BenchmarkCapture is 40 MB from a child to a reader.
func BenchmarkCapture(b *testing.B) {
	const size = 40 << 20
	b.SetBytes(size)
	b.ReportAllocs()
	for b.Loop() {
		j := newJob(b, "zeros=41943040")
		e := j.run(b, Limits{})
		n, err := io.Copy(crc32.NewIEEE(), Reader(j.out, e.Stdout))
		if err != nil || n != size || e.Stdout.Truncated {
			b.Fatalf("read %d bytes, %v: %+v", n, err, e)
		}
		os.Remove(j.out.Name())
	}
}

// BenchmarkDescendant reports how long a noterm grandchild that holds stdout delays
// a result.
func BenchmarkDescendant(b *testing.B) {
	var delay laps
	for b.Loop() {
		j := newJob(b, "setsid=noterm;pid=gc;sleep", "await=gc")
		p := j.start(b, Limits{})
		<-p.Done()
		delay = append(delay, time.Since(p.Exit().Ended))
	}
	b.ReportMetric(float64(delay.median().Milliseconds()), "ms-delay")
}

// BenchmarkRemains is the search for descendants when there is none.
func BenchmarkRemains(b *testing.B) {
	j := newJob(b)
	p := j.start(b, Limits{})
	wait(b, p)
	for b.Loop() {
		if p.child.remains() {
			b.Fatal("found some")
		}
	}
}

// BenchmarkSnapshot is what it would cost to look at every process instead.
func BenchmarkSnapshot(b *testing.B) {
	n := 0
	for b.Loop() {
		n = len(proctree.Snapshot().Processes)
	}
	b.ReportMetric(float64(n), "processes")
}

type laps []time.Duration

func (l *laps) time(f func()) {
	t := time.Now()
	f()
	*l = append(*l, time.Since(t))
}

func (l laps) median() time.Duration {
	slices.Sort(l)
	return l[len(l)/2]
}
