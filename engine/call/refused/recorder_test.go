package refused

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/llm-cli-gateway/gateway/engine/call"
	"github.com/llm-cli-gateway/gateway/engine/lang"
	"github.com/llm-cli-gateway/gateway/engine/store"
)

// kept is a record of calls.
type kept struct {
	rows   chan store.Job
	locked chan struct{} // nil: it is not
	err    error
}

func (k *kept) ImportJob(ctx context.Context, job store.Job) (bool, error) {
	if k.locked != nil {
		<-k.locked
	}
	if k.err == nil {
		k.rows <- job
	}
	return true, errors.Join(k.err, ctx.Err())
}

// key is a secret.
var key = "secret-" + strings.Repeat("abcdefghij", 5)

func newRecorder(k *kept) (r *Recorder, failed chan error) {
	failed = make(chan error, 1000)
	k.rows = make(chan store.Job, 1000)
	return &Recorder{
		Record: func() (Store, error) { return k, nil },
		Kept: func(cli string) Kept {
			redact := func(text string) string {
				return strings.NewReplacer("hush", "["+cli+"]", key, "[redacted]").Replace(text)
			}
			return Kept{Text: redact, Prompt: redact}
		},
		Parent:  func(context.Context) (string, error) { return "above", nil },
		Version: "1", Failed: func(err error) { failed <- err },
	}, failed
}

func outcome(args string) *call.Outcome {
	req := &call.Request{Tool: "acme_request", Args: json.RawMessage(args), Dir: "/w", Client: call.Client{Name: "c", Version: "2"}}
	return &call.Outcome{Request: req, Failure: &lang.Failure{Class: lang.ClassUsage, Message: "n is hush"}, Refused: true, Rule: "arguments"}
}

func TestRow(t *testing.T) {
	k := &kept{}
	r, _ := newRecorder(k)
	ctx, cancel := context.WithCancel(t.Context())
	cancel() // who left has called all the same
	began := time.Now().Add(-time.Second)
	r.Refused(ctx, outcome(`{"prompt":"say hush","n":["hush",1],"model":"big","correlationId":"c1"}`), began)
	row := <-k.rows
	if !store.ValidID(row.ID) || row.Principal != store.Local || !row.Refused || row.State != store.Done || row.DedupKey != "" || !row.Created.Equal(began) || row.ParentID != "above" || row.GatewayVersion != "1" {
		t.Errorf("%+v", row)
	}
	if row.Tool != "acme_request" || row.Cwd != "/w" || row.ClientName != "c" || row.ClientVersion != "2" || row.ModelAsked != "big" || row.CorrelationID != "c1" || row.Prompt != "say []" || string(row.Args) != `{"correlationId":"c1","model":"big","n":["[]",1]}` {
		t.Errorf("%+v %s", row, row.Args)
	}
	if o := row.Outcome; o.Ending != store.EndStartFailed || o.ErrorClass != lang.ClassUsage || o.ErrorMessage != "n is []" || o.Detail != "arguments" || o.Duration < time.Second || o.Ended.Before(began) {
		t.Errorf("%+v", o)
	}
}

