package tools

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/llm-cli-gateway/gateway/engine/call"
	"github.com/llm-cli-gateway/gateway/engine/job"
	"github.com/llm-cli-gateway/gateway/engine/store"
)

// newUpgradable is a machine whose nova becomes what it is told to, unless that is 9.9,
// and waits where it is told to hang.
func newUpgradable(t *testing.T) *Tools {
	t.Helper()
	tools := newRanged(t, "1.4")
	path, err := tools.Runner.Host.Find("nova")
	if err != nil {
		t.Fatal(err)
	}
	script := `#!/bin/sh
case "$*" in
-V) echo "nova $(cat "$0.version")";;
"update --to=9.9") echo "no such version" >&2; exit 3;;
"update --to="*) echo "fetching"; echo "${2#--to=}" > "$0.version"; touch "$0";;
*) exec sleep 1000;;
esac
`
	for file, text := range map[string]string{path: script, path + ".version": "1.4"} {
		if err := os.WriteFile(file, []byte(text), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	tools.Runner.Current = tools.Catalog
	return tools
}

func TestCLIUpgradeIsRun(t *testing.T) {
	tools := newUpgradable(t)
	var said []string
	r := tools.Call(t.Context(), call.Request{Tool: CLIUpgrade, Args: []byte(`{"cli":"nova","target":"3.0","dryRun":false}`), Interaction: call.Interaction{Progress: func(m string) { said = append(said, m) }}})
	got := conforms(t, CLIUpgradeTool.Output, r)
	if r.IsError || got["status"] != "completed" || got["before"] != "1.4" || got["installed"] != "3.0" || got["dryRun"] != false || len(said) == 0 ||
		r.Text[0] != "nova is now in version 3.0; it was 1.4." && r.Text[0] != "Nova is now in version 3.0; it was 1.4." {
		t.Errorf("%q %s %q", r.Text, r.Structured, said)
	}
	id := got["jobId"].(string)
	if r := tools.call(t, JobResult, fmt.Sprintf(`{"jobId":%q}`, id)); !strings.Contains(r.Response, "fetching") {
		t.Errorf("%q", r.Text)
	}
	r = tools.call(t, CLIUpgrade, `{"cli":"nova","target":"9.9","dryRun":false}`)
	if got := conforms(t, CLIUpgradeTool.Output, r); !r.IsError || got["status"] != "failed" || !strings.Contains(r.Text[0], "exit code 3; its last output: no such version") || !strings.Contains(r.Text[0], "nova update --to=9.9") {
		t.Errorf("%q", r.Text)
	}
	r = tools.call(t, CLIUpgrade, `{"cli":"nova","dryRun":false,"timeoutMs":1000}`)
	if !r.IsError || !strings.Contains(r.Text[0], "wall_timeout") {
		t.Errorf("%q", r.Text)
	}
	if rows, err := tools.Runner.List(t.Context(), job.Filter{Principal: store.Local, CLI: "nova"}); err != nil || len(rows) != 3 || rows[2].Row.Tool != CLIUpgrade {
		t.Errorf("%+v %v", rows, err)
	}
	if version, _ := os.ReadFile(filepath.Join(filepath.Dir(must(tools.Runner.Host.Find("nova"))), "nova.version")); strings.TrimSpace(string(version)) != "3.0" {
		t.Errorf("%s", version)
	}
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// TestNoUpgradeWhileJobsRun: unless that is what is wanted.
func TestNoUpgradeWhileJobsRun(t *testing.T) {
	tools := newUpgradable(t)
	r, got := tools.ask(t, "nova_request_async", `{"prompt":"x"}`)
	id, _ := got["jobId"].(string)
	if r.IsError || got["status"] != "running" {
		t.Fatalf("%q", r.Text)
	}
	r = tools.call(t, CLIUpgrade, `{"cli":"nova","target":"3.0","dryRun":false}`)
	if got := conforms(t, CLIUpgradeTool.Output, r); !r.IsError || got["status"] != "failed" || !strings.Contains(r.Text[0], id) || !strings.Contains(r.Text[0], "force: true") {
		t.Errorf("%q", r.Text)
	}
	r = tools.call(t, CLIUpgrade, `{"cli":"nova","target":"3.0","dryRun":false,"force":true}`)
	if got := conforms(t, CLIUpgradeTool.Output, r); r.IsError || got["installed"] != "3.0" {
		t.Errorf("%q", r.Text)
	}
	tools.call(t, JobCancel, fmt.Sprintf(`{"jobId":%q}`, id))
}
