//go:build unix

package tools

import (
	"strings"
	"testing"

	"github.com/llm-cli-gateway/gateway/engine/call"
	"github.com/llm-cli-gateway/gateway/engine/lang"
)

// TestChangesAreDecided: what a built-in tool would change is for the policies to decide, like
// a call; a look, and a plan, are not.
func TestChangesAreDecided(t *testing.T) {
	const strict = `policy: narrow: {approve: 10, ask: 20}
		risk: {edits: {when: "access == 'edit'", score: 15}, all: {when: "access == 'full'", score: 50}}
		gateway: approvals: {policy: "narrow", enforce: true}`
	for _, c := range []struct{ specs, tool, args, want string }{
		{strict, SessionClear, `{}`, "a person has to decide about it"},
		{strict, SessionDelete, `{"sessionId":"x"}`, "a person has to decide about it"},
		{strict, CLIUpgrade, `{"cli":"acme","dryRun":false}`, "the policy narrow denies a call of score 50"},
		{strict, CLIUpgrade, `{"cli":"none"}`, ""},
		{`gateway: approvals: danger: "deny"`, SessionClear, `{}`, "gateway.approvals.danger denies " + SessionClear},
		{`gateway: approvals: ceiling: "read"`, SessionClear, `{}`, `errorClass=denied`},
		{`gateway: approvals: ceiling: "read"`, SessionClear, `{}`, `may have at most "read"`},
		{``, CLIUpgrade, `{"cli":"none","dryRun":false}`, ""},
	} {
		d := newApprovalFixture(t, c.specs)
		before := len(d.decisions(t))
		r := d.Call(t.Context(), call.Request{Tool: c.tool, Args: []byte(c.args)})
		text := strings.Join(r.Text, "\n")
		denied := strings.Contains(text, "errorClass="+lang.ClassDenied) || strings.Contains(text, "errorClass="+lang.ClassNested)
		if denied != (c.want != "") || !strings.Contains(text, c.want) {
			t.Errorf("%s %s: %s, want %q", c.tool, c.args, text, c.want)
		}
		recorded := len(d.decisions(t)) - before
		if want := denied && !strings.Contains(text, "at most"); (recorded == 1) != want {
			t.Errorf("%s %s: %d decisions", c.tool, c.args, recorded)
		}
	}
}
