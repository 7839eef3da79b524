package modelserver

import "encoding/json"

// responses is the OpenAI Responses format.
type responses struct{}

type responsesTool struct {
	Type, Name string
	Parameters json.RawMessage
	Tools      []responsesTool // of a namespace
}

func (responses) parse(_ string, body []byte) (turn, error) {
	var in struct {
		Model  string
		Stream bool
		Input  json.RawMessage
		Tools  []responsesTool
	}
	if err := json.Unmarshal(body, &in); err != nil {
		return turn{}, err
	}
	t := turn{model: in.Model, stream: in.Stream}
	t.offer("", in.Tools)
	var text string
	if json.Unmarshal(in.Input, &text) == nil {
		t.user(text)
		return t, nil
	}
	var items []struct {
		Type, Role string
		Content    json.RawMessage
		Output     json.RawMessage
		Tools      []responsesTool
	}
	if err := json.Unmarshal(in.Input, &items); err != nil {
		return turn{}, err
	}
	for _, item := range items {
		switch {
		case item.Type == "function_call_output", item.Type == "custom_tool_call_output":
			result := string(item.Output)
			json.Unmarshal(item.Output, &result) // a plain string loses its quotes; anything else stays JSON
			t.answers(result)
		case item.Type == "additional_tools":
			t.offer("", item.Tools)
		case item.Role == "user":
			t.user(content(item.Content)...)
		}
	}
	return t, nil
}

func (t *turn) offer(namespace string, tools []responsesTool) {
	for _, offered := range tools {
		switch offered.Type {
		case "namespace":
			t.offer(offered.Name, offered.Tools)
		case "function", "":
			t.tools = append(t.tools, tool{namespace: namespace, name: offered.Name, schema: offered.Parameters})
		}
	}
}

func (responses) failure(code int, message string) any { return openAIFailure(code, message) }

// openAIFailure is the error body that both OpenAI formats share.
func openAIFailure(code int, message string) any {
	kind, name := "server_error", any(nil)
	switch code {
	case 400:
		kind = "invalid_request_error"
	case 401:
		kind, name = "invalid_request_error", "invalid_api_key"
	case 404:
		kind, name = "invalid_request_error", "model_not_found"
	case 429:
		kind, name = "rate_limit_exceeded", "rate_limit_exceeded"
	}
	return object{"error": object{"message": message, "type": kind, "code": name, "param": nil}}
}

func (responses) item(r reply) object {
	if r.call == nil {
		return object{"type": "message", "id": freshID("msg_"), "role": "assistant", "status": "completed",
			"content": []object{{"type": "output_text", "text": r.text, "annotations": []any{}}}}
	}
	item := object{"type": "function_call", "id": freshID("fc_"), "call_id": freshID("call_"),
		"name": r.call.tool.name, "arguments": r.call.args, "status": "completed"}
	if r.call.tool.namespace != "" {
		item["namespace"] = r.call.tool.namespace
	}
	return item
}

func (responses) document(t turn, id, status string, output ...object) object {
	out := object{"id": id, "object": "response", "created_at": 1, "status": status, "model": t.model,
		"output": append([]object{}, output...), "usage": nil, "error": nil, "incomplete_details": nil,
		"instructions": nil, "metadata": object{}, "parallel_tool_calls": true, "tool_choice": "auto", "tools": []any{}}
	if status == "completed" {
		out["usage"] = object{
			"input_tokens": inputTokens, "input_tokens_details": object{"cached_tokens": cachedTokens},
			"output_tokens": outputTokens, "output_tokens_details": object{"reasoning_tokens": reasoningTokens},
			"total_tokens": inputTokens + outputTokens,
		}
	}
	return out
}

func (p responses) whole(t turn, r reply) any {
	return p.document(t, freshID("resp_"), "completed", p.item(r))
}

func (p responses) stream(e *events, t turn, r reply) {
	number := 0
	frame := func(kind string, fields object) (string, object) {
		fields["type"], fields["sequence_number"] = kind, number
		number++
		return kind, fields
	}
	id, item := freshID("resp_"), p.item(r)
	e.send(frame("response.created", object{"response": p.document(t, id, "in_progress")}))

	opening := object{}
	for key, value := range item {
		opening[key] = value
	}
	opening["status"] = "in_progress"
	at := func(more object) object {
		more["item_id"], more["output_index"] = item["id"], 0
		return more
	}
	if r.call != nil {
		opening["arguments"] = ""
		e.send(frame("response.output_item.added", object{"output_index": 0, "item": opening}))
		e.send(frame("response.function_call_arguments.delta", at(object{"delta": r.call.args})))
		e.send(frame("response.function_call_arguments.done", at(object{"arguments": r.call.args})))
	} else {
		part := func(text string) object {
			return object{"type": "output_text", "text": text, "annotations": []any{}}
		}
		opening["content"] = []any{}
		e.send(frame("response.output_item.added", object{"output_index": 0, "item": opening}))
		e.send(frame("response.content_part.added", at(object{"content_index": 0, "part": part("")})))
		for _, piece := range pieces(r.text, pieceSize) {
			e.delta(frame("response.output_text.delta", at(object{"content_index": 0, "delta": piece})))
		}
		e.send(frame("response.output_text.done", at(object{"content_index": 0, "text": r.text})))
		e.send(frame("response.content_part.done", at(object{"content_index": 0, "part": part(r.text)})))
	}
	e.send(frame("response.output_item.done", object{"output_index": 0, "item": item}))
	e.send(frame("response.completed", object{"response": p.document(t, id, "completed", item)}))
}
