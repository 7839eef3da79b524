package configedit

import (
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"github.com/llm-cli-gateway/gateway/engine/lang"
)

// Entry is what a file of settings is to contain: fields in their order, at a path of
// keys. A table or object that is there already keeps its other fields, and only those of
// Fields that are in Own replace a value.
type Entry struct {
	Path   []string
	Fields lang.Map[any]
	Own    []string
}

// NewEntry is the entry of a client, with the program filled in. Fields that name the
// program are the gateway's own; the others are defaults, which a person may change.
func NewEntry(path []string, fields lang.Map[any], program string) Entry {
	e := Entry{Path: path}
	for key, v := range fields.All() {
		filled, names := fill(v, program)
		e.Fields.Set(key, filled)
		if names {
			e.Own = append(e.Own, key)
		}
	}
	return e
}

// fill replaces {gateway} by the program; names reports whether there was one.
func fill(v any, program string) (filled any, names bool) {
	switch v := v.(type) {
	case string:
		return strings.ReplaceAll(v, lang.SlotGateway, program), strings.Contains(v, lang.SlotGateway)
	case []any:
		out := make([]any, len(v))
		for i, item := range v {
			inner, found := fill(item, program)
			out[i], names = inner, names || found
		}
		return out, names
	case map[string]any:
		out := map[string]any{}
		for _, key := range slices.Sorted(maps.Keys(v)) {
			inner, found := fill(v[key], program)
			out[key], names = inner, names || found
		}
		return out, names
	}
	return v, false
}

// missing are the fields that have to be written, given which there are.
func (e Entry) missing(has func(key string) bool) (out lang.Map[any]) {
	for key, v := range e.Fields.All() {
		if slices.Contains(e.Own, key) || !has(key) {
			out.Set(key, v)
		}
	}
	return out
}

// Edit is the text of a file of settings with the entry added. The ending of its name
// says which syntax it has; an empty text is a new file. The text is unchanged if it has
// the entry.
func Edit(name string, text []byte, e Entry) ([]byte, error) {
	switch strings.ToLower(filepath.Ext(name)) {
	case ".json", ".jsonc":
		return editJSON(text, e)
	case ".toml":
		return editTOML(text, e)
	}
	return nil, fmt.Errorf("%s is neither JSON nor TOML", filepath.Base(name))
}
