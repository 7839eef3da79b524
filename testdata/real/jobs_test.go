package real

import (
	"encoding/json"
	"testing"
)

// TestJobOutlivesItsGateway starts a turn from one gateway, which is gone at once, and
// reads its answer from another.
func TestJobOutlivesItsGateway(t *testing.T) {
	each(t, func(t *testing.T, c cli) {
		g := start(t, "slow1", c)
		started, err := g.command("call", c.tool()+"_async", "prompt="+marked("later"), "--format=json").Output()
		if err != nil {
			t.Fatalf("%v: %s", err, started)
		}
		var job struct {
			JobID   string
			Durable bool
		}
		if err := json.Unmarshal(started, &job); err != nil || job.JobID == "" || !job.Durable {
			t.Fatalf("no durable job: %v: %s", err, started)
		}
		for {
			var r result
			raw := g.await(g.request("tools/call", encode(map[string]any{"name": "llm_job_result", "arguments": args{"jobId": job.JobID, "waitMs": 60_000}})))
			if err := json.Unmarshal(raw, &r); err != nil {
				t.Fatalf("%v: %s", err, raw)
			}
			if r.StructuredContent.Status == "running" {
				continue
			}
			answered(t, r, 1, "later")
			return
		}
	})
}
