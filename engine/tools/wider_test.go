//go:build unix

package tools

import (
	"strings"
	"testing"

	"github.com/llm-cli-gateway/gateway/engine/call"
	"github.com/llm-cli-gateway/gateway/engine/catalog"
	"github.com/llm-cli-gateway/gateway/engine/catalog/access"
	"github.com/llm-cli-gateway/gateway/engine/catalog/extract"
	"github.com/llm-cli-gateway/gateway/engine/lang"
	"github.com/llm-cli-gateway/gateway/engine/lang/langtest"
	"github.com/llm-cli-gateway/gateway/engine/policy"
)

// TestWider: only a call that met the default level is told of a wider one, and never where
// somebody has decided how wide it may be.
func TestWider(t *testing.T) {
	d := newApprovalFixture(t, `cli: acme: access: {read: ["--read"], edit: ["--edit"], full: []}`)
	cat := d.Catalog()
	cli, _ := cat.CLI("acme")
	for _, c := range []struct {
		name, args string
		answer     extract.Answer
		approval   *call.Approval
		want       string
	}{
		{"denied tools", `{"prompt":"x"}`, extract.Answer{Denied: []string{"Write", "Bash"}}, nil, `Write, Bash was not allowed at access "read"`},
		{"refused", `{"prompt":"x"}`, extract.Answer{Failure: &lang.Failure{Class: lang.ClassRefused}}, nil, `access "edit" lets it write`},
		{"nothing was met", `{"prompt":"x"}`, extract.Answer{}, nil, ""},
		{"another failure", `{"prompt":"x"}`, extract.Answer{Failure: &lang.Failure{Class: lang.ClassEmpty}}, nil, ""},
		{"asked for reading", `{"prompt":"x","access":"read"}`, extract.Answer{Denied: []string{"Write"}}, nil, ""},
		{"a policy decided", `{"prompt":"x"}`, extract.Answer{Denied: []string{"Write"}}, &call.Approval{Strategy: policy.Managed}, ""},
	} {
		bound, wrong := cli.Bind([]byte(c.args), nil, langtest.IDs())
		if wrong != nil {
			t.Fatal(wrong)
		}
		granted, wrong := cat.Access(bound, access.Ceiling{})
		if wrong != nil {
			t.Fatal(wrong)
		}
		got := strings.Join(wider(&call.Request{Bound: bound.WithAccess(granted, catalog.Place{}), Approval: c.approval}, c.answer), "")
		if (got == "") != (c.want == "") || !strings.Contains(got, c.want) {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}
