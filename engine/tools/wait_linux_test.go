package tools

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/llm-cli-gateway/gateway/engine/call"
	"github.com/llm-cli-gateway/gateway/engine/catalog"
	"github.com/llm-cli-gateway/gateway/engine/job"
	"github.com/llm-cli-gateway/gateway/engine/lang/load"
	"github.com/llm-cli-gateway/gateway/engine/lang/specfiles"
	"github.com/llm-cli-gateway/gateway/engine/store"
)

// waiting are tools of a CLI that prints what comes through a FIFO. Calls are waited for
// for a moment.
type waiting struct {
	*Tools
	t      *testing.T
	fifo   string
	broken atomic.Bool // the record
}

func newWaiting(t *testing.T, syncMs int) *waiting {
	t.Helper()
	w := &waiting{Tools: newJobs(t), t: t, fifo: filepath.Join(t.TempDir(), "fifo")}
	if err := syscall.Mkfifo(w.fifo, 0o600); err != nil {
		t.Fatal(err)
	}
	text := fmt.Sprintf(`cli: acme: {bin: "cat", argv: ["{file}"], params: file: {doc: "F"}}
gateway: {env: pass: ["PATH"], jobs: {syncMs: %d, onCancel: "kill", dedupMs: 60000}}`, syncMs)
	res := load.Load([]load.Layer{{Name: "test", Files: []specfiles.File{{Name: "a.cue", Data: []byte(text)}}}}, load.Options{})
	if res.Catalog == nil {
		t.Fatal(res.Diagnostics)
	}
	w.Catalog = func() *catalog.Catalog { return res.Catalog }
	record := w.Runner.Record
	w.Runner.Current, w.Runner.Record = w.Catalog, func() (job.Store, error) {
		if w.broken.Load() {
			return nil, errors.New("the disk is on fire")
		}
		return record()
	}
	return w
}

// request makes a call, and does something as soon as it waits.
func (w *waiting) request(ctx context.Context, meanwhile func()) (Result, map[string]any) {
	w.t.Helper()
	first := true
	r := w.Call(ctx, call.Request{Tool: "acme_request", Args: json.RawMessage(fmt.Sprintf(`{"prompt":"x","file":%q}`, w.fifo)), Interaction: call.Interaction{Progress: func(string) {
		if first {
			meanwhile()
		}
		first = false
	}}})
	var got map[string]any
	if err := json.Unmarshal(r.Structured, &got); err != nil {
		w.t.Fatal(err)
	}
	return r, got
}

// feed ends the job with an answer.
func (w *waiting) feed(text string) {
	w.t.Helper()
	file, err := os.OpenFile(w.fifo, os.O_WRONLY, 0)
	if err != nil {
		w.t.Fatal(err)
	}
	_, err = file.WriteString(text)
	if err := errors.Join(err, file.Close()); err != nil {
		w.t.Fatal(err)
	}
}

// result is what there is of the job in the end.
func (w *waiting) result(id string) map[string]any {
	w.t.Helper()
	_, got := w.ask(w.t, JobResult, fmt.Sprintf(`{"jobId":%q,"waitMs":60000}`, id))
	return got
}

// TestTheRecordFailsWhileACallWaits: the job has begun, so its caller is told of it, and by
// what it can be had later.
func TestTheRecordFailsWhileACallWaits(t *testing.T) {
	for name, tc := range map[string]struct {
		also func(w *waiting) (mend func())
		warn string
	}{
		"the record alone": {func(*waiting) func() { return func() {} }, ""},
		"and the folder of jobs": {func(w *waiting) func() {
			away := w.Runner.Jobs + "~"
			if err := os.Rename(w.Runner.Jobs, away); err != nil {
				t.Fatal(err)
			}
			return func() {
				if err := os.Rename(away, w.Runner.Jobs); err != nil {
					t.Fatal(err)
				}
			}
		}, "its state cannot be read: the disk is on fire"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWaiting(t, 300)
			var mend func()
			r, got := w.request(t.Context(), func() { w.broken.Store(true); mend = tc.also(w) })
			id, _ := got["jobId"].(string)
			if r.IsError || got["status"] != "running" || !store.ValidID(id) || !strings.Contains(r.Text[0], JobResult+" with this jobId") {
				t.Fatalf("%+v", r)
			}
			warnings, _ := got["warnings"].([]any)
			if len(warnings) > 1 || (len(warnings) == 1) != (tc.warn != "") || tc.warn != "" && warnings[0] != tc.warn {
				t.Errorf("warnings %q, want %q", warnings, tc.warn)
			}
			mend()
			w.broken.Store(false)
			w.feed("the answer")
			if got := w.result(id); got["status"] != "completed" || got["response"] != "the answer" {
				t.Errorf("%v", got)
			}
		})
	}
}

type enough struct{}

func (enough) Error() string        { return "enough" }
func (enough) CancelReason() string { return "enough" }

// TestACallIsCanceledWithoutItsRecord: whose user turns away ends all the same.
func TestACallIsCanceledWithoutItsRecord(t *testing.T) {
	w := newWaiting(t, 0)
	ctx, cancel := context.WithCancelCause(t.Context())
	r, got := w.request(ctx, func() { w.broken.Store(true); cancel(enough{}) })
	id, _ := got["jobId"].(string)
	if r.IsError || !store.ValidID(id) || !strings.Contains(r.Text[1], "on fire") {
		t.Fatalf("%+v", r)
	}
	w.broken.Store(false)
	if got := w.result(id); got["status"] != "canceled" {
		t.Errorf("%v", got)
	}
}
