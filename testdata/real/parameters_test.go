package real

import (
	"encoding/json"
	"errors"
	"maps"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/llm-cli-gateway/gateway/testdata/modelserver"
)

// usual are harmless values by the name of the parameter. A list is one value.
var usual = map[string]any{
	"maxChars":        100_000, // the least would cut the answer
	"model":           "asked-for-model",
	"fallbackModel":   "other-model",
	"allowedTools":    []string{"Read", "Bash(git *)"},
	"disallowedTools": []string{"WebSearch", "Bash(rm *)"},
	"allowTools":      []string{"shell(git:*)", "write"},
	"availableTools":  []string{"view", "bash"},
	"denyTools":       []string{"shell(rm:*)", "shell(mv:*)"},
	"profile":         "work",
	"timeoutMs":       patience.Milliseconds(),
	"idleTimeoutMs":   patience.Milliseconds(),
	"maxBudgetUsd":    1,
	"mcpServers":      []string{"one", "two"},
}

// elsewhere are the parameters of conversations, which other tests use: here there
// is none to continue.
var elsewhere = []string{"prompt", "sessionId", "continueSession", "resumeLatest"}

// relayed are parameters whose text reaches the model's vendor.
var relayed = []string{"model", "systemPrompt", "appendSystemPrompt", "rules"}

// property is what a client is told about a parameter.
type property struct {
	Type    any // a name, or a list of names
	Enum    []any
	Minimum *float64
}

// values are those to try.
func (p property) values(t *testing.T, c cli, name string) []any {
	v, ok := c.values[name]
	if !ok {
		v, ok = usual[name]
	}
	switch {
	case ok:
		return []any{v}
	case len(p.Enum) > 0:
		return p.Enum
	case p.Type == "boolean":
		return []any{true, false}
	case p.Type == "string" && strings.HasSuffix(name, "Dir"):
		return []any{t.TempDir()}
	case p.Type == "array" && strings.HasSuffix(name, "Dirs"):
		return []any{[]string{t.TempDir(), t.TempDir()}}
	case p.Type == "string":
		return []any{"-x, \"quoted\" and\nthe like, for " + name}
	case p.Type == "integer" && p.Minimum != nil:
		return []any{*p.Minimum}
	}
	t.Fatalf("no value for %s of %s: add one to the table usual", name, c.name)
	return nil
}

// TestEveryParameter passes every value of every parameter to the CLI, in as few calls
// as conflicts allow. The CLI must understand them all.
func TestEveryParameter(t *testing.T) {
	each(t, func(t *testing.T, c cli) {
		c, _ = c.withServers(t)
		g := start(t, "ok", c)
		left := map[string][]any{}
		for name, p := range g.properties(c) {
			if slices.Contains(elsewhere, name) {
				continue
			}
			left[name] = p.values(t, c, name)
			if class := c.needs[name]; class != "" {
				left[name] = []any{false}
				if r := g.call(c, args{"prompt": marked("hi"), name: true}); r.IsError {
					failed(t, r, class)
				}
			}
		}
		for len(left) > 0 {
			call := args{"prompt": marked("hi")}
			for _, name := range slices.Sorted(maps.Keys(left)) {
				call[name] = left[name][0]
				if problem := g.explain(c, call); problem == "" {
					if left[name] = left[name][1:]; len(left[name]) == 0 {
						delete(left, name)
					}
				} else if delete(call, name); len(call) == 1 {
					t.Fatalf("%s: no call may have %v: %s", name, left[name][0], problem)
				}
			}
			before := len(g.models.Requests())
			// Where records are asked for, the answer stands inside of one.
			if r := g.call(c, call); r.IsError || !strings.Contains(r.StructuredContent.Response, proof(1, "hi")) {
				t.Errorf("%s\nis answered with\n%s", encode(call), r.text())
			}
			for _, name := range relayed {
				text, ok := call[name].(string)
				// A vendor is not told its own name.
				if _, model, named := strings.Cut(text, "/"); name == "model" && named {
					text = model
				}
				if ok && !g.relayed(before, text) {
					t.Errorf("the vendor did not see the %s of %s", name, encode(call))
				}
			}
		}
	})
}

// relayed reports whether a text, as JSON writes it, stands in a request from that
// number on.
func (g *gateway) relayed(from int, text string) bool {
	text = strings.Trim(encode(text), `"`)
	return slices.ContainsFunc(g.models.Requests()[from:], func(r modelserver.Request) bool {
		return strings.Contains(r.Path+string(r.Body), text)
	})
}

// properties are the parameters of a CLI's tool.
func (g *gateway) properties(c cli) map[string]property {
	g.t.Helper()
	var listing struct {
		Tools []struct {
			Name        string
			InputSchema struct{ Properties map[string]property }
		}
	}
	raw := g.await(g.request("tools/list", "{}"))
	if err := json.Unmarshal(raw, &listing); err != nil {
		g.t.Fatal(err)
	}
	for _, tool := range listing.Tools {
		if tool.Name == c.tool() {
			return tool.InputSchema.Properties
		}
	}
	g.t.Fatalf("no tool %s in %s", c.tool(), raw)
	return nil
}

// explain says what is wrong with a call, or who would not let it run; "" if nothing.
func (g *gateway) explain(c cli, a args) string {
	g.t.Helper()
	cmd := g.command("explain", c.tool(), "--json", encode(a))
	said, err := cmd.Output()
	var exit *exec.ExitError
	if errors.As(err, &exit) && exit.ExitCode() == 1 {
		return string(exit.Stderr)
	}
	if err != nil {
		g.t.Fatal(err)
	}
	var e struct {
		Approval struct{ Policy, Verdict string }
	}
	if err := json.Unmarshal(said, &e); err != nil || e.Approval.Verdict == "" {
		g.t.Fatalf("%v: %s", err, said)
	}
	if e.Approval.Verdict != "approve" {
		return "the policy " + e.Approval.Policy + " does not let it run"
	}
	return ""
}
