//go:build unix

package job

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"syscall"
	"testing"

	"github.com/llm-cli-gateway/gateway/engine/call"
	"github.com/llm-cli-gateway/gateway/engine/lang"
	"github.com/llm-cli-gateway/gateway/engine/store"
	"github.com/llm-cli-gateway/gateway/engine/supervisor"
)

// TestRowOfACall holds the program at a FIFO while the row is read, so that it is
// there before the end, and compares every column that can be known.
func TestRowOfACall(t *testing.T) {
	b := newFixture(t, jsonl)
	b.runner.Parent = store.NewID()
	gate := filepath.Join(b.dir, "gate")
	if err := syscall.Mkfifo(gate, 0o600); err != nil {
		t.Fatal(err)
	}
	record := `{"result":"fine","model":"zeta-2","id":"conv-1","in":3,"out":4,"cost":0.25}`
	req := b.request("await="+gate, "out="+record+"\n", "err=warned")
	ended := make(chan call.Completion, 1)
	go func() { ended <- b.runner.Run(t.Context(), req) }()

	writer, err := os.OpenFile(gate, os.O_WRONLY, 0) // blocks until the program reads
	if err != nil {
		t.Fatal(err)
	}
	live, err := b.store.Jobs(t.Context(), store.Filter{Principal: store.Local, State: store.Live})
	if err != nil || len(live) != 1 {
		t.Fatalf("live rows while the program runs: %v, %v", live, err)
	}
	if live[0].Outcome.Ending != "" || live[0].Prompt != "hello" {
		t.Errorf("live row: %+v", live[0])
	}
	writer.Close()
	out := <-ended

	if out.Answer.Failure != nil || out.Answer.Text != "fine" || out.ExitCode != 0 || out.Warnings != nil {
		t.Fatalf("outcome: %+v", out)
	}
	row := b.row(out)
	if row.ID != live[0].ID {
		t.Errorf("the outcome names %s, the live row was %s", row.ID, live[0].ID)
	}
	args, _ := json.Marshal(map[string]any{"do": []string{"await=" + gate, "out=" + record + "\n", "err=warned"}})
	zero, in, outTokens, cost := 0, int64(3), int64(4), 0.25
	want := store.Job{
		ID: out.ID, Principal: store.Local, Tool: "acme_request", CLI: "acme", Mode: "new", Model: "zeta-2", SpecHash: b.catalog.CLIs[0].Digest(), CatalogDigest: b.catalog.Digest(), ParentID: b.runner.Parent,
		CorrelationID: "made-id", Cwd: b.dir, Prompt: "hello", Args: args, Argv: []string{"await=" + gate, "out=" + record + "\n", "err=warned"},
		EnvNames: []string{fakeSwitch, "HOME", "PATH", "PWD"}, GatewayVersion: "9.9", ClientName: "client", ClientVersion: "3",
		Created: row.Created, State: store.Done, ResponseBytes: 4,
		Outcome: store.Outcome{
			Ending: store.EndOK, Detail: "exit", ExitCode: &zero, Ended: row.Outcome.Ended, Duration: row.Outcome.Duration,
			OutBytes: int64(len(record) + 1), ErrBytes: 6, Model: row.Outcome.Model, NativeSessionID: "conv-1", Response: "fine",
			InputTokens: &in, OutputTokens: &outTokens, CostUSD: &cost, Started: row.Outcome.Started,
		},
	}
	if supervisor.Supported() {
		want.Folder = b.runner.Jobs
	}
	if !reflect.DeepEqual(row, want) {
		t.Errorf("row\ngot  %+v\nwant %+v", row, want)
	}
	if started := row.Outcome.Started; row.Created.IsZero() || started.Before(row.Created) || row.Outcome.Ended.Before(started) {
		t.Errorf("created %s, started %s, ended %s", row.Created, started, row.Outcome.Ended)
	}
}

// TestCanceledWhileItIsRecorded ends the call when the row is asked for: the last
// moment at which nothing has run.
func TestCanceledWhileItIsRecorded(t *testing.T) {
	b := newFixture(t, jsonl)
	ctx, cancel := context.WithCancel(t.Context())
	b.runner.Record = func() (Store, error) { cancel(); return b.store, nil }
	touched := filepath.Join(b.dir, "touched")
	if out := b.runner.Run(ctx, b.request("pid="+touched)); class(out) != lang.ClassCanceled {
		t.Errorf("failure: %+v", out.Answer.Failure)
	}
	if pidIn(touched) != 0 {
		t.Error("the program ran")
	}
	if live, err := b.store.Jobs(t.Context(), store.Filter{Principal: store.Local, State: store.Live}); err != nil || len(live) != 0 {
		t.Errorf("live rows: %v, %v", live, err)
	}
}

