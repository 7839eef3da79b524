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
