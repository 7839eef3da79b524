package engine_test

import (
	"encoding/json"
	"fmt"
	"os/exec"
	"testing"
	"time"

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
			r := e.Tools.Call(b.Context(), tools.Call{Name: "acme_request_async", Args: json.RawMessage(`{"prompt":"hello"}`)})
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
		e.Tools.Call(b.Context(), tools.Call{Name: "llm_job_status", Args: json.RawMessage(fmt.Sprintf(`{"jobId":%q,"waitMs":60000}`, id))})
		b.StartTimer()
	}
	b.ReportMetric(float64(median(starts).Microseconds())/1000, "ms-p50")
	b.ReportMetric(float64(median(bare).Microseconds())/1000, "ms-floor")
}

// BenchmarkJobStatus asks where a job stands: one that runs, and one that has ended.
func BenchmarkJobStatus(b *testing.B) {
	for name, argv := range map[string]string{"running": `cli: acme: {bin: "sleep", argv: ["1000"]}`, "ended": echo} {
		b.Run(name, func(b *testing.B) {
			e := open(b, argv)
			r := e.Tools.Call(b.Context(), tools.Call{Name: "acme_request_async", Args: json.RawMessage(`{"prompt":"hello"}`)})
			var s struct{ JobID string }
			if err := json.Unmarshal(r.Structured, &s); err != nil || r.IsError {
				b.Fatal(r.Text, err)
			}
			call := func(tool, more string) tools.Result {
				return e.Tools.Call(b.Context(), tools.Call{Name: tool, Args: json.RawMessage(fmt.Sprintf(`{"jobId":%q%s}`, s.JobID, more))})
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
