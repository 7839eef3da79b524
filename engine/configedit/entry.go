package configedit

import (
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"github.com/llm-cli-gateway/gateway/engine/lang"
)

// Entry is what is to stand in a file of settings: fields in their order, at a path of
// keys. Where a table or object stands there already, those of its fields that belong to
// somebody else stay as they are: of Fields only those in Own replace others.
type Entry struct {
	Path   []string
	Fields lang.Map[any]
	Own    []string
}

// NewEntry is the entry of a client, with the program in its place. What names the
// program is the gateway's own; the rest is a proposal.
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

// fill puts the program where {gateway} stands; names reports whether it did.
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

// missing are the fields that are to be written beside those that are there.
func (e Entry) missing(has func(key string) bool) (out lang.Map[any]) {
	for key, v := range e.Fields.All() {
		if slices.Contains(e.Own, key) || !has(key) {
			out.Set(key, v)
		}
	}
	return out
}

// Edit is the text of a file of settings with the entry in it. The ending of its name
// says in which syntax it is written; an empty text is a new file. It is the same text
// if the entry stands there.
func Edit(name string, text []byte, e Entry) ([]byte, error) {
	switch strings.ToLower(filepath.Ext(name)) {
	case ".json", ".jsonc":
		return editJSON(text, e)
	case ".toml":
		return editTOML(text, e)
	}
	return nil, fmt.Errorf("%s is neither JSON nor TOML", filepath.Base(name))
}
