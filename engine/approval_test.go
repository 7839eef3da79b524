package engine_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/llm-cli-gateway/gateway/engine"
	"github.com/llm-cli-gateway/gateway/engine/catalog"
	"github.com/llm-cli-gateway/gateway/engine/policy"
)

// ways to ask for approval: none of them may change what is run.
var ways = []map[string]any{
	{}, {"approvalStrategy": "legacy"}, {"approvalStrategy": "mcp_managed"},
	{"approvalPolicy": "strict"}, {"approvalPolicy": "balanced"}, {"approvalPolicy": "permissive"},
	{"approvalStrategy": "mcp_managed", "approvalPolicy": "strict"}, {"approvalStrategy": "legacy", "approvalPolicy": "permissive"},
}

var loosest = map[policy.Verdict]int{policy.Deny: 0, policy.Human: 1, policy.Approve: 2}

// checkApproval binds a call in every way and holds that its command is the same, and
// that no policy says less than a stricter one. It reports whether the call can be bound.
func checkApproval(t testing.TB, cat *catalog.Catalog, cli *catalog.CLI, args map[string]any) bool {
	t.Helper()
	first := ""
	for _, way := range ways {
		all := map[string]any{}
		for _, part := range []map[string]any{args, way} {
			for name, v := range part {
				all[name] = v
			}
		}
		raw, err := json.Marshal(all)
		if err != nil {
			t.Fatal(err)
		}
		call, violations := cli.Bind(raw, nil, func() string { return "00000000-0000-4000-8000-000000000000" })
		if violations != nil {
			if first != "" {
				t.Errorf("%s %s: refused because of how approval is asked for: %v", cli.Name, raw, violations)
			}
			return false
		}
		decision := policy.Decide(cat.Approval, cat.Settings.Approvals, cat.Question(call))
		command, violations := call.Command("/private/prompt")
		stdin := ""
		if command.Stdin != nil {
			stdin = *command.Stdin
		}
		shown := fmt.Sprintf("%q %q %q %v", command.Args, stdin, command.Env, violations)
		if first == "" {
			first = shown
		} else if shown != first {
			t.Errorf("%s %s\nruns    %s\ninstead %s", cli.Name, raw, shown, first)
		}
		if decision.Strategy == policy.Legacy && decision.Verdict != policy.Approve {
			t.Errorf("%s %s: legacy says %s", cli.Name, raw, decision.Verdict)
		}
		last := 0
		for _, d := range policy.Each(cat.Approval, cat.Settings.Approvals, cat.Question(call))[1:] {
			if loosest[d.Verdict] < last {
				t.Errorf("%s %s: %s says %s, a stricter policy says more", cli.Name, raw, d.Policy, d.Verdict)
			}
			last = loosest[d.Verdict]
			if d.Policy == decision.Policy && d.Verdict != decision.Verdict {
				t.Errorf("%s %s: %s, but %s is decided", cli.Name, raw, d.Verdict, decision.Verdict)
			}
		}
	}
	return true
}

// riskyPrompt is one about which rules for all CLIs have an opinion.
const riskyPrompt = "delete the passwords"

// TestApprovalChangesNothing goes through the parameters of every CLI that matter for
// risk, in all combinations: dangerous ones, and those that rules name, with each of
// their values.
func TestApprovalChangesNothing(t *testing.T) {
	catalog := builtIn(t).Catalog
	names := []string{}
	for _, p := range catalog.Approval.Policies {
		names = append(names, p.Name)
	}
	if !slices.Equal(names, []string{"strict", "balanced", "permissive"}) {
		t.Fatalf("policies: %q", names)
	}
	for _, cli := range catalog.CLIs {
		sets := []map[string]any{{"prompt": "hi"}, {"prompt": riskyPrompt}}
		risky := ""
		for _, r := range cli.Risk {
			risky += " " + r.When
		}
		for _, p := range cli.Params() {
			if p.Danger.IsZero() && !strings.Contains(risky, p.Name) || p.Name == "prompt" {
				continue
			}
			sets = cross(sets, p.Name, valuesOf(p))
		}
		bound := 0
		for _, args := range sets {
			if checkApproval(t, catalog, cli, args) {
				bound++
			}
		}
		if bound < min(4, len(sets)) {
			t.Errorf("%s: only %d of %d calls could be bound", cli.Name, bound, len(sets))
		}
	}
}

