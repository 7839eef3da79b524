package process

import (
	"hash/crc32"
	"io"
	"os"
	"os/exec"
	"slices"
	"testing"
	"time"
)

const trivial = "/bin/true"

func needTrivial(b *testing.B) {
	if _, err := os.Stat(trivial); err != nil {
		b.Skip(err)
	}
}

// BenchmarkFloor is what any child costs.
func BenchmarkFloor(b *testing.B) {
	needTrivial(b)
	for b.Loop() {
		floor(b)
	}
}

func floor(b *testing.B) {
	if err := exec.Command(trivial).Run(); err != nil {
		b.Fatal(err)
	}
}

// BenchmarkStart alternates with the floor, so that a busy machine is busy for
// both, and compares medians: how many times the floor a command costs, and how
// many microseconds more.
func BenchmarkStart(b *testing.B) {
	needTrivial(b)
	j := newJob(b)
	j.Path, j.Env = trivial, nil
	var ours, bare laps
	for b.Loop() {
		b.StopTimer()
		bare.time(func() { floor(b) })
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
	b.ReportMetric(float64(ours.median())/float64(bare.median()), "x-floor")
	b.ReportMetric(float64((ours.median() - bare.median()).Microseconds()), "µs-over-floor")
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

// BenchmarkLeftover reports how long a deaf grandchild that holds stdout delays
// a result.
func BenchmarkLeftover(b *testing.B) {
	var delay laps
	for b.Loop() {
		j := newJob(b, "setsid=deaf;pid=gc;sleep", "await=gc")
		p := j.start(b, Limits{})
		<-p.Done()
		delay = append(delay, time.Since(p.Exit().Ended))
	}
	b.ReportMetric(float64(delay.median().Milliseconds()), "ms-delay")
}

// BenchmarkRemains is the search for leftovers when there are none.
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
		n = len(snapshot())
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
