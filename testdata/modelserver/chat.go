package modelserver

import (
	"encoding/json"
	"fmt"
	"strings"
)

// chat is the OpenAI Chat Completions format.
type chat struct{}

func (chat) parse(_ string, body []byte) (turn, error) {
	var in struct {
		Model    string
		Stream   bool
		Messages []struct {
			Role    string
			Content json.RawMessage
		}
		Tools []struct {
			Function struct {
				Name       string
				Parameters json.RawMessage
			}
		}
	}
	if err := json.Unmarshal(body, &in); err != nil {
		return turn{}, err
	}
	t := turn{model: in.Model, stream: in.Stream}
	for _, m := range in.Messages {
		switch m.Role {
		case "user":
			t.user(content(m.Content)...)
		case "tool":
			t.answers(strings.Join(content(m.Content), ""))
		}
	}
	for _, offered := range in.Tools {
		t.tools = append(t.tools, tool{name: offered.Function.Name, schema: offered.Function.Parameters})
	}
	return t, nil
}

func (chat) failure(code int, message string) any { return openAIFailure(code, message) }

func chatUsage() object {
	return object{
		"prompt_tokens": inputTokens, "completion_tokens": outputTokens, "total_tokens": inputTokens + outputTokens,
		"prompt_tokens_details":     object{"cached_tokens": cachedTokens},
		"completion_tokens_details": object{"reasoning_tokens": reasoningTokens},
	}
}

// chatCalls also says how a choice with these calls finishes.
func chatCalls(r reply) (calls []object, finish string) {
	if r.call == nil {
		return nil, "stop"
	}
	return []object{{"index": 0, "id": freshID("call_"), "type": "function",
		"function": object{"name": r.call.tool.name, "arguments": r.call.args}}}, "tool_calls"
}

func (chat) whole(t turn, r reply) any {
	message := object{"role": "assistant", "content": r.text}
	calls, finish := chatCalls(r)
	if calls != nil {
		message["content"], message["tool_calls"] = nil, calls
	}
	return object{"id": freshID("chatcmpl_"), "object": "chat.completion", "created": 1, "model": t.model, "usage": chatUsage(),
		"choices": []object{{"index": 0, "message": message, "finish_reason": finish}}}
}

func (chat) stream(e *events, t turn, r reply) {
	id := freshID("chatcmpl_")
	chunk := func(choices ...object) object {
		return object{"id": id, "object": "chat.completion.chunk", "created": 1, "model": t.model,
			"choices": append([]object{}, choices...)}
	}
	choice := func(finish any, delta object) object {
		return object{"index": 0, "delta": delta, "finish_reason": finish}
	}
	calls, finish := chatCalls(r)
	e.send("", chunk(choice(nil, object{"role": "assistant", "content": ""})))
	if calls != nil {
		e.send("", chunk(choice(nil, object{"tool_calls": calls})))
	} else {
		for _, piece := range pieces(r.text, pieceSize) {
			e.delta("", chunk(choice(nil, object{"content": piece})))
		}
	}
	e.send("", chunk(choice(finish, object{})))
	last := chunk()
	last["usage"] = chatUsage()
	e.send("", last)
	fmt.Fprint(e.w, "data: [DONE]\n\n")
}
