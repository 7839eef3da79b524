//go:build linux

package job

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/llm-cli-gateway/gateway/engine/call"
	"github.com/llm-cli-gateway/gateway/engine/host"
	"github.com/llm-cli-gateway/gateway/engine/job/lease"
	"github.com/llm-cli-gateway/gateway/engine/lang"
	"github.com/llm-cli-gateway/gateway/engine/store"
)

// served passes its servers in a file, whose name, mode and text the fake prints.
const served = `argv: ["{mcp}", "{do}"]
	mcp: {words: ["--mode={file}"], file: {name: "mcp.json", body: s: "{servers}", server: {run: "{command}", args: "{args}"}}}
}
mcp: {
	one: {command: "cat", args: ["1"], env: ["ONE_KEY"]}
	two: {command: "cat", args: ["2"]}
	gone: {command: "no-such-program"}
	bare: {command: "cat", env: ["EMPTY_ONE"]}
}
gateway: {`

const oneValue = "value-of-one-0815"

func (b *fixture) serving(servers []string, steps ...string) call.Request {
	b.t.Helper()
	return call.Request{Principal: store.Local, Catalog: b.catalog, Bound: b.bind("hello", map[string]any{"do": steps, "mcpServers": servers}), Dir: b.dir}
}

// TestServersOfOneCall: T24. The file is for one call alone, and holds no value; its
// variables reach the program.
func TestServersOfOneCall(t *testing.T) {
	for _, inProcess := range []bool{false, true} {
		b := newFixture(t, served, "ONE_KEY="+oneValue, "TWO_KEY=x")
		if inProcess {
			b.runner.Executor = newInProcess(b.runner)
		}
		step, open := b.gate()
		job, failure := b.runner.send(t.Context(), b.serving([]string{"one"}, "out= ", "getenv=ONE_KEY", step))
		if failure != nil {
			t.Fatal(failure)
		}
		held := 0
		err := filepath.WalkDir(b.home, func(path string, e os.DirEntry, err error) error {
			if err != nil || e.IsDir() || !e.Type().IsRegular() || strings.Contains(path, "stdout") {
				return err
			}
			text, err := os.ReadFile(path)
			if strings.Contains(string(text), `"args":["1"]`) {
				held++
			}
			if strings.Contains(string(text), oneValue) {
				t.Errorf("%s holds the value", path)
			}
			return err
		})
		if err != nil || held == 0 {
			t.Errorf("%d files have the definition: %v", held, err)
		}
		open()
		end := b.await(job.Row.ID)
		cat, err := b.runner.Host.Find("cat")
		if err != nil {
			t.Fatal(err)
		}
		want := fmt.Sprintf("mcp.json 0600 {\"s\":{\"one\":{\"args\":[\"1\"],\"run\":%q}}}\n [ONE_KEY]", cat)
		if end.Row.Outcome.Response != want {
			t.Errorf("got  %q\nwant %q, %+v", end.Row.Outcome.Response, want, end.Row.Outcome)
		}
		if e := end.Equipment(); e == nil || strings.Join(e.Enabled, " ") != "one" || len(e.Missing) > 0 {
			t.Errorf("on record: %s", end.Row.Args)
		}
		if left, _ := filepath.Glob(filepath.Join(b.runner.Spool, lease.FilesPrefix+"*")); len(left) > 0 {
			t.Errorf("left in the spool: %q", left)
		}
	}
}

// TestServersAtOnce: calls at the same time see their own file.
func TestServersAtOnce(t *testing.T) {
	b := newFixture(t, served, "ONE_KEY="+oneValue)
	var wg sync.WaitGroup
	for i := range 20 {
		name, mark := "one", `"1"`
		if i%2 == 0 {
			name, mark = "two", `"2"`
		}
		req := b.serving([]string{name})
		wg.Go(func() {
			out := b.runner.Run(t.Context(), req)
			if text := out.Answer.Text; strings.Count(text, `"args"`) != 1 || !strings.Contains(text, mark) {
				t.Errorf("%s: %q %v", name, text, out.Answer.Failure)
			}
		})
	}
	wg.Wait()
}

