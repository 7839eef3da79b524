package engine_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/llm-cli-gateway/gateway/engine/store"
	"github.com/llm-cli-gateway/gateway/engine/store/sqlite"
)

// call calls the tool that waits, and returns the structured result.
func (p *gatewayProcess) call(do ...string) map[string]any {
	p.t.Helper()
	m := p.ask("tools/call", fmt.Sprintf(`{"name":"acme_request","arguments":%s}`, steps(p.t, do...)))
	return m.Result.StructuredContent
}

// joining are specs under which equal calls join.
func joining(t *testing.T) string { return fake(t) + "\ngateway: jobs: dedupMs: 3600000" }

// TestTwelveGatewaysAskTheSame: T16. Processes that all begin at once, with nothing in
// their home, make one run of the same call, and every one of them has the answer.
func TestTwelveGatewaysAskTheSame(t *testing.T) {
	const gateways, keys = 12, 4
	home := t.TempDir()
	specs := folder(t, t.TempDir(), "acme.cue", joining(t))
	var all []*gatewayProcess
	for range gateways {
		all = append(all, startGateway(t, home, specs))
	}
	runs := t.TempDir()
	var mu sync.Mutex
	ids := make([]map[any]int, keys)
	var wg sync.WaitGroup
	for i, p := range all {
		wg.Go(func() {
			for n := range keys {
				key := (i + n) % keys
				got := p.call(fmt.Sprintf("touch=%s/%d-", runs, key), fmt.Sprintf("out=answer %d", key))
				mu.Lock()
				if got["status"] != "completed" || got["response"] != fmt.Sprintf("answer %d", key) {
					t.Errorf("%v", got)
				}
				if ids[key] == nil {
					ids[key] = map[any]int{}
				}
				ids[key][got["jobId"]]++
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	records, err := sqlite.Open(filepath.Join(home, ".llm-cli-gateway", "logs.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer records.Close()
	for key := range keys {
		if len(ids[key]) != 1 {
			t.Errorf("call %d: %d jobs", key, len(ids[key]))
		}
		for id := range ids[key] {
			if joins, err := records.Joins(t.Context(), store.Local, id.(string), 0); err != nil || len(joins) != gateways-1 {
				t.Errorf("call %d: %d calls joined, %v", key, len(joins), err)
			}
		}
	}
	for what, folder := range map[string]string{"runs": runs, "directories": filepath.Join(home, ".llm-cli-gateway", "jobs")} {
		if entries, err := os.ReadDir(folder); err != nil || len(entries) != keys {
			t.Errorf("%d %s for %d calls, %v", len(entries), what, keys, err)
		}
	}
}

// TestCallsGoOnWithoutTheirClient: a call that is waited for is answered with its job
// when the client closes its end, or the gateway gets a signal; and it goes on.
func TestCallsGoOnWithoutTheirClient(t *testing.T) {
	for name, end := range map[string]func(p *gatewayProcess) error{
		"end of input": func(p *gatewayProcess) error { return p.in.Close() },
		"SIGTERM":      func(p *gatewayProcess) error { return p.cmd.Process.Signal(syscall.SIGTERM) },
		"its client gives up": func(p *gatewayProcess) error {
			_, err := fmt.Fprintln(p.in, `{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1,"reason":"McpError: MCP error -32001: Request timed out"}}`)
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			e, home := opened(t, fake(t))
			p := startGateway(t, home, folder(t, t.TempDir(), "acme.cue", fake(t)+"\ngateway: jobs: detachOn: [\"timed out\"]"))
			gate := filepath.Join(home, "gate")
			if err := syscall.Mkfifo(gate, 0o600); err != nil {
				t.Fatal(err)
			}
			begun := filepath.Join(home, "begun")
			if _, err := fmt.Fprintf(p.in, `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"acme_request","arguments":%s}}`+"\n",
				steps(t, "out=the ", "pid="+begun, "await="+gate, "out=answer")); err != nil {
				t.Fatal(err)
			}
			until(t, "the program", func() bool { return pidIn(begun) > 0 })
			if err := end(p); err != nil {
				t.Fatal(err)
			}
			records, err := e.Record()
			if err != nil {
				t.Fatal(err)
			}
			rows, err := records.Jobs(t.Context(), store.Filter{Principal: store.Local})
			if err != nil || len(rows) != 1 {
				t.Fatalf("%v %v", rows, err)
			}
			if name != "its client gives up" {
				var m message
				if !p.lines.Scan() || json.Unmarshal(p.lines.Bytes(), &m) != nil {
					t.Fatalf("no answer: %v", p.lines.Err())
				}
				if got := m.Result.StructuredContent; m.Result.IsError || got["status"] != "running" || got["jobId"] != rows[0].ID || got["durable"] != true {
					t.Errorf("%+v", m.Result)
				}
				p.cmd.Wait()
			}
			writer, err := os.OpenFile(gate, os.O_WRONLY, 0)
			if err != nil {
				t.Fatal(err)
			}
			writer.Close()
			if s := jobTold(t, e, "llm_job_result", rows[0].ID, `,"waitMs":30000`); s["status"] != "completed" || s["response"] != "the answer" {
				t.Errorf("%v", s)
			}
		})
	}
}

// TestGatewaysAreKilledAtRandom: T28. Of calls whose gateways are killed at any moment
// each that is on record as answered ran once, each that ran is on record, and no
// process is left.
func TestGatewaysAreKilledAtRandom(t *testing.T) {
	rounds := 50
	if testing.Short() {
		rounds = 10
	}
	e, home := opened(t, joining(t))
	specs := folder(t, t.TempDir(), "acme.cue", joining(t))
	runs := t.TempDir()
	for round := range rounds {
		p := startGateway(t, home, specs)
		// The moment is what is random; nothing is expected of it.
		timer := time.AfterFunc(rand.N(60*time.Millisecond), func() { p.cmd.Process.Kill() })
		for n := range 3 {
			if _, err := fmt.Fprintf(p.in, `{"jsonrpc":"2.0","id":%d,"method":"tools/call","params":{"name":"acme_request_async","arguments":%s}}`+"\n",
				n+2, steps(t, fmt.Sprintf("touch=%s/%d-%d-", runs, round, n), "out=done")); err != nil {
				break // it is gone
			}
		}
		p.cmd.Wait()
		timer.Stop()
	}
	startGateway(t, home, specs).submit(fmt.Sprintf("touch=%s/last-0-", runs), "out=done") // nobody kills this one
	records, err := e.Record()
	if err != nil {
		t.Fatal(err)
	}
	var rows []store.Job
	until(t, "the end of all", func() bool {
		if err := e.Tools.Runner.Reconcile(t.Context()); err != nil {
			t.Fatal(err)
		}
		if rows, err = records.Jobs(t.Context(), store.Filter{Principal: store.Local, Limit: 500}); err != nil {
			t.Fatal(err)
		}
		for _, row := range rows {
			if row.State != store.Done {
				return false
			}
		}
		return true
	})
	ran := map[string]int{}
	entries, err := os.ReadDir(runs)
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		ran[entry.Name()[:strings.LastIndex(entry.Name(), "-")]]++
	}
	answered := 0
	for _, row := range rows {
		var args struct{ Do []string }
		if err := json.Unmarshal(row.Args, &args); err != nil {
			t.Fatal(err)
		}
		what := strings.TrimSuffix(filepath.Base(args.Do[0]), "-")
		switch row.Outcome.Ending {
		case store.EndOK:
			answered++
			if row.Outcome.Response != "done" || ran[what] != 1 {
				t.Errorf("%s answered %q and ran %d times", what, row.Outcome.Response, ran[what])
			}
			delete(ran, what)
		case store.EndStartFailed:
			if ran[what] != 0 {
				t.Errorf("%s did not start and ran %d times", what, ran[what])
			}
		default:
			t.Errorf("%s: %+v", what, row.Outcome)
		}
	}
	if len(ran) > 0 {
		t.Errorf("ran and not on record as answered: %v", ran)
	}
	t.Logf("%d rows, %d answered", len(rows), answered)
	if answered == 0 {
		t.Error("not even the last call was answered")
	}
}
