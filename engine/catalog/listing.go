package catalog

import (
	"encoding/json"

	"github.com/llm-cli-gateway/gateway/engine/text"
)

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
