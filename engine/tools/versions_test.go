//go:build unix

package tools

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/llm-cli-gateway/gateway/engine/catalog"
	"github.com/llm-cli-gateway/gateway/engine/installed"
	"github.com/llm-cli-gateway/gateway/engine/job"
	"github.com/llm-cli-gateway/gateway/engine/lang/load"
	"github.com/llm-cli-gateway/gateway/engine/lang/specfiles"
	"github.com/llm-cli-gateway/gateway/engine/store"
)

// ranged is a CLI of which nearly everything depends on the version.
const ranged = `
cli: nova: {bin: "nova", title: "Nova", install: "get nova", argv: ["{params}"], version: {argv: ["-V"], match: #"^nova (\S+)$"#}
	params: {
		fresh: {doc: "Fresh", flag: "--fresh", since: "2.0"}
		soft: {doc: "Soft", flag: "--soft", since: "2.0", otherwise: "drop"}
		depth: {doc: "Depth", flag: "--depth"}
	}
	versions: "<1.5": params: depth: flag: "--deep"
	login: {env: ["NOVA_KEY"], hint: "nova login"}
	env: pass: ["NOVA_*"]
	upgrade: {latest: ["update"], target: ["update", "--to={target}"]}}
cli: gone: {bin: "no-such-program", title: "Gone", install: "get gone", argv: [], upgrade: target: {bin: "nova", argv: ["get", "gone@{target}"]}}
gateway: env: pass: ["PATH", "HOME"]
`

// newRanged is a machine on which nova has a version and otherwise prints its words.
func newRanged(t *testing.T, installed string) *Tools {
	t.Helper()
	bin := t.TempDir()
	tools := newTools(t, "PATH="+bin+":"+os.Getenv("PATH"), "NOVA_KEY=s3cret")
	res := load.Load([]load.Layer{{Name: "test", Files: []specfiles.File{{Name: "a.cue", Data: []byte(ranged)}}}}, load.Options{})
	if res.Catalog == nil {
		t.Fatal(res.Diagnostics)
	}
	tools.Catalog = func() *catalog.Catalog { return res.Catalog }
	script := fmt.Sprintf("#!/bin/sh\nif test \"$*\" = -V; then echo 'nova %s'; else echo \"words: $*\"; fi\n", installed)
	if err := os.WriteFile(filepath.Join(bin, "nova"), []byte(script), 0o700); err != nil {
		t.Fatal(err)
	}
	return tools
}

func TestCallsFollowTheInstalledVersion(t *testing.T) {
	for _, c := range []struct{ installed, args, want string }{
		{"2.3.4", `"fresh":"f","soft":"s","depth":"d"`, "words: --fresh=f --soft=s --depth=d"},
		{"1.9", `"soft":"s","depth":"d"`, "words: --depth=d|soft was left out: it needs Nova 2.0 or newer; installed is 1.9"},
		{"1.4", `"depth":"d"`, "words: --deep=d"},
		{"1.4", `"fresh":"f"`, "fresh: needs Nova 2.0 or newer; installed is 1.4"},
		{"devel", `"fresh":"f","depth":"d"`, "words: --fresh=f --depth=d"},
	} {
		tools := newRanged(t, c.installed)
		args := `{"prompt":"x",` + c.args + "}"
		r := tools.call(t, "nova_request", args)
		for _, want := range strings.Split(c.want, "|") {
			if text := strings.Join(r.Text, "\n"); !strings.Contains(text, want) {
				t.Errorf("%s %s:\n%s, want\n%s", c.installed, c.args, text, want)
			}
		}
		if jobs, err := tools.Runner.List(t.Context(), job.Filter{Principal: store.Local, Limit: 1}); !r.IsError && (err != nil || jobs[0].Row.CLIVersion != strings.TrimPrefix(c.installed, "devel")) {
			t.Errorf("%s: recorded as %+v, %v", c.installed, jobs, err)
		}
		x, err := tools.Explain(t.Context(), "nova_request", json.RawMessage(args))
		switch {
		case r.IsError:
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("explained: %v", err)
			}
		case err != nil || !strings.Contains(c.want, strings.Join(x.Argv, " ")) || (len(x.Warnings) > 0) != strings.Contains(c.want, "left out"):
			t.Errorf("explained: %+v, %v", x, err)
		case c.installed != "devel" && x.Version != c.installed:
			t.Errorf("explained for %q", x.Version)
		}
	}
}

// TestWhatWasLeftOutIsSaid also where another call had the same answer before.
func TestWhatWasLeftOutIsSaid(t *testing.T) {
	tools := newRanged(t, "1.9")
	for i, c := range []struct{ tool, args string }{
		{"nova_request", `{"prompt":"x"}`}, {"nova_request", `{"prompt":"x","soft":"s"}`}, {"nova_request_async", `{"prompt":"x","soft":"s"}`},
	} {
		r := tools.call(t, c.tool, c.args)
		if text := strings.Join(r.Text, "\n"); r.IsError || strings.Contains(text, "Warning: soft was left out: it needs Nova 2.0") != (i > 0) {
			t.Errorf("%s %s: %q", c.tool, c.args, r.Text)
		}
	}
}

