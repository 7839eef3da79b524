// Package editorschema makes a JSON Schema of the spec language, by which editors of YAML
// complete and explain what a spec may say.
//
// It hides what CUE makes of the schema, which is true and not easy to read. It must not
// know how specs are read.
package editorschema

import (
	"encoding/json"
	"fmt"

	"cuelang.org/go/cue"
	"cuelang.org/go/cue/cuecontext"
	"cuelang.org/go/encoding/jsonschema"

	"github.com/llm-cli-gateway/gateway/schema"
)

// JSONSchema is the schema of a spec file as a JSON Schema, for editors of YAML. A file
// may be a patch for a lower layer: no field is required in it but those of the elements
// of lists, and every other one can be null.
func JSONSchema() ([]byte, error) {
	ctx := cuecontext.New()
	file := ctx.CompileString(schema.Text, cue.Filename("schema.cue")).LookupPath(cue.ParsePath("#File"))
	expr, err := jsonschema.Generate(file, &jsonschema.GenerateConfig{})
	if err != nil {
		return nil, fmt.Errorf("cannot make a JSON Schema: %w", err)
	}
	text, err := ctx.BuildExpr(expr, cue.InferBuiltins(true)).MarshalJSON()
	if err != nil {
		return nil, fmt.Errorf("cannot write the JSON Schema: %w", err)
	}
	var root map[string]any
	if err := json.Unmarshal(text, &root); err != nil {
		return nil, fmt.Errorf("cannot read the JSON Schema: %w", err)
	}
	root["title"] = "A spec of the LLM CLI gateway"
	g := generated{elements: map[string]bool{}}
	g.find(root)
	defs, _ := root["$defs"].(map[string]any)
	for name, def := range defs {
		defs[name] = g.tidy(def, g.elements["#/$defs/"+name])
	}
	delete(root, "$defs")
	root, _ = g.tidy(root, false).(map[string]any)
	root["$defs"] = defs
	return json.MarshalIndent(root, "", "  ")
}

// generated is a JSON Schema as CUE makes it, true but not easy to read for a person.
type generated struct {
	elements map[string]bool // definitions of elements of lists, which are written whole
}

// find looks for the definitions of elements.
func (g generated) find(v any) {
	switch v := v.(type) {
	case []any:
		for _, item := range v {
			g.find(item)
		}
	case map[string]any:
		if items, ok := v["items"].(map[string]any); ok {
			if ref, ok := items["$ref"].(string); ok {
				g.elements[ref] = true
			}
		}
		for _, inner := range v {
			g.find(inner)
		}
	}
}

// tidy puts a schema in the words that editors explain best. A whole one is not a patch.
func (g generated) tidy(v any, whole bool) any {
	s, ok := v.(map[string]any)
	if !ok {
		return v
	}
	if object, ok := s["const"].(map[string]any); ok && len(object) == 0 { // {...}
		delete(s, "const")
		s["type"] = "object"
	}
	if not, ok := s["not"].(map[string]any); ok && not["const"] == "" {
		delete(s, "not")
		s["minLength"] = 1
	}
	if !whole {
		delete(s, "required")
	}
	if items, ok := s["items"]; ok {
		s["items"] = g.tidy(items, true)
	}
	for _, key := range []string{"properties", "patternProperties"} {
		fields, _ := s[key].(map[string]any)
		for name, field := range fields {
			fields[name] = g.tidy(field, whole)
			if !whole {
				fields[name] = orNull(fields[name])
			}
		}
	}
	if more, ok := s["additionalProperties"].(map[string]any); ok {
		s["additionalProperties"] = orNull(g.tidy(more, whole))
	}
	return g.alternatives(s, whole)
}

// alternatives leaves out those that only carry an error message, and joins equal ones.
func (g generated) alternatives(s map[string]any, whole bool) any {
	for _, key := range []string{"anyOf", "allOf", "oneOf"} {
		arms, ok := s[key].([]any)
		if !ok {
			continue
		}
		kept, texts := []any{}, []any{}
		for _, arm := range arms {
			object, ok := g.tidy(arm, whole).(map[string]any)
			if !ok { // false
				continue
			}
			if text, ok := object["const"].(string); ok && len(object) == 1 && key == "anyOf" {
				texts = append(texts, text)
				continue
			}
			if key == "allOf" && len(object) == 1 && object["type"] == "number" { // and an integer
				continue
			}
			kept = append(kept, object)
		}
		if len(texts) > 0 {
			kept = append(kept, map[string]any{"type": "string", "enum": texts})
		}
		s[key] = kept
		if len(kept) == 1 && fitsBeside(s, kept[0].(map[string]any)) {
			delete(s, key)
			for k, v := range kept[0].(map[string]any) {
				s[k] = v
			}
		}
	}
	return s
}

// fitsBeside reports whether an alternative has no field that stands beside it already.
func fitsBeside(s, arm map[string]any) bool {
	for k := range arm {
		if _, taken := s[k]; taken {
			return false
		}
	}
	return true
}

// orNull admits null, which takes away what a lower layer says.
func orNull(v any) any {
	s, ok := v.(map[string]any)
	if !ok {
		return v
	}
	if kind, ok := s["type"].(string); ok {
		s["type"] = []any{kind, "null"}
		if enum, ok := s["enum"].([]any); ok {
			s["enum"] = append(enum, nil)
		}
		return s
	}
	if arms, ok := s["anyOf"].([]any); ok {
		s["anyOf"] = append(arms, map[string]any{"type": "null"})
		return s
	}
	inner, out := map[string]any{}, map[string]any{}
	for k, v := range s {
		if k == "description" {
			out[k] = v
		} else {
			inner[k] = v
		}
	}
	if len(inner) == 0 {
		return s // anything
	}
	out["anyOf"] = []any{inner, map[string]any{"type": "null"}}
	return out
}
