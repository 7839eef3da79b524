package tools

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"github.com/llm-cli-gateway/gateway/engine/catalog"
)

// KVArgs makes arguments out of key=value words, as a person types them. The kind of
// a parameter says how its value is read; a list takes one element a pair, or a JSON
// array. What cannot be read that way is passed on as text, so that the complaint
// about it is the same as for any other caller.
func (t *Tools) KVArgs(tool string, words []string) (json.RawMessage, error) {
	found, problem := find(t.Catalog(), tool)
	if problem != "" {
		return nil, fmt.Errorf("%s", problem)
	}
	args := map[string]any{}
	for _, word := range words {
		key, text, ok := strings.Cut(word, "=")
		if !ok {
			return nil, fmt.Errorf("%q is not key=value", word)
		}
		kind := catalog.String
		if p, ok := found.param(key); ok {
			kind = p.Kind
		}
		if _, twice := args[key]; twice && kind != catalog.List {
			return nil, fmt.Errorf("%s is given twice", key)
		}
		if kind == catalog.List {
			list, _ := args[key].([]any)
			args[key] = append(append([]any{}, list...), elements(text)...) // none is a list too
			continue
		}
		args[key] = typed(kind, text)
	}
	return encode(args), nil
}

func elements(text string) []any {
	var list []any
	if strings.HasPrefix(text, "[") && json.Unmarshal([]byte(text), &list) == nil {
		return list
	}
	return []any{text}
}

func typed(kind catalog.Kind, text string) any {
	switch kind {
	case catalog.Bool:
		if v, err := strconv.ParseBool(text); err == nil {
			return v
		}
	case catalog.Int, catalog.Number:
		var n json.Number
		if !strings.HasPrefix(text, `"`) && json.Unmarshal([]byte(text), &n) == nil && n != "" {
			return n
		}
	}
	return text
}