func TestSecretsAreNotRecorded(t *testing.T) {
	const secret, longer, odd = "tok-12345678", "tok-12345678-and-more", `odd"<&>\value`
	b := newFixture(t, "", "ACME_TOKEN="+secret, "ACME_KEY="+longer, "ACME_SECRET="+odd, "ACME_PROXY=http://me:pass-phrase@host:1")
	prompt := "use " + longer + " and " + secret + " and " + odd + " and pass-phrase"
	bound := b.bind(prompt, map[string]any{"do": []string{"getenv=ACME_KEY", "out= " + odd, "err=" + secret + "\n", "exit=1"}})
	out := b.runner.Run(t.Context(), call.Request{Principal: store.Local, Catalog: b.catalog, Bound: bound, Dir: b.dir})
	if !strings.Contains(out.Answer.Text, longer) {
		t.Errorf("the caller's answer was changed: %q", out.Answer.Text)
	}
	row := b.row(out)
	text := fmt.Sprintf("%+v %s", row, row.Args)
	for _, hidden := range []string{secret, "and-more", "value", `\u003c`, "pass-phrase"} {
		if strings.Contains(text, hidden) {
			t.Errorf("%q stands in the row: %s", hidden, text)
		}
	}
	if row.Prompt != "use [ACME_KEY] and [ACME_TOKEN] and [ACME_SECRET] and [ACME_PROXY]" || row.Outcome.Response != "[ACME_KEY] [ACME_SECRET]" {
		t.Errorf("prompt %q, response %q", row.Prompt, row.Outcome.Response)
	}
	if !json.Valid(row.Args) || !strings.Contains(row.Outcome.ErrorMessage, "[ACME_TOKEN]") {
		t.Errorf("args %s, message %q", row.Args, row.Outcome.ErrorMessage)
	}
}

// TestSecretsAreKnownByTheirShape: no variable holds them, and they are not recorded nor quoted
// in a failure either.
func TestSecretsAreKnownByTheirShape(t *testing.T) {
	const key, uuid = "sk" + "-ant-api03-abcdefghijkl", "c39702b8-9eb7-4a05-866b-6f70eab7cd01"
	b := newFixture(t, "")
	bound := b.bind("use "+key+" in "+uuid, map[string]any{"do": []string{"out=" + key, "err=invalid key: " + key, "exit=1"}})
	bound.Model, bound.CorrelationID = key, "mine "+key
	out := b.runner.Run(t.Context(), call.Request{Principal: store.Local, Catalog: b.catalog, Bound: bound, Dir: b.dir})
	if strings.Contains(out.Answer.Failure.Message, key) || !strings.Contains(out.Answer.Failure.Message, "[redacted]") {
		t.Errorf("the failure says %q", out.Answer.Failure.Message)
	}
	row := b.row(out)
	if text := fmt.Sprintf("%+v %s", row, row.Args); strings.Contains(text, "abcdefghijkl") || !strings.Contains(text, uuid) {
		t.Errorf("the row: %s", text)
	}
	if row.Model != "[redacted]" || row.ModelResolved != "[redacted]" || row.CorrelationID != "mine [redacted]" {
		t.Errorf("model %q, correlation id %q", row.Model, row.CorrelationID)
	}
}

func TestWithoutRecordNothingRuns(t *testing.T) {
	b := newFixture(t, "")
	b.runner.Record = func() (Store, error) { return nil, errors.New("the disk is on fire") }
	touched := filepath.Join(b.dir, "touched")
	out := b.runner.Run(t.Context(), b.request("pid="+touched))
	if class(out) != lang.ClassRecord || !strings.Contains(out.Answer.Failure.Message, "on fire") {
		t.Errorf("failure: %+v", out.Answer.Failure)
	}
	b.store.Close()
	b.runner.Record = func() (Store, error) { return b.store, nil }
	if out := b.runner.Run(t.Context(), b.request("pid="+touched)); class(out) != lang.ClassRecord {
		t.Errorf("with a closed record: %+v", out.Answer.Failure)
	}
	if pidIn(touched) != 0 {
		t.Error("the program ran")
	}
	if left := b.spooled(); len(left) > 0 {
		t.Errorf("left in the spool: %q", left)
	}
}

func TestRecordLostDuringTheRun(t *testing.T) {
	for name, harm := range map[string]func(path string) error{
		"deleted": os.Remove,
		"replaced": func(path string) error {
			return errors.Join(os.Remove(path), os.WriteFile(path, []byte("not a database"), 0o600))
		},
	} {
		t.Run(name, func(t *testing.T) {
			b := newFixture(t, "")
			gate := filepath.Join(b.dir, "gate")
			if err := syscall.Mkfifo(gate, 0o600); err != nil {
				t.Fatal(err)
			}
			ended := make(chan call.Completion, 1)
			req := b.request("await="+gate, "out=dear answer")
			go func() { ended <- b.runner.Run(t.Context(), req) }()
			writer, err := os.OpenFile(gate, os.O_WRONLY, 0)
			if err != nil {
				t.Fatal(err)
			}
			if err := harm(filepath.Join(b.home, "logs.db")); err != nil {
				t.Fatal(err)
			}
			writer.Close()
			out := <-ended
			if out.Answer.Text != "dear answer" || class(out) != "" || len(out.Warnings) != 1 || !strings.Contains(out.Warnings[0], "record") {
				t.Errorf("outcome: %+v, %+v", out, out.Answer.Failure)
			}
		})
	}
}
