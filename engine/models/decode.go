package models

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/pelletier/go-toml/v2"

	"github.com/llm-cli-gateway/gateway/engine/host"
	"github.com/llm-cli-gateway/gateway/engine/lang"
)

// decode reads a document. The errors complete a sentence that begins with the file.
func decode(data []byte, format string) (any, error) {
	data = bytes.TrimPrefix(data, []byte("\xef\xbb\xbf"))
	if len(bytes.TrimSpace(data)) == 0 {
		return nil, nil // a CLI that is installed may have an empty one
	}
	switch format {
	case lang.FormatTOML:
		if host.NestingDepth(data) > host.MaxTOMLDepth {
			return nil, fmt.Errorf("nests deeper than %d levels", host.MaxTOMLDepth)
		}
		var doc map[string]any
		if err := toml.Unmarshal(data, &doc); err != nil {
			line := ""
			var at *toml.DecodeError
			if errors.As(err, &at) {
				row, col := at.Position()
				line = fmt.Sprintf(" at %d:%d", row, col)
			}
			return nil, fmt.Errorf("is not valid TOML%s: %s", line, clean(strings.TrimPrefix(err.Error(), "toml: ")))
		}
		return doc, nil
	case lang.FormatJSON:
		var doc any
		if json.Unmarshal(data, &doc) == nil {
			return doc, nil
		}
		if err := json.Unmarshal(host.PlainJSON(data), &doc); err != nil {
			line := ""
			var at *json.SyntaxError
			if errors.As(err, &at) {
				line = " at line " + strconv.Itoa(1+bytes.Count(data[:min(int(at.Offset), len(data))], []byte("\n")))
			}
			return nil, fmt.Errorf("is not valid JSON%s: %s", line, clean(err.Error()))
		}
		return doc, nil
	}
	return nil, fmt.Errorf("is in format %q, which is only supported for the files of a folder", format)
}

// collect takes from a document what stands at the first of the keys that is there.
func collect(doc any, s lang.SourceSpec) (entries []pair, at string, err error) {
	for _, key := range s.Key {
		for _, value := range valuesAt(doc, strings.Split(key, ".")) {
			found, ok := names(value, s.What())
			if !ok {
				err = fmt.Errorf("has no model name at %q", key)
			}
			entries = append(entries, found...)
		}
		if len(entries) > 0 {
			return entries, key, nil
		}
	}
	return nil, "", err
}

// valuesAt are the values at the end of a path; * is every element.
func valuesAt(value any, path []string) (values []any) {
	if value == nil {
		return nil
	}
	if len(path) == 0 {
		return []any{value}
	}
	switch value := value.(type) {
	case map[string]any:
		if path[0] != "*" {
			return valuesAt(value[path[0]], path[1:])
		}
		for _, key := range sorted(value) {
			values = append(values, valuesAt(value[key], path[1:])...)
		}
	case []any:
		if path[0] != "*" {
			return nil
		}
		for _, item := range value {
			values = append(values, valuesAt(item, path[1:])...)
		}
	}
	return values
}

// names are the models that a value names: a text, and unless it is to be a default also
// a list of texts, or the keys of an object with descriptions.
func names(value any, what string) (entries []pair, ok bool) {
	text, ok := value.(string)
	if _, table := value.(map[string]any); table && what == lang.GivesDefault {
		return nil, true // which another key of the source may look into
	}
	if ok || what == lang.GivesDefault {
		if name := strings.TrimSpace(text); name != "" {
			entries = append(entries, pair{key: name})
		}
		return entries, ok
	}
	switch value := value.(type) {
	case []any:
		for _, item := range value {
			if name, ok := item.(string); ok {
				entries = append(entries, pair{key: strings.TrimSpace(name)})
			}
		}
		return entries, true
	case map[string]any:
		for _, name := range sorted(value) {
			doc, _ := value[name].(string)
			entries = append(entries, pair{name, clean(doc)})
		}
		return entries, true
	}
	return nil, false
}

func sorted[V any](object map[string]V) []string { return slices.Sorted(maps.Keys(object)) }
