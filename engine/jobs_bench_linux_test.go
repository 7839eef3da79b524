package engine_test

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/llm-cli-gateway/gateway/engine/call"
	"github.com/llm-cli-gateway/gateway/engine/tools"
)

// BenchmarkStartJob is a call as a job, from JSON arguments to the answer that it runs.
func BenchmarkStartJob(b *testing.B) {
	e := open(b, echo)
	path, err := exec.LookPath("echo")
	if err != nil {
		b.Skip(err)
	}
	var starts, bare []time.Duration
	var id string
	for b.Loop() {
		starts = append(starts, timed(func() {
			r := e.Tools.Call(b.Context(), call.Request{Tool: "acme_request_async", Args: fmt.Appendf(nil, `{"prompt":"hello %d"}`, asked.Add(1))})
			var s struct{ JobID string }
			if err := json.Unmarshal(r.Structured, &s); err != nil || r.IsError {
				b.Fatal(r.Text, err)
			}
			id = s.JobID
		}))
		b.StopTimer()
		bare = append(bare, timed(func() {
			if err := exec.Command(path, "ok").Run(); err != nil {
				b.Fatal(err)
			}
		}))
		e.Tools.Call(b.Context(), call.Request{Tool: "llm_job_status", Args: json.RawMessage(fmt.Sprintf(`{"jobId":%q,"waitMs":60000}`, id))})
		b.StartTimer()
	}
	b.ReportMetric(float64(median(starts).Microseconds())/1000, "ms-p50")
	b.ReportMetric(float64(median(bare).Microseconds())/1000, "ms-floor")
}

// diskSync is the median latency of making a small write durable, in milliseconds.
func diskSync(b *testing.B) float64 {
	f, err := os.Create(filepath.Join(b.TempDir(), "f"))
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	var took []time.Duration
	for range 50 {
		took = append(took, timed(func() {
			if _, err := f.WriteAt(make([]byte, 512), 0); err != nil {
				b.Fatal(err)
			}
			if err := syscall.Fdatasync(int(f.Fd())); err != nil {
				b.Fatal(err)
			}
		}))
	}
	return float64(median(took).Microseconds()) / 1000
}

// BenchmarkFiftyJobs runs fifty jobs of a second each at once.
func BenchmarkFiftyJobs(b *testing.B) {
	e := open(b, `cli: acme: {bin: "sleep", argv: ["1"], success: "exit == 0"}`)
	for b.Loop() {
		var all sync.WaitGroup
		for range 50 {
			all.Go(func() {
				args := fmt.Appendf(nil, `{"prompt":"hello %d"}`, asked.Add(1))
				e.Tools.Call(b.Context(), call.Request{Tool: "acme_request", Args: args})
			})
		}
		all.Wait()
	}
	b.ReportMetric(b.Elapsed().Seconds()/float64(b.N), "s/fifty")
}

// BenchmarkJobStatus asks where a job stands: one that runs, and one that has ended.
func BenchmarkJobStatus(b *testing.B) {
	for name, argv := range map[string]string{"running": `cli: acme: {bin: "sleep", argv: ["1000"]}`, "ended": echo} {
		b.Run(name, func(b *testing.B) {
			e := open(b, argv)
			r := e.Tools.Call(b.Context(), call.Request{Tool: "acme_request_async", Args: json.RawMessage(`{"prompt":"hello"}`)})
			var s struct{ JobID string }
			if err := json.Unmarshal(r.Structured, &s); err != nil || r.IsError {
				b.Fatal(r.Text, err)
			}
			call := func(tool, more string) tools.Result {
				return e.Tools.Call(b.Context(), call.Request{Tool: tool, Args: json.RawMessage(fmt.Sprintf(`{"jobId":%q%s}`, s.JobID, more))})
			}
			if name == "ended" {
				call("llm_job_status", `,"waitMs":60000`)
			}
			var took []time.Duration
			for b.Loop() {
				took = append(took, timed(func() { call("llm_job_status", "") }))
			}
			call("llm_job_cancel", "")
			b.ReportMetric(float64(median(took).Microseconds())/1000, "ms-p50")
		})
	}
}
