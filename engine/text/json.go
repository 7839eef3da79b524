package text

import (
	"bytes"
	"encoding/json"
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
