//go:build unix

package engine_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/llm-cli-gateway/gateway/engine"
	"github.com/llm-cli-gateway/gateway/engine/call"
	"github.com/llm-cli-gateway/gateway/engine/catalog"
	"github.com/llm-cli-gateway/gateway/engine/session"
	"github.com/llm-cli-gateway/gateway/engine/tools"
)

// argumentsOf are values to try of each parameter of a CLI's tools: those that all have,
// and its own.
func argumentsOf(t *testing.T, cli *catalog.CLI) map[string][]any {
	t.Helper()
	values := map[string][]any{}
	for _, name := range []string{"common", cli.Name} {
		text, err := os.ReadFile(filepath.Join("testdata", "requests", name+".json"))
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err == nil {
			err = json.Unmarshal(text, &values)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	values["workingDir"] = []any{t.TempDir()}
	values["sessionId"] = []any{session.NewID()} // each belongs to one CLI
	return values
}

// ask calls a tool with arguments.
func ask(t *testing.T, e *engine.Engine, tool string, args any) (tools.Result, map[string]any) {
	t.Helper()
	text, err := json.Marshal(args)
	if err != nil {
		t.Fatal(err)
	}
	r := e.Tools.Call(t.Context(), call.Request{Tool: tool, Args: text})
	var s map[string]any
	if err := json.Unmarshal(r.Structured, &s); err != nil {
		t.Fatal(err)
	}
	return r, s
}

// TestEveryArgumentIsAccepted tries each value of each parameter alone, all pairs of
// parameters, all at once, and any number of them, with every CLI.
func TestEveryArgumentIsAccepted(t *testing.T) {
	e := populated(t)
	for _, cli := range e.Catalog().CLIs {
		t.Run(cli.Name, func(t *testing.T) {
			values := argumentsOf(t, cli)
			names := slices.Sorted(maps.Keys(values))
			accepts := func(args map[string]any) {
				t.Helper()
				args["prompt"] = "Could you please look?"
				text, err := json.Marshal(args)
				if err == nil {
					_, err = e.Tools.Explain(t.Context(), cli.Tool(), text)
				}
				if err == nil {
					_, err = e.Tools.Explain(t.Context(), cli.AsyncTool(), text)
				}
				if err != nil {
					t.Errorf("%s: %v", text, err)
				}
			}
			whole, nulls := map[string]any{}, map[string]any{}
			for i, name := range names {
				for _, v := range values[name] {
					accepts(map[string]any{name: v})
				}
				for _, other := range names[:i] {
					accepts(map[string]any{name: values[name][0], other: values[other][0]})
				}
				whole[name], nulls[name] = values[name][0], nil
			}
			accepts(whole)
			accepts(nulls)
			chance := rand.New(rand.NewPCG(1, 2))
			for range 120 {
				args := map[string]any{}
				for _, name := range names {
					if chance.IntN(3) > 0 {
						args[name] = values[name][chance.IntN(len(values[name]))]
					}
				}
				accepts(args)
			}
		})
	}
}

// TestEveryArgumentRuns makes calls with each parameter, and with all of them, one that
// waits and one that does not, and is answered.
func TestEveryArgumentRuns(t *testing.T) {
	e := populated(t)
	for _, cli := range e.Catalog().CLIs {
		t.Run(cli.Name, func(t *testing.T) {
			values := argumentsOf(t, cli)
			whole, n := map[string]any{}, 0
			answered := func(args map[string]any, r tools.Result, s map[string]any) {
				t.Helper()
				if r.IsError || s["status"] != "completed" || !strings.Contains(r.Response, "FAKE-REPLY") {
					t.Errorf("%v: %s", args, r.Text)
				}
			}
			run := func(args map[string]any) {
				t.Helper()
				n++
				args["prompt"] = fmt.Sprintf("Could you please look at %d?", n)
				args["forceRefresh"] = true
				r, s := ask(t, e, cli.Tool(), args)
				answered(args, r, s)
			}
			for _, name := range slices.Sorted(maps.Keys(values)) {
				run(map[string]any{name: values[name][0]})
				whole[name] = values[name][0]
			}
			run(whole)
			_, s := ask(t, e, cli.AsyncTool(), whole)
			r, s := ask(t, e, tools.JobResult, map[string]any{"jobId": s["jobId"], "waitMs": 60000})
			answered(whole, r, s)
		})
	}
}

// step is a call of a workflow.
type step struct {
	Tool string
	Args map[string]any
	As   string // name of the session that it makes, for later steps
	In   string // name of the session that it is a turn of
	Job  bool   // later steps are about the job that it starts: {job}
}

// TestWorkflows calls tools one after the other, as the documentation says.
func TestWorkflows(t *testing.T) {
	e := populated(t)
	for pattern, clis := range map[string][]*catalog.CLI{"*.json": {{}}, "each/*.json": e.Catalog().CLIs} {
		files, err := filepath.Glob(filepath.Join("testdata", "workflows", pattern))
		if err != nil || len(files) == 0 {
			t.Fatal("no workflows", err)
		}
		for _, file := range files {
			for _, cli := range clis {
				t.Run(strings.TrimSuffix(filepath.Base(file), ".json")+"/"+cli.Name, func(t *testing.T) { workflow(t, populated(t), file, cli.Name) })
			}
		}
	}
}

func workflow(t *testing.T, e *engine.Engine, file, cli string) {
	text, err := os.ReadFile(file)
	var steps []step
	if err == nil {
		err = json.Unmarshal([]byte(strings.ReplaceAll(string(text), "{cli}", cli)), &steps)
	}
	if err != nil {
		t.Fatal(err)
	}
	known := map[string]string{}
	for _, s := range steps {
		for name, v := range s.Args {
			if v, ok := v.(string); ok && known[v] != "" {
				s.Args[name] = known[v]
			}
		}
		r, got := ask(t, e, s.Tool, s.Args)
		if r.IsError {
			t.Fatalf("%s %v: %s", s.Tool, s.Args, r.Text)
		}
		id, _ := got["sessionId"].(string)
		if s.As != "" {
			known[s.As] = id
		}
		if s.Job {
			known["{job}"], _ = got["jobId"].(string)
		}
		if s.In != "" {
			if _, of := ask(t, e, tools.SessionGet, map[string]any{"sessionId": id}); of["sessionId"] != known[s.In] {
				t.Errorf("%s %v is a turn of %v, want %s", s.Tool, s.Args, of["sessionId"], known[s.In])
			}
		}
	}
}
