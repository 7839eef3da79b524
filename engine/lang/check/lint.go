package check

import (
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"

	"github.com/llm-cli-gateway/gateway/engine/catalog"
)

// Limits that the clients in use set; see Lint.
const (
	maxToolName     = 40
	maxDescription  = 1000
	maxPropertyDoc  = 300
	maxOutputSchema = 700
)

var (
	toolName     = regexp.MustCompile(`^[a-z][a-z0-9_]*$`)
	propertyName = regexp.MustCompile(`^[a-zA-Z_][a-zA-Z0-9_]{0,63}$`)
)

// portable are the keywords of JSON Schema that every known client takes. Others
// make some client drop the tool, or all tools of the server.
var portable = map[string]bool{
	"type": true, "properties": true, "required": true, "additionalProperties": true, "description": true, "enum": true,
	"items": true, "default": true, "minimum": true, "maximum": true, "minLength": true, "maxLength": true, "pattern": true, "maxItems": true,
}

var scalarTypes = map[string]bool{"string": true, "boolean": true, "integer": true, "number": true, "array": true, "object": true}

// Lint holds the listing of a tool against the subset of JSON Schema, the names
// and the lengths that all known clients take. It returns one line a violation.
func Lint(t catalog.Tool) []string {
	l := &linter{}
	if !toolName.MatchString(t.Name) || len(t.Name) > maxToolName {
		l.add("name %q: want %s, at most %d characters", t.Name, toolName, maxToolName)
	}
	if t.Description == "" || len(t.Description) > maxDescription {
		l.add("description has %d bytes: want 1 to %d", len(t.Description), maxDescription)
	}
	l.root("input", t.Input, !t.Brief)
	if t.Output != nil {
		l.root("output", t.Output, false)
		if len(t.Output) > maxOutputSchema {
			l.add("output schema has %d bytes, at most %d are useful", len(t.Output), maxOutputSchema)
		}
	}
	return l.found
}

type linter struct{ found []string }

func (l *linter) add(format string, args ...any) {
	l.found = append(l.found, fmt.Sprintf(format, args...))
}

func (l *linter) root(at string, raw json.RawMessage, closed bool) {
	var schema map[string]any
	if err := json.Unmarshal(raw, &schema); err != nil {
		l.add("%s: not valid JSON: %v", at, err)
		return
	}
	if schema["type"] != "object" {
		l.add(`%s: the root must have type "object"`, at)
	}
	if closed && schema["additionalProperties"] != false {
		l.add("%s: the root must have additionalProperties false", at)
	}
	for _, key := range slices.Sorted(maps.Keys(schema)) {
		switch key {
		case "type", "properties", "required", "additionalProperties":
		default:
			l.add("%s: the root has %q", at, key)
		}
	}
	delete(schema, "additionalProperties")
	l.schema(at, schema)
}

func (l *linter) schema(at string, schema map[string]any) {
	kind, _ := schema["type"].(string)
	if either := anyList(schema["type"]); len(either) == 2 && either[1] == "null" {
		kind, _ = either[0].(string)
	}
	if !scalarTypes[kind] {
		l.add("%s: type must be one of the plain types, not %v", at, schema["type"])
	}
	for _, key := range slices.Sorted(maps.Keys(schema)) {
		if !portable[key] {
			l.add("%s: %q is not understood everywhere", at, key)
		}
	}
	if doc, ok := schema["description"].(string); ok && len(doc) > maxPropertyDoc+200 {
		l.add("%s: description has %d bytes, at most %d are shown", at, len(doc), maxPropertyDoc+200)
	}
	if enum, ok := schema["enum"].([]any); ok {
		for _, v := range enum {
			if s, ok := v.(string); !ok || s == "" {
				l.add("%s: enum values must be non-empty strings, not %v", at, v)
			}
		}
	}
	l.nested(at, schema, kind)
}

func (l *linter) nested(at string, schema map[string]any, kind string) {
	if kind == "array" {
		items, ok := schema["items"].(map[string]any)
		if !ok {
			l.add("%s: a list needs typed items", at)
		} else {
			l.schema(at+".items", items)
		}
	}
	if extra, ok := schema["additionalProperties"].(map[string]any); ok {
		l.schema(at+".*", extra)
	}
	properties, _ := schema["properties"].(map[string]any)
	for _, name := range slices.Sorted(maps.Keys(properties)) {
		if !propertyName.MatchString(name) {
			l.add("%s: property name %q: want %s", at, name, propertyName)
		}
		if property, ok := properties[name].(map[string]any); ok {
			l.schema(at+"."+name, property)
		} else {
			l.add("%s.%s: a schema must be an object", at, name)
		}
	}
	for _, name := range anyList(schema["required"]) {
		if _, ok := properties[fmt.Sprint(name)]; !ok {
			l.add("%s: required property %v does not exist", at, name)
		}
	}
}

func anyList(v any) []any { l, _ := v.([]any); return l }
