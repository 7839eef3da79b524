package argvalue

import (
	"encoding/json"
	"slices"
	"strings"

	"github.com/llm-cli-gateway/gateway/engine/text"
)

// ReadBool reads a truth value out of a text.
func ReadBool(s string) (v, ok bool) {
	lower := strings.ToLower(strings.TrimSpace(s))
	return lower == "true", lower == "true" || lower == "false"
}

// ReadNumber reads a number out of a text.
func ReadNumber(s string) (v json.Number, ok bool) {
	word := strings.TrimSpace(s)
	return json.Number(word), word != "" && strings.Trim(word, "+-.0123456789eE") == "" && json.Valid([]byte(word))
}

// ReadList reads a list out of a text: a JSON array, or its only element, which may be one of
// the values of an enum.
func ReadList(s string, enum []string) (v []any, ok bool) {
	word := strings.TrimSpace(s)
	if list, ok := text.JSONList(word); ok {
		return Texts(list), true
	}
	// What has nothing at which anybody would split it can only be one element.
	ok = word != "" && !strings.ContainsAny(word, " \t\r\n,;|\"'`[]{}") || slices.Contains(enum, word)
	return []any{word}, ok
}

// Texts is a list with its numbers as texts.
func Texts(list []any) []any {
	out := make([]any, len(list))
	for i, v := range list {
		if n, ok := v.(json.Number); ok {
			v = n.String()
		}
		out[i] = v
	}
	return out
}
