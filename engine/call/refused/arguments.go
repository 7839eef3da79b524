package refused

import (
	"encoding/json"
	"fmt"
	"unicode/utf8"

	"github.com/llm-cli-gateway/gateway/engine/catalog"
	"github.com/llm-cli-gateway/gateway/engine/store"
)

// Whoever calls in vain may do so often, and with much: so much of it is kept, in bytes.
const (
	maxRead = 1 << 20  // more is not even read
	maxText = 32 << 10 // of the prompt, and of the arguments as JSON
	maxWord = 1 << 10  // of a text among arguments that are more than that
	maxName = 256      // of what names something
	maxList = 32       // elements of a list among them, and fields of an object
	maxDeep = 8
)

// fill puts the arguments into the row of a call, and removes secrets from the row.
func fill(row *store.Job, raw []byte, kept Kept) {
	redact := kept.Text
	row.Args = nil
	var given map[string]any
	switch {
	case len(raw) == 0:
	case len(raw) > maxRead:
		row.Args = leftOut(fmt.Sprintf("%d bytes", len(raw)))
	case json.Unmarshal(raw, &given) != nil:
		row.Args = leftOut(clean(string(raw), maxWord, kept.Prompt)) // it may be in there
	default:
		names(row, given)
		row.Args = arguments(given, redact)
	}
	row.Prompt = clean(row.Prompt, maxText, kept.Prompt)
	for _, name := range []*string{&row.Tool, &row.Model, &row.ModelAsked, &row.ModelResolved, &row.Session, &row.SessionID, &row.CorrelationID} {
		*name = clean(*name, maxName, redact)
	}
	row.Outcome.ErrorMessage, row.Outcome.Detail = clean(row.Outcome.ErrorMessage, maxText, redact), clean(row.Outcome.Detail, maxWord, redact)
	for i, text := range row.Outcome.Warnings {
		row.Outcome.Warnings[i] = clean(text, maxWord, redact)
	}
}

// names takes what has columns of its own from arguments that were not understood, and the
// prompt out of all.
func names(row *store.Job, given map[string]any) {
	for name, into := range map[string]*string{catalog.ParamPrompt: &row.Prompt, catalog.ParamModel: &row.ModelAsked, catalog.ParamCorrelationID: &row.CorrelationID} {
		if text, ok := given[name].(string); ok && *into == "" {
			*into = text
		}
	}
	if _, ok := given[catalog.ParamPrompt].(string); ok {
		delete(given, catalog.ParamPrompt)
	}
}

// arguments are what was given, as JSON of at most maxText bytes.
func arguments(given map[string]any, redact func(string) string) json.RawMessage {
	if len(given) == 0 {
		return nil
	}
	for _, most := range []int{maxText, maxWord, maxName} {
		if text, err := json.Marshal(bounded(given, most, 0, redact)); err == nil && len(text) <= maxText {
			return text
		}
	}
	return leftOut("too many")
}

// bounded is a value without secrets, whose texts have so many bytes each, and whose lists and
// objects are short if that is less than what they may have in all.
func bounded(v any, most, depth int, redact func(string) string) any {
	short := most < maxText
	switch v := v.(type) {
	case string:
		return clean(v, most, redact)
	case []any:
		if depth == maxDeep {
			return fmt.Sprintf("%d elements", len(v))
		}
		list := []any{}
		for i, e := range v {
			if short && i == maxList {
				return append(list, fmt.Sprintf("%d more", len(v)-i))
			}
			list = append(list, bounded(e, most, depth+1, redact))
		}
		return list
	case map[string]any:
		if depth == maxDeep || short && len(v) > maxList {
			return fmt.Sprintf("%d fields", len(v))
		}
		object := map[string]any{}
		for name, e := range v {
			object[clean(name, maxName, redact)] = bounded(e, most, depth+1, redact)
		}
		return object
	}
	return v
}

// leftOut stands for arguments that are not kept.
func leftOut(what string) json.RawMessage {
	text, _ := json.Marshal(map[string]string{"leftOut": what})
	return text
}

// clean is a text without secrets, of at most so many bytes. A secret that is cut in two is
// none that could be recognized, so that the text is cut after it was searched.
func clean(text string, most int, redact func(string) string) string {
	const longest = 8 << 10 // of what is searched for, a private key
	text = redact(cut(text, most+longest))
	if len(text) <= most {
		return text
	}
	return cut(text, most) + "…"
}

func cut(text string, most int) string {
	if len(text) <= most {
		return text
	}
	for most > 0 && !utf8.RuneStart(text[most]) {
		most--
	}
	return text[:most]
}
