package listing

import (
	"bytes"
	"encoding/json"

	"github.com/llm-cli-gateway/gateway/engine/text"
)

// Property is one property of a schema. Bounds stand in the description as well,
// because some clients show their model nothing else. Those that hardly ever matter
// (lengths but the prompt's, patterns, elements of a list) are reported when they do: each
// byte here costs tokens in every conversation of every client.
type Property struct {
	Name        string    `json:"-"`
	Required    bool      `json:"-"`
	Type        any       `json:"type"` // a name, or a list of two that ends in "null"
	Description string    `json:"description,omitempty"`
	Enum        []string  `json:"enum,omitempty"`
	Items       *Property `json:"items,omitempty"`
	Default     any       `json:"default,omitempty"`
	Minimum     *float64  `json:"minimum,omitempty"`
	Maximum     *float64  `json:"maximum,omitempty"`
	MinLength   *int      `json:"minLength,omitempty"`
	MaxLength   *int      `json:"maxLength,omitempty"`
}

// Object is the JSON Schema of an object with these properties. An open one admits others.
func Object(properties []Property, open bool) json.RawMessage {
	var b bytes.Buffer
	required := []string{}
	b.WriteString(`{"type":"object","properties":{`)
	for i, p := range properties {
		if i > 0 {
			b.WriteByte(',')
		}
		b.Write(text.MustJSON(p.Name))
		b.WriteByte(':')
		b.Write(text.MustJSON(p))
		if p.Required {
			required = append(required, p.Name)
		}
	}
	b.WriteByte('}')
	if len(required) > 0 || !open {
		b.WriteString(`,"required":`)
		b.Write(text.MustJSON(required))
	}
	if !open {
		b.WriteString(`,"additionalProperties":false`)
	}
	b.WriteByte('}')
	return b.Bytes()
}

// OutputSchema is the JSON Schema of a result, the same for every CLI: of its members those
// that a caller acts on.
var OutputSchema = json.RawMessage(`{"type":"object","properties":{` +
	`"status":{"type":"string"},"jobId":{"type":"string"},` +
	`"cli":{"type":"string"},"model":{"type":"string"},"sessionId":{"type":"string"},` +
	`"usage":{"type":"object"},"nextOffset":{"type":"integer"},` +
	`"warnings":{"type":"array","items":{"type":"string"}},` +
	`"error":{"type":"object"},` +
	`"response":{"type":"string"}},` +
	`"required":["status"]}`)

// StartSchema is the JSON Schema of the result of a call that was started as a job.
var StartSchema = json.RawMessage(`{"type":"object","properties":{` + StartProperties + `},"required":["status"]}`)

// StartProperties are those properties that every result about a job begins with.
const StartProperties = `"status":{"type":"string","enum":["waiting","queued","running","retrying","completed","failed","canceled","orphaned"]},` +
	`"jobId":{"type":"string"},"joined":{"type":"boolean"},"durable":{"type":"boolean"}`
