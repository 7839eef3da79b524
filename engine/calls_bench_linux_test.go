package engine_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/llm-cli-gateway/gateway/engine"
	"github.com/llm-cli-gateway/gateway/engine/call"
)

// echo is the cheapest CLI there is: what a call of it costs is what the gateway adds.
const echo = `cli: acme: {bin: "echo", argv: ["ok"]}`

func open(tb testing.TB, specText string) *engine.Engine {
	tb.Helper()
	tb.Setenv("HOME", tb.TempDir())
	dir := tb.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "acme.cue"), []byte(specText), 0o600); err != nil {
		tb.Fatal(err)
	}
	e, diags := engine.Open(engine.Options{Specs: []string{dir}, Environ: os.Environ(), Version: "test"})
	if e == nil {
		tb.Fatal(diags)
	}
	e.Tools.Runner.Warm() // as a gateway does that serves
	tb.Cleanup(func() {
		if err := e.Close(); err != nil {
			tb.Error(err)
		}
	})
	return e
}

// BenchmarkCall is a whole call, from JSON arguments to result, with its two commits
// to the record. It reports what a call costs beyond the fork, exec and wait of the
// same child, which are measured in turn with it: the machine's mood counts for both.
func BenchmarkCall(b *testing.B) {
	e := open(b, echo)
	path, err := exec.LookPath("echo")
	if err != nil {
		b.Skip(err)
	}
	var calls, bare []time.Duration
	for b.Loop() {
		calls = append(calls, timed(func() { callEcho(b, e) }))
		b.StopTimer()
		bare = append(bare, timed(func() {
			if err := exec.Command(path, "ok").Run(); err != nil {
				b.Fatal(err)
			}
		}))
		b.StartTimer()
	}
	over := median(calls) - median(bare)
	b.ReportMetric(float64(median(calls))/float64(median(bare)), "x-floor")
	b.ReportMetric(float64(over.Microseconds())/1000, "ms-over-floor")
	b.ReportMetric(diskSync(b), "ms-fdatasync") // which bounds every durable commit
}

var asked atomic.Int64

func callEcho(b *testing.B, e *engine.Engine) {
	args := fmt.Appendf(nil, `{"prompt":"hello %d"}`, asked.Add(1)) // the same call would join
	call := call.Request{Tool: "acme_request", Args: args}
	if r := e.Tools.Call(b.Context(), call); r.IsError {
		b.Fatal(r.Text)
	}
}

func timed(f func()) time.Duration {
	start := time.Now()
	f()
	return time.Since(start)
}

func median(d []time.Duration) time.Duration {
	slices.Sort(d)
	return d[len(d)/2]
}

// BenchmarkCallsAtOnce is the throughput with eight callers.
func BenchmarkCallsAtOnce(b *testing.B) {
	e := open(b, echo)
	b.SetParallelism(8 / runtime.GOMAXPROCS(0))
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			callEcho(b, e)
		}
	})
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "calls/s")
}

func BenchmarkOpen(b *testing.B) {
	b.Setenv("HOME", b.TempDir())
	for b.Loop() {
		e, diags := engine.Open(engine.Options{Environ: os.Environ(), Version: "test"})
		if e == nil {
			b.Fatal(diags)
		}
	}
}

func BenchmarkToolsList(b *testing.B) {
	e := open(b, echo)
	for b.Loop() {
		e.Tools.List()
	}
}
