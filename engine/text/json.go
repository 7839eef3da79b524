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
	return string(MustJSON(merge(a, b)))
}

func merge(below, above map[string]any) map[string]any {
	for key, value := range above {
		b, isObject := below[key].(map[string]any)
		a, ok := value.(map[string]any)
		if isObject && ok {
			value = merge(b, a)
		}
		below[key] = value
	}
	return below
}
