//go:build linux

package engine_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/llm-cli-gateway/gateway/engine/call"
	"github.com/llm-cli-gateway/gateway/engine/store"
)

// TestEveryCallIsRecorded: also those that no job was accepted for, which are no jobs.
func TestEveryCallIsRecorded(t *testing.T) {
	e, _ := opened(t, fake(t)+`
		cli: acme: {risk: [{id: "long", when: "prompt == \"long\"", score: 90}]}
		gateway: jobs: maxDepth: 0`, "ACME_TOKEN=tok-12345678")
	for _, c := range []struct {
		tool string
		args any
		want string // of the row
	}{
		{"acme_request", args{"prompt": "x", "do": []string{"out=yes"}}, "acme ok   x"},
		{"acme_request", args{"prompt": "tok-12345678", "dont": "tok-12345678"}, `acme start_failed invalid_call arguments [ACME_TOKEN] {"dont":"[ACME_TOKEN]"}`},
		{"acme_request", args{}, "acme start_failed invalid_call arguments "},
		{"acne_request", args{"prompt": "x"}, " start_failed invalid_call arguments x"},
		{"acme_request", args{"prompt": "long", "approvalStrategy": "mcp_managed"}, "acme start_failed denied approval: policy balanced, long, own long"},
		{"acme_request_async", args{"prompt": "x", "sessionId": "\u0000"}, "acme start_failed invalid_call"},
		{"acme_request", args{"prompt": "x", "workingDir": "/no/such/place"}, "acme start_failed invalid_call working directory x"},
	} {
		ask(t, e, c.tool, c.args)
		records, err := e.Record()
		if err != nil {
			t.Fatal(err)
		}
		rows, err := records.Jobs(t.Context(), store.Filter{Principal: store.Local, Limit: 1, Refused: true})
		if err != nil || len(rows) != 1 {
			t.Fatalf("%+v, %v", rows, err)
		}
		row := rows[0]
		o := row.Outcome
		got := strings.Join([]string{row.CLI, string(o.Ending), o.ErrorClass, strings.TrimPrefix(o.Detail, "exit"), row.Prompt, string(row.Args)}, " ")
		if row.Tool != c.tool || !strings.HasPrefix(got, c.want) || row.Refused != (o.Ending != store.EndOK) || row.DedupKey != "" && row.Refused {
			t.Errorf("%s %v:\n got %s\nwant %s", c.tool, c.args, got, c.want)
		}
	}
	records, err := e.Record()
	if err != nil {
		t.Fatal(err)
	}
	all, err := records.Jobs(t.Context(), store.Filter{Principal: store.Local, Refused: true})
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range all {
		if _, _, err := e.Example(t.Context(), row.ID); row.Refused != (err != nil) || err != nil && !strings.Contains(err.Error(), "was refused") {
			t.Errorf("an example of %s: %v", row.ID, err)
		}
	}
	if n, err := records.DropTexts(t.Context(), time.Now().Add(time.Hour)); n != len(all) || err != nil {
		t.Errorf("%d of %d, %v", n, len(all), err)
	}
	if _, _, err := e.Example(t.Context(), all[len(all)-1].ID); err == nil || !strings.Contains(err.Error(), "textDays") {
		t.Errorf("an example of nothing: %v", err)
	}
	if _, list := ask(t, e, "llm_job_list", args{}); len(list["jobs"].([]any)) != 1 {
		t.Errorf("%v", list)
	}
	if r := e.Tools.Call(t.Context(), call.Request{Tool: "acme_request", Args: []byte("[")}); !r.IsError {
		t.Errorf("%+v", r)
	}
}

// TestRecordIsDescribed: where a gateway serves, as soon as there is a record.
func TestRecordIsDescribed(t *testing.T) {
	e, home := opened(t, fake(t))
	c := connect(t, e, "desk")
	path := filepath.Join(home, ".llm-cli-gateway", "metadata.json")
	if _, err := os.Stat(path); err == nil {
		t.Error("there is nothing to describe yet")
	}
	c.send(`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"acme_request","arguments":{"prompt":"x","do":["out=yes"]}}}`)
	c.recv()
	until(t, "the description", func() bool {
		text, err := os.ReadFile(path)
		return err == nil && strings.Contains(string(text), `"logs": {`)
	})
}