func TestCLIVersions(t *testing.T) {
	tools := newRanged(t, "1.4")
	r := tools.call(t, CLIVersions, `{}`)
	conforms(t, CLIVersionsTool.Output, r)
	for _, want := range []string{"Nova (nova) 1.4 at /", "; login: variable NOVA_KEY\n", "Gone (gone) is not installed\n  Hint: install it: get gone; or set cli.gone.bin", "\nPrograms that are not installed were looked for in /"} {
		if !strings.Contains(r.Text[0], want) {
			t.Errorf("%q lacks %q", r.Text[0], want)
		}
	}
	var got struct{ CLIs []installed.State }
	if err := json.Unmarshal(r.Structured, &got); err != nil || r.IsError || !r.Bare || len(got.CLIs) != 2 {
		t.Fatalf("%v: %s", err, r.Structured)
	}
	if nova := got.CLIs[0]; nova.CLI != "nova" || nova.Version != "1.4" || nova.Matches == nil || !*nova.Matches || fmt.Sprint(nova.Changes) != "[<1.5]" || nova.Problem != "" {
		t.Errorf("%+v", nova)
	}
	if strings.Contains(string(r.Structured)+r.Text[0], "s3cret") {
		t.Error("a key is shown")
	}
	if r := tools.call(t, CLIVersions, `{"cli":"nova"}`); strings.Contains(string(r.Structured), "gone") || !strings.Contains(r.Text[0], "1.4") {
		t.Errorf("one: %s", r.Structured)
	}
	for args, want := range map[string]string{
		`{"cli":"novva"}`:  `there is no CLI "novva" (did you mean "nova"?)`,
		`{"cli":"x"}`:      `there is no CLI "x"; there are nova, gone`,
		`{"clis":["x"]}`:   `did you mean "cli"`,
		`{"cli":["nova"]}`: "must be a string",
	} {
		if r := tools.call(t, CLIVersions, args); !r.IsError || !strings.Contains(r.Text[0], want) {
			t.Errorf("%s: %q", args, r.Text)
		}
	}
	tools = newRanged(t, "1.4\nof another kind")
	if r := tools.call(t, CLIVersions, `{"cli":"nova"}`); !strings.Contains(r.Text[0], "Nova (nova) 1.4 at ") {
		t.Errorf("%q", r.Text)
	}
	tools = newRanged(t, "of another kind")
	if r := tools.call(t, CLIVersions, `{"cli":"nova"}`); !strings.Contains(r.Text[0], "version unknown, at ") || !strings.Contains(r.Text[0], "\n  Problem: it answers") {
		t.Errorf("%q", r.Text)
	}
}

func TestCLIUpgradeIsPlanned(t *testing.T) {
	tools := newRanged(t, "1.4")
	for args, want := range map[string]string{
		`{"cli":"nova"}`: "nova update",
		`{"cli":"nova","target":"latest","dryRun":true}`:   "nova update",
		`{"cli":"nova","target":"2.0.1","dryRun":null}`:    "nova update --to=2.0.1",
		`{"cli":"nova","target":"beta","timeoutMs":60000}`: "nova update --to=beta",
		`{"cli":"gone","force":true}`:                      "nova get gone@latest",
	} {
		r := tools.call(t, CLIUpgrade, args)
		got := conforms(t, CLIUpgradeTool.Output, r)
		if r.IsError || !strings.Contains(r.Text[0], "\n  "+want) || got["status"] != "planned" || got["dryRun"] != true || fmt.Sprint(got["command"]) != "["+want+"]" {
			t.Errorf("%s: %q %s", args, r.Text, r.Structured)
		}
	}
	for args, want := range map[string]string{
		`{}`:                                         "cli: missing required parameter",
		`{"cli":"nowa"}`:                             `did you mean "nova"`,
		`{"cli":"nova","target":"--force"}`:          `target: must be "latest"`,
		`{"cli":"nova","target":"../../x"}`:          `target: must be "latest"`,
		`{"cli":"nova","target":" -"}`:               `target: must be "latest"`,
		`{"cli":"nova","target":[7]}`:                "target: must be a string",
		`{"cli":"nova","dryRun":"no"}`:               "dryRun: must be true or false",
		`{"cli":"nova","timeoutMs":1}`:               "timeoutMs: must be",
		`{"cli":"nova","target":"a","dryrunn":true}`: `did you mean "dryRun"`,
	} {
		r := tools.call(t, CLIUpgrade, args)
		if conforms(t, CLIUpgradeTool.Output, r)["status"] != "failed" || !r.IsError || !strings.Contains(r.Text[0], want) {
			t.Errorf("%s: %q", args, r.Text)
		}
	}
	// What does not answer as its spec says is shown, and not run.
	tools = newRanged(t, "of another kind")
	if r := tools.call(t, CLIUpgrade, `{"cli":"nova"}`); r.IsError || !strings.Contains(r.Text[0], "It cannot be run now: it answers") {
		t.Errorf("%q", r.Text)
	}
	if r := tools.call(t, CLIUpgrade, `{"cli":"nova","dryRun":false}`); !r.IsError || !strings.HasPrefix(r.Text[0], "it answers") {
		t.Errorf("%q", r.Text)
	}
}
