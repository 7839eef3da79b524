//go:build unix

package tools

import (
	"strings"
	"testing"

	"github.com/llm-cli-gateway/gateway/engine/call"
	"github.com/llm-cli-gateway/gateway/engine/lang"
)

// TestCeilingDenies: what is above the ceiling of the settings was denied by somebody, and the
// way out is to ask for less.
func TestCeilingDenies(t *testing.T) {
	for _, c := range []struct{ ceiling, access, args, hint string }{
		{"read", `{read: ["--read"], edit: ["--edit"], full: []}`, `{"prompt":"x","access":"edit"}`, `pass access "read", or leave access out`},
		{"edit", `{read: ["--read"], edit: ["--edit"], full: []}`, `{"prompt":"x","access":"own"}`, `pass access "edit", or leave access out`},
		{"edit", `{read: ["--read"], edit: ["--edit"], full: []}`, `{"prompt":"x","yolo":true}`, "leave out yolo"},
		{"read", `{read: ["--read"], edit: ["--edit"], full: []}`, `{"prompt":"x","mcpServers":["docs"]}`, `leave out MCP servers above the level "read"`},
		{"read", `{full: []}`, `{"prompt":"x"}`, `use a CLI that can be held to the level "read"`},
	} {
		d := newApprovalFixture(t, `cli: acme: {access: `+c.access+`
			params: yolo: {doc: "Y", type: "bool", flag: "--yolo", access: "full"}
			argv: ["{mcp}", "{params}"], mcp: each: ["--server={name}"]}
			mcp: docs: command: "docs"
			gateway: approvals: ceiling: "`+c.ceiling+`"`)
		r := d.Call(t.Context(), call.Request{Tool: "acme_request", Args: []byte(c.args)})
		text := strings.Join(r.Text, "\n")
		if !strings.Contains(text, "errorClass="+lang.ClassDenied) || !strings.Contains(text, c.hint) || !strings.Contains(text, "gateway.approvals.ceiling") {
			t.Errorf("%s: %s\nwant %q", c.args, text, c.hint)
		}
	}
}
