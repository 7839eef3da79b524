// Package listing is how tools are shown to clients: the entry of a tool in tools/list, and the
// JSON Schemas in it.
//
// It hides which bytes a client can do without. It must not know what a parameter means, nor
// from what a tool is made.
package listing

import (
	"encoding/json"

	"github.com/llm-cli-gateway/gateway/engine/text"
)

// Tool is the listing of a tool for clients.
type Tool struct {
	Name, Title, Description                     string
	Input, Output                                json.RawMessage // JSON Schemas in the portable subset, see lint.go
	ReadOnly, Destructive, Idempotent, OpenWorld bool

	Brief    bool // listed in few bytes: without what MCP takes for granted
	Advanced bool // left out where few bytes count
}

// InBrief is the tool in few bytes, with the schema of those arguments that matter.
func (t Tool) InBrief(input json.RawMessage) Tool {
	t.Brief, t.Title, t.Input, t.Output = true, "", input, nil
	return t
}

// Listing is the tool as tools/list shows it; its length is what it costs a client.
func (t Tool) Listing() json.RawMessage {
	return text.MustJSON(struct {
		Name        string          `json:"name"`
		Title       string          `json:"title,omitempty"`
		Description string          `json:"description"`
		Input       json.RawMessage `json:"inputSchema"`
		Output      json.RawMessage `json:"outputSchema,omitempty"`
		Hints       map[string]any  `json:"annotations"`
	}{t.Name, t.Title, t.Description, t.Input, t.Output, t.hints()})
}

// hints are the annotations.
func (t Tool) hints() map[string]any {
	hints := map[string]any{}
	if t.Title != "" {
		hints["title"] = t.Title // where older clients look for it
	}
	for _, h := range []struct {
		name        string
		is, assumed bool
	}{{"readOnlyHint", t.ReadOnly, false}, {"destructiveHint", t.Destructive, true}, {"idempotentHint", t.Idempotent, false}, {"openWorldHint", t.OpenWorld, true}} {
		if !t.Brief || h.is != h.assumed {
			hints[h.name] = h.is
		}
	}
	return hints
}
