package catalog

import (
	"bytes"
	"encoding/json"
)

// encode is marshal for schemas.
func encode(v any) []byte {
	text, err := marshal(v)
	if err != nil {
		panic("plan: schemas are plain data and always encode: " + err.Error())
	}
	return text
}

// marshal is json.Marshal without the escapes that only HTML needs, which a model
// would be shown.
func marshal(v any) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	err := enc.Encode(v)
	return bytes.TrimRight(b.Bytes(), "\n"), err
}
