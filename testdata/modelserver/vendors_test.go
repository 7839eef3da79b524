package modelserver

import (
	"encoding/json"
	"strings"
)

// vendor is how a client of one protocol would write and read.
type vendor struct {
	name string
	path func(stream bool) string
	body func(stream bool, users ...string) object
	// answered turns a request into one of the next round, with the model's
	// tool call answered.
	answered func(request object, result string) object
	text     func(doc object) string // of one document, or of one event
	call     func(doc object) (name, args string)
}

func fixed(path string) func(bool) string { return func(bool) string { return path } }

// dig walks objects by string and arrays by int; nil when the way ends.
func dig(v any, way ...any) any {
	for _, step := range way {
		switch step := step.(type) {
		case string:
			m, _ := v.(object)
			v = m[step]
		case int:
			a, _ := v.([]any)
			if step >= len(a) {
				return nil
			}
			v = a[step]
		}
	}
	return v
}

func str(v any) string { s, _ := v.(string); return s }

func add(request object, list string, items ...any) object {
	request[list] = append(request[list].([]any), items...)
	return request
}

func roles(users []string, wrap func(role, text string) any) []any {
	var all []any
	for i, text := range users {
		if i > 0 {
			all = append(all, wrap("assistant", "earlier answer"))
		}
		all = append(all, wrap("user", text))
	}
	return all
}

var shellSchema = object{"type": "object", "required": []string{"command", "n"},
	"properties": object{"command": object{"type": "string"}, "n": object{"type": "integer"}}}

var vendors = []vendor{
	{
		name: "messages", path: fixed("/v1/messages"),
		body: func(stream bool, users ...string) object {
			return object{"model": "m", "stream": stream, "tools": []any{object{"name": "Shell", "input_schema": shellSchema}},
				"messages": roles(users, func(role, text string) any {
					return object{"role": role, "content": []any{object{"type": "text", "text": text}}}
				})}
		},
		answered: func(request object, result string) object {
			return add(request, "messages", object{"role": "user", "content": []any{object{"type": "tool_result", "tool_use_id": "x", "content": result}}})
		},
		text: func(doc object) string { return str(dig(doc, "content", 0, "text")) + str(dig(doc, "delta", "text")) },
		call: func(doc object) (string, string) {
			args := str(dig(doc, "delta", "partial_json"))
			if in, ok := dig(doc, "content", 0, "input").(object); ok {
				args = mustJSON(in)
			}
			return str(dig(doc, "content", 0, "name")) + str(dig(doc, "content_block", "name")), args
		},
	},
	{
		name: "responses", path: fixed("/v1/responses"),
		body: func(stream bool, users ...string) object {
			shell := object{"type": "function", "name": "Shell", "parameters": shellSchema}
			return object{"model": "m", "stream": stream, "tools": []any{object{"type": "namespace", "name": "ns", "tools": []any{shell}}},
				"input": roles(users, func(role, text string) any {
					return object{"type": "message", "role": role, "content": []any{object{"type": "input_text", "text": text}}}
				})}
		},
		answered: func(request object, result string) object {
			return add(request, "input", object{"type": "function_call_output", "call_id": "x", "output": result})
		},
		text: func(doc object) string {
			if doc["type"] == "response.output_text.delta" {
				return str(doc["delta"])
			}
			return str(dig(doc, "output", 0, "content", 0, "text"))
		},
		call: func(doc object) (string, string) {
			if doc["type"] == "response.output_item.done" {
				return str(dig(doc, "item", "name")), str(dig(doc, "item", "arguments"))
			}
			return str(dig(doc, "output", 0, "name")), str(dig(doc, "output", 0, "arguments"))
		},
	},
	{
		name: "chat", path: fixed("/v1/chat/completions"),
		body: func(stream bool, users ...string) object {
			return object{"model": "m", "stream": stream,
				"tools":    []any{object{"type": "function", "function": object{"name": "Shell", "parameters": shellSchema}}},
				"messages": roles(users, func(role, text string) any { return object{"role": role, "content": text} })}
		},
		answered: func(request object, result string) object {
			return add(request, "messages", object{"role": "tool", "tool_call_id": "x", "content": result})
		},
		text: func(doc object) string {
			return str(dig(doc, "choices", 0, "message", "content")) + str(dig(doc, "choices", 0, "delta", "content"))
		},
		call: func(doc object) (string, string) {
			for _, key := range []string{"message", "delta"} {
				if f := dig(doc, "choices", 0, key, "tool_calls", 0, "function"); f != nil {
					return str(dig(f, "name")), str(dig(f, "arguments"))
				}
			}
			return "", ""
		},
	},
	{
		name: "gemini",
		path: func(stream bool) string {
			if stream {
				return "/v1beta/models/m:streamGenerateContent?alt=sse"
			}
			return "/v1beta/models/m:generateContent"
		},
		body: func(_ bool, users ...string) object {
			return object{"tools": []any{object{"functionDeclarations": []any{object{"name": "Shell", "parametersJsonSchema": shellSchema}}}},
				"contents": roles(users, func(role, text string) any {
					return object{"role": strings.Replace(role, "assistant", "model", 1), "parts": []any{object{"text": text}}}
				})}
		},
		answered: func(request object, result string) object {
			return add(request, "contents", object{"role": "user", "parts": []any{object{"functionResponse": object{"name": "Shell", "response": object{"output": result}}}}})
		},
		text: func(doc object) string { return str(dig(doc, "candidates", 0, "content", "parts", 0, "text")) },
		call: func(doc object) (string, string) {
			f := dig(doc, "candidates", 0, "content", "parts", 0, "functionCall")
			if f == nil {
				return "", ""
			}
			return str(dig(f, "name")), mustJSON(dig(f, "args"))
		},
	},
}

func mustJSON(v any) string {
	text, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return string(text)
}
