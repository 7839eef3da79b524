package modelserver

import (
	"encoding/json"
	"strings"
)

// messages is the Anthropic Messages format.
type messages struct{}

func (messages) parse(_ string, body []byte) (turn, error) {
	var in struct {
		Model    string
		Stream   bool
		Messages []struct {
			Role    string
			Content json.RawMessage
		}
		Tools []struct {
			Name        string
			InputSchema json.RawMessage `json:"input_schema"`
		}
	}
	if err := json.Unmarshal(body, &in); err != nil {
		return turn{}, err
	}
	t := turn{model: in.Model, stream: in.Stream}
	for _, m := range in.Messages {
		if m.Role != "user" {
			continue
		}
		// A message that carries tool results may also carry reminders, which
		// are no new turn.
		if results := messagesToolResults(m.Content); results != nil {
			for _, result := range results {
				t.answers(result)
			}
			continue
		}
		t.user(content(m.Content)...)
	}
	for _, offered := range in.Tools {
		t.tools = append(t.tools, tool{name: offered.Name, schema: offered.InputSchema})
	}
	return t, nil
}

func messagesToolResults(raw json.RawMessage) (results []string) {
	var parts []struct {
		Type    string
		Content json.RawMessage
	}
	if json.Unmarshal(raw, &parts) != nil {
		return nil
	}
	for _, part := range parts {
		if part.Type == "tool_result" {
			results = append(results, strings.Join(content(part.Content), ""))
		}
	}
	return results
}

func (messages) failure(code int, message string) any {
	kind := map[int]string{
		400: "invalid_request_error", 401: "authentication_error", 403: "permission_error",
		404: "not_found_error", 429: "rate_limit_error", 529: "overloaded_error",
	}[code]
	if kind == "" {
		kind = "api_error"
	}
	return object{"type": "error", "error": object{"type": kind, "message": message}, "request_id": "req_fake"}
}

func (messages) head(t turn) object {
	return object{
		"id": "msg_fake", "type": "message", "role": "assistant", "model": t.model,
		"content": []object{}, "stop_reason": nil, "stop_sequence": nil, "usage": messagesUsage(1),
	}
}

// messagesUsage counts cached tokens apart, as this vendor does.
func messagesUsage(output int) object {
	return object{
		"input_tokens": inputTokens - cachedTokens, "cache_read_input_tokens": cachedTokens,
		"cache_creation_input_tokens": 0, "output_tokens": output,
	}
}

func messagesStop(r reply) string {
	if r.call != nil {
		return "tool_use"
	}
	return "end_turn"
}

func (m messages) whole(t turn, r reply) any {
	out := m.head(t)
	block := object{"type": "text", "text": r.text}
	if r.call != nil {
		block = object{"type": "tool_use", "id": freshID("toolu_"), "name": r.call.tool.name, "input": json.RawMessage(r.call.args)}
	}
	out["content"], out["stop_reason"], out["usage"] = []object{block}, messagesStop(r), messagesUsage(outputTokens)
	return out
}

func (m messages) stream(e *events, t turn, r reply) {
	send := func(kind string, fields object) {
		fields["type"] = kind
		e.send(kind, fields)
	}
	send("message_start", object{"message": m.head(t)})
	if r.call != nil {
		send("content_block_start", object{"index": 0, "content_block": object{
			"type": "tool_use", "id": freshID("toolu_"), "name": r.call.tool.name, "input": object{}}})
		send("content_block_delta", object{"index": 0, "delta": object{"type": "input_json_delta", "partial_json": r.call.args}})
	} else {
		send("content_block_start", object{"index": 0, "content_block": object{"type": "text", "text": ""}})
		for _, piece := range pieces(r.text, pieceSize) {
			const kind = "content_block_delta"
			e.delta(kind, object{"type": kind, "index": 0, "delta": object{"type": "text_delta", "text": piece}})
		}
	}
	send("content_block_stop", object{"index": 0})
	send("message_delta", object{"delta": object{"stop_reason": messagesStop(r), "stop_sequence": nil}, "usage": messagesUsage(outputTokens)})
	send("message_stop", object{})
}
