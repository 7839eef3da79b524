//go:build linux

package job

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/llm-cli-gateway/gateway/engine/call"
	"github.com/llm-cli-gateway/gateway/engine/job/jobdir"
	"github.com/llm-cli-gateway/gateway/engine/store"
)

// TestPrincipalsShareNoJob: equal calls of two principals are two jobs, and neither sees,
// awaits or ends the other's.
func TestPrincipalsShareNoJob(t *testing.T) {
	b := joining(t, "")
	count, runs := b.counting()
	ids := map[string]string{}
	for _, p := range []string{store.Local, "other"} {
		for _, joined := range []bool{false, true} {
			req := b.request(count, "out=fine")
			req.Principal = p
			job, failure := b.runner.Submit(t.Context(), &req)
			if failure != nil || job.Joined != joined || job.Row.Principal != p || joined && job.Row.ID != ids[p] {
				t.Fatalf("%s: %+v, %v", p, job, failure)
			}
			ids[p] = job.Row.ID
			if end, err := b.runner.Await(t.Context(), p, ids[p], long); err != nil || end.State != call.Completed {
				t.Errorf("%s: %+v, %v", p, end, err)
			}
		}
	}
	for p, other := range map[string]string{store.Local: "other", "other": store.Local} {
		var none *NoJobError
		_, status := b.runner.Status(t.Context(), p, ids[other])
		_, result := b.runner.Result(t.Context(), p, ids[other], 0, 10)
		_, await := b.runner.Await(t.Context(), p, ids[other], time.Millisecond)
		_, cancel := b.runner.Cancel(t.Context(), p, ids[other], "test", 0)
		_, follow := b.runner.Follow(t.Context(), p, ids[other], os.Stdout, os.Stderr, nil)
		for name, err := range map[string]error{"status": status, "result": result, "await": await, "cancel": cancel, "follow": follow} {
			if !errors.As(err, &none) {
				t.Errorf("%s of another's job: %v", name, err)
			}
		}
		jobs, err := b.runner.List(t.Context(), Filter{Principal: p})
		if err != nil || len(jobs) != 1 || jobs[0].Row.ID != ids[p] {
			t.Errorf("%s lists %+v, %v", p, jobs, err)
		}
		if joins, err := b.runner.Joins(t.Context(), p, ids[p]); err != nil || len(joins) != 1 || joins[0].Principal != p {
			t.Errorf("%s joined %+v, %v", p, joins, err)
		}
	}
	if n := runs(); n != 2 {
		t.Errorf("it ran %d times", n)
	}
}

// TestUnreadableRecordEndsNoJobOfAnother: whose a job is cannot be known then.
func TestUnreadableRecordEndsNoJobOfAnother(t *testing.T) {
	b := newFixture(t, "")
	gate, open := b.gate()
	id := b.submit(gate, "out=fine").Row.ID
	record, broken := b.runner.Record, errors.New("the disk is on fire")
	b.runner.Record = func() (Store, error) { return nil, broken }
	if _, err := b.runner.Cancel(t.Context(), "other", id, "test", 0); !errors.Is(err, broken) {
		t.Error(err)
	}
	b.runner.Record = record
	if job, err := b.runner.Status(t.Context(), store.Local, id); err != nil || job.Canceling {
		t.Errorf("%+v, %v", job, err)
	}
	open()
	b.await(id)
}

// TestRowOfAnEarlierGatewayComesBack: its directory names no principal.
func TestRowOfAnEarlierGatewayComesBack(t *testing.T) {
	b := newFixture(t, "")
	id := b.submit("out=fine").Row.ID
	b.await(id)
	if err := b.store.DeleteJob(t.Context(), id); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(b.runner.Jobs, id, jobdir.File)
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var found struct {
		Record string
		Row    map[string]any
	}
	if err := json.Unmarshal(text, &found); err != nil || found.Row["Principal"] != store.Local {
		t.Fatalf("%s, %v", text, err)
	}
	delete(found.Row, "Principal")
	if text, err = json.Marshal(found); err == nil {
		err = os.WriteFile(path, text, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	if n, err := b.other().runner.Import(t.Context(), time.Now().Add(2*rowDelay)); n != 1 || err != nil {
		t.Fatal(n, err)
	}
	if job, err := b.runner.Status(t.Context(), store.Local, id); err != nil || job.State != call.Completed {
		t.Errorf("%+v, %v", job, err)
	}
}
