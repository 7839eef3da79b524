//go:build unix

package tools

import (
	"slices"
	"strings"
	"testing"

	"github.com/llm-cli-gateway/gateway/engine/call"
	"github.com/llm-cli-gateway/gateway/engine/catalog"
	"github.com/llm-cli-gateway/gateway/engine/catalog/access"
)

// oneSetting is a user who has made a setting that every level overrides.
type oneSetting struct{}

func (oneSetting) Overridden(_ *catalog.CLI, words string) []string {
	if words == access.Own {
		return nil
	}
	return []string{`the setting mode is overridden by access "` + words + `"`}
}

// TestOverriddenSettings: a call names the settings of its user that it overrides, and how it
// would not, unless somebody has decided how wide it may be.
func TestOverriddenSettings(t *testing.T) {
	const levels, free = `cli: acme: access: {read: [], edit: [], full: []}
		`, `; pass access "own" to keep your own settings`
	for _, c := range []struct{ specs, args, want string }{
		{levels, `{"prompt":"x"}`, `the setting mode is overridden by access "read"` + free},
		{levels, `{"prompt":"x","access":"edit"}`, `the setting mode is overridden by access "edit"` + free},
		{levels, `{"prompt":"x","access":"own"}`, ""},
		{levels + `gateway: approvals: ceiling: "full"`, `{"prompt":"x"}`, `the setting mode is overridden by access "read"`},
		{levels + `gateway: approvals: strategy: "mcp_managed"`, `{"prompt":"x"}`, `the setting mode is overridden by access "read"`},
	} {
		d := newApprovalFixture(t, c.specs)
		d.Calls.Settings = oneSetting{}
		out, err := d.Handler.Call(t.Context(), &call.Request{Tool: "acme_request", Args: []byte(c.args), Catalog: d.Catalog()})
		if err != nil {
			t.Fatal(err)
		}
		if out.Request.Bound == nil {
			t.Fatalf("%s: %+v", c.args, out.Failure)
		}
		got := slices.DeleteFunc(slices.Clone(out.Request.Bound.Notes), func(note string) bool { return !strings.Contains(note, "overridden") })
		if strings.Join(got, "") != c.want {
			t.Errorf("%s %s: %q, want %q", c.specs, c.args, got, c.want)
		}
	}
}