// valuesOf are values that differ in risk.
func valuesOf(p *catalog.Param) (values []any) {
	switch {
	case p.Kind == catalog.Bool:
		return []any{true, false}
	case len(p.Enum) > 0:
		for _, v := range p.Enum {
			values = append(values, v)
		}
		return values
	case p.Kind == catalog.List:
		return []any{[]string{}, []string{"Read"}, []string{"Bash(git *)", "Write"}, []string{"run_shell_command", "shell(git:*)", "write"}}
	}
	return []any{"x"}
}

func cross(sets []map[string]any, name string, values []any) []map[string]any {
	out := slices.Clone(sets)
	for _, set := range sets {
		for _, v := range values {
			with := map[string]any{name: v}
			for k, old := range set {
				with[k] = old
			}
			out = append(out, with)
		}
	}
	return out
}

// TestBypassIsNeverApprovedByStrict holds what the built-in policies are for: each way
// in which a spec lets its CLI act unasked counts.
func TestBypassIsNeverApprovedByStrict(t *testing.T) {
	catalog := builtIn(t).Catalog
	for _, cli := range catalog.CLIs {
		for _, p := range cli.Params() {
			values := []any{}
			for _, v := range p.Danger.Values {
				values = append(values, v)
			}
			if p.Danger.All {
				values = append(values, true)
			}
			for _, v := range values {
				raw, _ := json.Marshal(map[string]any{"prompt": "hi", p.Name: v})
				call, violations := cli.Bind(raw, nil, func() string { return "00000000-0000-4000-8000-000000000000" })
				if violations != nil {
					t.Fatal(violations)
				}
				if each := policy.Each(catalog.Approval, catalog.Settings.Approvals, catalog.Question(call)); each[1].Verdict == policy.Approve || !slices.Equal(call.DangersGiven(), []string{p.Name}) {
					t.Errorf("%s %s: %+v, dared %q", cli.Name, raw, each, call.DangersGiven())
				}
			}
		}
		plain, _ := cli.Bind(json.RawMessage(`{"prompt": "tell me about passwords"}`), nil, func() string { return "00000000-0000-4000-8000-000000000000" })
		each := policy.Each(catalog.Approval, catalog.Settings.Approvals, catalog.Question(plain))
		if cli.Unverified != "" { // nobody knows whether it only reads
			if each[1].Verdict == policy.Approve {
				t.Errorf("%s: unverified, and %+v", cli.Name, each[1])
			}
			continue
		}
		for _, d := range each {
			if d.Verdict != policy.Approve || d.Score != 0 {
				t.Errorf("%s: a call that only reads: %+v", cli.Name, d)
			}
		}
	}
}

// FuzzApproval holds the same of arguments of any kind.
func FuzzApproval(f *testing.F) {
	f.Setenv("HOME", f.TempDir()) // no specs but the built-in ones
	catalog := engine.Load(f.Context(), nil, nil, false).Catalog
	f.Add(uint8(0), "hi", `{"allowedTools":["Bash(rm *)"],"dangerouslySkipPermissions":true}`)
	f.Add(uint8(1), riskyPrompt, `{"fullAuto":true,"addDirs":["/"]}`)
	f.Add(uint8(3), "x", `{"approvalMode":"yolo","sessionId":"abc"}`)
	f.Add(uint8(4), "x", `{"permissionMode":"bypassPermissions","continueSession":true,"model":"fast"}`)
	f.Fuzz(func(t *testing.T, which uint8, prompt, more string) {
		args := map[string]any{}
		if json.Unmarshal([]byte(more), &args) != nil || args == nil {
			return
		}
		args["prompt"] = prompt
		delete(args, "approvalStrategy")
		delete(args, "approvalPolicy")
		checkApproval(t, catalog, catalog.CLIs[int(which)%len(catalog.CLIs)], args)
	})
}
