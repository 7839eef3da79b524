package text

import (
	"bytes"
	"encoding/json"
	"strings"
)

// MustJSON is marshal for schemas.
func MustJSON(v any) []byte {
	text, err := JSON(v)
	if err != nil {
		panic("text: schemas are plain data and always encode: " + err.Error())
	}
	return text
}

// JSON is json.Marshal without the escapes that only HTML needs, which a model
// would be shown.
func JSON(v any) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	err := enc.Encode(v)
	return bytes.TrimRight(b.Bytes(), "\n"), err
}

// JSONList is the list that a text is in JSON, with its numbers as they are written; ok is
// false if it is none.
func JSONList(s string) (list []any, ok bool) {
	if !strings.HasPrefix(s, "[") {
		return nil, false
	}
	dec := json.NewDecoder(strings.NewReader(s))
	dec.UseNumber()
	if dec.Decode(&list) != nil || dec.More() {
		return nil, false
	}
	return list, true
}

// MergeJSON lays one JSON object over another: what both have is merged if it is an object,
// else taken from the one above. Where either is no object, it is the one above.
func MergeJSON(below, above string) string {
	var a, b map[string]any
	if json.Unmarshal([]byte(below), &a) != nil || json.Unmarshal([]byte(above), &b) != nil || a == nil || b == nil {
		return above
	}
	return string(MustJSON(Overlay(a, b)))
}

// Overlay lays one JSON value over another: objects field by field, anything else as a whole.
// The objects below are changed.
func Overlay(below, above any) any {
	into, ok := below.(map[string]any)
	fields, both := above.(map[string]any)
	if !ok || !both {
		return above
	}
	for key, value := range fields {
		if old, there := into[key]; there {
			value = Overlay(old, value)
		}
		into[key] = value
	}
	return into
}