// TestBounds: however much is given, and whatever it is, the row stays small and valid.
func TestBounds(t *testing.T) {
	k := &kept{}
	r, _ := newRecorder(k)
	fields := map[string]any{}
	for i := range 5000 {
		fields[fmt.Sprint("field", i)] = "value"
	}
	text := func(v any) string {
		raw, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		return string(raw)
	}
	for name, c := range map[string]struct{ args, want string }{
		"nothing":        {"", ""},
		"no object":      {`[1,"` + key + `"`, `{"leftOut":"[1,\"[redacted]\""}`},
		"much":           {text(map[string]any{"n": strings.Repeat("x", 10<<20)}), `{"leftOut":"`},
		"long text":      {text(map[string]any{"n": strings.Repeat("x", 200_000)}), `{"n":"xxx`},
		"secret at end":  {text(map[string]any{"n": strings.Repeat("x ", maxText/2-10) + key}), `{"n":"x x`},
		"long list":      {text(map[string]any{"n": strings.Split(strings.Repeat("x,", 50_000), ",")}), `{"n":["x",`},
		"many fields":    {text(map[string]any{"n": fields}), `{"n":"5000 fields"}`},
		"many arguments": {text(fields), `"5000 fields"`},
		"deep":           {strings.Repeat(`{"a":`, 3000) + "1" + strings.Repeat("}", 3000), `{"a":{"a":`},
		"long prompt":    {text(map[string]any{"prompt": strings.Repeat("界", 100_000)}), ""},
		"long name":      {text(map[string]any{strings.Repeat("n", 100_000): 1}), `{"nnn`},
	} {
		t.Run(name, func(t *testing.T) {
			r.Refused(t.Context(), outcome(c.args), time.Now())
			r.Close()
			row := <-k.rows
			if len(row.Args) > maxText || len(row.Prompt) > maxText+3 || !strings.HasPrefix(string(row.Args), c.want) || c.want == "" && row.Args != nil {
				t.Errorf("args %d bytes, prompt %d: %.200s", len(row.Args), len(row.Prompt), row.Args)
			}
			if len(row.Args) > 0 && !json.Valid(row.Args) || strings.Contains(string(row.Args), "abcdefghij") {
				t.Errorf("%.200s", row.Args)
			}
		})
	}
}

// TestNobodyWaitsForTheRecord: a locked record delays no answer for long, nor does it fill the
// memory; what waits is written in the end.
func TestNobodyWaitsForTheRecord(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := &kept{locked: make(chan struct{})}
		r, failed := newRecorder(k)
		began := time.Now()
		for range maxWaiting + 3 {
			r.Refused(t.Context(), outcome(`{}`), began)
		}
		if took := time.Since(began); took != maxWaiting*patience {
			t.Errorf("it took %s", took)
		}
		if len(failed) != 3 || !errors.Is(<-failed, errTooMany) {
			t.Errorf("%d failed", len(failed))
		}
		close(k.locked)
		if r.Close(); len(k.rows) != maxWaiting {
			t.Errorf("%d rows", len(k.rows))
		}
		r.Refused(t.Context(), outcome(`{}`), began)
		if r.Close(); len(k.rows) != maxWaiting+1 {
			t.Errorf("%d rows", len(k.rows))
		}
	})
}

// TestPromptsThatAreNotKept: what the settings say of prompts holds for refused calls, too.
func TestPromptsThatAreNotKept(t *testing.T) {
	k := &kept{}
	r, _ := newRecorder(k)
	all := r.Kept
	r.Kept = func(cli string) Kept { return Kept{Text: all(cli).Text, Prompt: func(string) string { return "" }} }
	for _, args := range []string{`{"prompt":"words","n":1}`, `{"prompt":"words"`} {
		r.Refused(t.Context(), outcome(args), time.Now())
		if row := <-k.rows; strings.Contains(row.Prompt+string(row.Args), "words") || row.Args == nil {
			t.Errorf("%q %s", row.Prompt, row.Args)
		}
	}
}

func TestRecordThatFails(t *testing.T) {
	k := &kept{err: errors.New("the disk is full")}
	r, failed := newRecorder(k)
	r.Refused(t.Context(), outcome(`{}`), time.Now())
	if err := <-failed; !errors.Is(err, k.err) {
		t.Error(err)
	}
	told := outcome(`{}`)
	told.Failure = &lang.Failure{Class: lang.ClassRecord}
	r.Refused(t.Context(), told, time.Now())
	r.Record = func() (Store, error) { return nil, nil } // it is turned off
	r.Refused(t.Context(), outcome(`{}`), time.Now())
	if r.Close(); len(failed) != 0 {
		t.Error(<-failed)
	}
}
