package modelserver

import (
	"encoding/json"
	"strings"
)

// gemini is the Gemini generateContent format; model and streaming stand in the
// path.
type gemini struct{}

func (gemini) parse(path string, body []byte) (turn, error) {
	var in struct {
		Contents []struct {
			Role  string
			Parts []struct {
				Text             *string
				FunctionResponse *struct{ Response json.RawMessage }
			}
		}
		Tools []struct {
			FunctionDeclarations []struct {
				Name                 string
				Parameters           json.RawMessage
				ParametersJSONSchema json.RawMessage `json:"parametersJsonSchema"`
			}
		}
		GenerationConfig struct {
			ResponseMimeType   string
			ResponseJSONSchema json.RawMessage `json:"responseJsonSchema"`
		}
	}
	if err := json.Unmarshal(body, &in); err != nil {
		return turn{}, err
	}
	_, rest, _ := strings.Cut(path, "models/")
	model, verb, _ := strings.Cut(rest, ":")
	t := turn{model: model, stream: verb == "streamGenerateContent"}
	t.json = in.GenerationConfig.ResponseMimeType == "application/json" || in.GenerationConfig.ResponseJSONSchema != nil
	for _, c := range in.Contents {
		if c.Role == "model" {
			continue
		}
		var texts []string
		var result *string
		for _, part := range c.Parts {
			if part.FunctionResponse != nil {
				text := string(part.FunctionResponse.Response)
				result = &text
			} else if part.Text != nil {
				texts = append(texts, *part.Text)
			}
		}
		if result != nil {
			t.answers(*result)
		} else {
			t.user(texts...)
		}
	}
	for _, group := range in.Tools {
		for _, offered := range group.FunctionDeclarations {
			schema := offered.ParametersJSONSchema
			if schema == nil {
				schema = offered.Parameters
			}
			t.tools = append(t.tools, tool{name: offered.Name, schema: schema})
		}
	}
	return t, nil
}

func (gemini) failure(code int, message string) any {
	status := map[int]string{
		400: "INVALID_ARGUMENT", 401: "UNAUTHENTICATED", 403: "PERMISSION_DENIED",
		404: "NOT_FOUND", 429: "RESOURCE_EXHAUSTED", 500: "INTERNAL",
	}[code]
	if status == "" {
		status = "UNAVAILABLE"
	}
	return object{"error": object{"code": code, "message": message, "status": status}}
}

func (gemini) document(t turn, finish string, part object) object {
	candidate := object{"content": object{"role": "model", "parts": []object{part}}, "index": 0}
	if finish != "" {
		candidate["finishReason"] = finish
	}
	return object{"candidates": []object{candidate}, "modelVersion": t.model, "responseId": "fake",
		"usageMetadata": object{
			"promptTokenCount": inputTokens, "cachedContentTokenCount": cachedTokens,
			"candidatesTokenCount": outputTokens, "totalTokenCount": inputTokens + outputTokens,
		}}
}

func geminiPart(t turn, r reply) object {
	switch {
	case r.call != nil:
		return object{"functionCall": object{"name": r.call.tool.name, "args": json.RawMessage(r.call.args)}}
	case t.json:
		// A client that demands JSON is asking which model to use, not for the answer.
		return object{"text": `{"reasoning":"fake","model_choice":"flash","complexity_reasoning":"fake","complexity_score":10}`}
	}
	return object{"text": r.text}
}

func (p gemini) whole(t turn, r reply) any {
	return p.document(t, "STOP", geminiPart(t, r))
}

func (p gemini) stream(e *events, t turn, r reply) {
	if r.call != nil || t.json {
		e.send("", p.document(t, "STOP", geminiPart(t, r)))
		return
	}
	for _, piece := range pieces(r.text, pieceSize) {
		e.delta("", p.document(t, "", object{"text": piece}))
	}
	e.send("", p.document(t, "STOP", object{"text": ""}))
}
