//go:build unix

package tools

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/llm-cli-gateway/gateway/engine/catalog"
	"github.com/llm-cli-gateway/gateway/engine/lang"
)

// withServers are tools whose one CLI prints the file that it is given.
func withServers(t *testing.T) *Tools {
	t.Helper()
	tools := newTools(t)
	cat := *tools.Catalog()
	var s lang.Spec
	err := json.Unmarshal([]byte(`{"cli":{"acme":{"bin":"cat","argv":["{mcp}"],"mcp":{"words":["{file}"],"none":["/dev/null"],"file":{"name":"mcp.json","body":{"s":"{list}"},"server":{"n":"{name}"}}}}},
		"mcp":{"one":{"title":"The one","command":"cat"},"gone":{"command":"no-such-program"}},"gateway":{"env":{"pass":["PATH","HOME"]}}}`), &s)
	if err != nil {
		t.Fatal(err)
	}
	compiled, problems := catalog.Compile(&s)
	if compiled == nil {
		t.Fatal(problems)
	}
	cat = *compiled
	tools.Catalog = func() *catalog.Catalog { return &cat }
	tools.Runner.Current = tools.Catalog
	return tools
}

func TestServersInResults(t *testing.T) {
	tools := withServers(t)
	for _, c := range []struct{ name, args, mcp, trailer, warning string }{
		{"acme_request", `{"prompt":"x","mcpServers":["one"]}`, `{"enabled":["one"],"missing":[],"requested":["one"]}`, " mcp=one]", ""},
		{"acme_request", `{"prompt":"x","mcpServers":["one","gone"],"strictMcpConfig":false}`, `{"enabled":["one"],"missing":["gone"],"requested":["gone","one"]}`, " mcp=one mcpMissing=gone]", `"gone" is missing: the program "no-such-program" was not found`},
		{"acme_request_async", `{"prompt":"y","mcpServers":["one","gone"],"strictMcpConfig":false}`, `{"enabled":["one"],"missing":["gone"],"requested":["gone","one"]}`, " mcp=one mcpMissing=gone", `"gone" is missing: the program "no-such-program" was not found`},
		{"acme_request", `{"prompt":"x","mcpServers":[]}`, `{"enabled":[],"missing":[],"requested":[]}`, "", ""},
		{"acme_request", `{"prompt":"x","mcpServers":["gone"]}`, `{"enabled":[],"missing":["gone"],"requested":["gone"]}`, " mcpMissing=gone", ""},
		{"acme_request_async", `{"prompt":"x","mcpServers":["one"]}`, `{"enabled":["one"],"missing":[],"requested":["one"]}`, " mcp=one", ""},
	} {
		r := tools.call(t, c.name, c.args)
		var s struct {
			JobID    string
			MCP      map[string]any `json:"mcpServers"`
			Warnings []string
		}
		if err := json.Unmarshal(r.Structured, &s); err != nil {
			t.Fatal(err)
		}
		delete(s.MCP, "reasons") // which the warning repeats
		if got := string(encode(s.MCP)); got != c.mcp {
			t.Errorf("%s: mcp %s, want %s", c.args, got, c.mcp)
		}
		if text := strings.Join(r.Text, "\n"); !strings.Contains(text, c.trailer) || !strings.Contains(text, c.warning) || !strings.Contains(strings.Join(s.Warnings, "\n"), c.warning) {
			t.Errorf("%s: %s", c.args, text)
		}
		if s.JobID == "" {
			continue
		}
		later := tools.call(t, JobResult, `{"jobId":"`+s.JobID+`","waitMs":30000}`)
		s.MCP = nil
		err := json.Unmarshal(later.Structured, &s)
		delete(s.MCP, "reasons")
		if err != nil || string(encode(s.MCP)) != c.mcp || !strings.Contains(strings.Join(s.Warnings, "\n"), c.warning) {
			t.Errorf("%s: later %s", c.args, later.Structured)
		}
	}
}

func TestServersInTheListing(t *testing.T) {
	for _, tool := range withServers(t).List() {
		if says := strings.Contains(string(tool.Input), "Available: one (The one), gone."); says != (tool.Name == "acme_request") {
			t.Errorf("%s: %s", tool.Name, tool.Input)
		}
	}
}