// TestServersThatAreMissing leaves no row and no file.
func TestServersThatAreMissing(t *testing.T) {
	b := newFixture(t, served, "ONE_KEY="+oneValue, "EMPTY_ONE=")
	for name, why := range map[string]string{"gone": "was not found", "bare": "EMPTY_ONE", "nobody": "no MCP server of that name"} {
		job, failure := b.runner.send(t.Context(), b.serving([]string{name, "two"}))
		if failure == nil || failure.Class != lang.ClassUsage || !strings.Contains(failure.Message, why) || job.Row.ID != "" {
			t.Errorf("%s: %+v %v", name, job, failure)
		}
	}
	if jobs, err := b.store.Jobs(t.Context(), store.Filter{Principal: store.Local}); err != nil || len(jobs) > 0 {
		t.Errorf("%d rows, %v", len(jobs), err)
	}
	if entries, _ := os.ReadDir(b.runner.Jobs); len(entries) > 0 {
		t.Errorf("%d directories", len(entries))
	}
	req := b.serving([]string{"gone", "two"})
	req.Bound = b.bind("hello", map[string]any{"mcpServers": []string{"gone", "two"}, "strictMcpConfig": false})
	out := b.runner.Run(t.Context(), req)
	if class(out) != "" || !strings.Contains(out.Answer.Text, `"2"`) || len(req.Bound.Servers().Notes()) != 1 {
		t.Errorf("%+v", out)
	}
}

// TestServersMakeCallsDiffer: what joins has the same servers with the same definitions
// and variables.
func TestServersMakeCallsDiffer(t *testing.T) {
	b := joining(t, served, "ONE_KEY="+oneValue)
	submit := func(r *Runner, req call.Request) call.Job {
		t.Helper()
		job, failure := r.send(t.Context(), req)
		if failure != nil {
			t.Fatal(failure)
		}
		if !job.Joined {
			b.await(job.Row.ID)
		}
		return job
	}
	first := submit(b.runner, b.serving([]string{"one", "two"}))
	if again := submit(b.runner, b.serving([]string{"two", "one", "two"})); !again.Joined || again.Row.ID != first.Row.ID {
		t.Errorf("the same servers: %+v", again)
	}
	for what, servers := range map[string][]string{"one of them": {"one"}, "the other": {"two"}, "none": {}} {
		if other := submit(b.runner, b.serving(servers)); other.Joined {
			t.Errorf("%s: joined", what)
		}
	}
	value := b.runner.Host
	b.runner.Host = host.New([]string{"HOME=" + b.home, "PATH=" + os.Getenv("PATH"), "ONE_KEY=another-value"}, nil, "")
	if other := submit(b.runner, b.serving([]string{"one", "two"})); other.Joined {
		t.Error("another value of a variable: joined")
	}
	b.runner.Host = value
	changed, err := json.Marshal(b.catalog.Servers)
	if err != nil {
		t.Fatal(err)
	}
	catalog := *b.catalog
	if err := json.Unmarshal([]byte(strings.Replace(string(changed), `["1"]`, `["x"]`, 1)), &catalog.Servers); err != nil {
		t.Fatal(err)
	}
	req := b.serving([]string{"one", "two"})
	req.Catalog = &catalog
	if other := submit(b.runner, req); other.Joined {
		t.Error("another definition: joined")
	}
}

// TestServerSecretsFoundByAnother: a gateway that finishes the row of another takes out
// what the servers of the call may have printed.
func TestServerSecretsFoundByAnother(t *testing.T) {
	b := newFixture(t, served, "ONE_KEY="+oneValue)
	row := store.Job{Principal: store.Local, ID: store.NewID(), CLI: "acme"}
	secrets, known := b.runner.secretsOf(row)
	if got := secrets.Redact("it is " + oneValue); !known || got != "it is [ONE_KEY]" {
		t.Errorf("%q, %v", got, known)
	}
}
