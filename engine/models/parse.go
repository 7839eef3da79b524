package models

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/llm-cli-gateway/gateway/engine/lang"
	"github.com/llm-cli-gateway/gateway/engine/secret"
)

// Bounds of what a variable may say.
const (
	maxValue   = 64 << 10 // bytes
	maxEntries = 500
	maxDoc     = 300 // characters of a description
)

// pair is an alias and what it stands for, or a model and what is told of it.
type pair struct{ key, value string }

var tooMuch = fmt.Sprintf("more than %d entries or %d bytes; all of it is ignored", maxEntries, maxValue)

// parsePairs reads alias=model, separated by commas or lines, or a JSON object, in which
// an alias may also stand below the name of its CLI. In JSON "" is the CLI's own default.
func parsePairs(text string, secrets *secret.Finder) (pairs []pair, wrong []string) {
	text = strings.TrimSpace(text)
	switch {
	case len(text) > maxValue:
		return nil, []string{tooMuch}
	case strings.HasPrefix(text, "{"):
		var object lang.Map[any]
		if err := strictJSON(text, &object); err != nil {
			return nil, []string{notJSON(err)}
		}
		for key, value := range object.All() {
			pairs, wrong = flatten(secrets, pairs, wrong, key, value)
		}
	default:
		for _, item := range items(text) {
			key, value, ok := strings.Cut(item, "=")
			p := pair{strings.TrimSpace(key), strings.TrimSpace(value)}
			if !ok || p.key == "" || p.value == "" {
				wrong = append(wrong, fmt.Sprintf("%s is not alias=model", quoted(secrets, item)))
				continue
			}
			pairs = append(pairs, p)
		}
	}
	if len(pairs) > maxEntries {
		return nil, []string{tooMuch}
	}
	return pairs, wrong
}

func flatten(secrets *secret.Finder, pairs []pair, wrong []string, key string, value any) ([]pair, []string) {
	switch value := value.(type) {
	case string:
		return append(pairs, pair{key, strings.TrimSpace(value)}), wrong
	case map[string]any:
		for _, alias := range sorted(value) {
			if model, ok := value[alias].(string); ok {
				pairs = append(pairs, pair{key + "." + alias, strings.TrimSpace(model)})
			} else {
				wrong = append(wrong, fmt.Sprintf("%s must be a model name", quoted(secrets, key+"."+alias)))
			}
		}
		return pairs, wrong
	}
	return pairs, append(wrong, fmt.Sprintf("%s must be a model name", quoted(secrets, key)))
}

// parseModels reads names of models, separated by commas or lines, a JSON array of them,
// or a JSON object in which each has its description.
func parseModels(text string, secrets *secret.Finder) (models []pair, wrong []string) {
	text = strings.TrimSpace(text)
	switch {
	case len(text) > maxValue:
		return nil, []string{tooMuch}
	case strings.HasPrefix(text, "{"):
		var object lang.Map[any]
		if err := strictJSON(text, &object); err != nil {
			return nil, []string{notJSON(err)}
		}
		for name, doc := range object.All() {
			described, ok := doc.(string)
			if !ok && doc != nil {
				wrong = append(wrong, fmt.Sprintf("the description of %s must be text", quoted(secrets, name)))
			}
			models = append(models, pair{name, clean(described)})
		}
	case strings.HasPrefix(text, "["):
		var list []any
		if err := strictJSON(text, &list); err != nil {
			return nil, []string{notJSON(err)}
		}
		for i, item := range list {
			name, ok := item.(string)
			if !ok {
				wrong = append(wrong, fmt.Sprintf("element %d must be a model name", i+1))
				continue
			}
			models = append(models, pair{key: name})
		}
	default:
		for _, name := range items(text) {
			models = append(models, pair{key: name})
		}
	}
	if len(models) > maxEntries {
		return nil, []string{tooMuch}
	}
	return models, wrong
}

// items are the parts of a list, without those that are empty.
func items(text string) (parts []string) {
	for _, part := range strings.FieldsFunc(text, func(c rune) bool { return c == ',' || c == '\n' || c == '\r' }) {
		if part = strings.TrimSpace(part); part != "" {
			parts = append(parts, part)
		}
	}
	return parts
}

// strictJSON decodes a text that is one value and nothing behind it.
func strictJSON(text string, into any) error { return json.Unmarshal([]byte(text), into) }

func notJSON(err error) string {
	var syntax *json.SyntaxError
	if errors.As(err, &syntax) {
		return fmt.Sprintf("not valid JSON, at byte %d: %s; all of it is ignored", syntax.Offset, err)
	}
	return fmt.Sprintf("not valid JSON: %s; all of it is ignored", err)
}

// clean makes a line of moderate length out of a description.
func clean(text string) string {
	text = strings.Join(strings.Fields(strings.Map(func(c rune) rune {
		if c < ' ' || c == 0x7f {
			return ' '
		}
		return c
	}, text)), " ")
	if runes := []rune(text); len(runes) > maxDoc {
		return string(runes[:maxDoc-1]) + "…"
	}
	return text
}
