package mcp

import (
	"bytes"
	"encoding/json"
	"regexp"
	"sync"

	"github.com/llm-cli-gateway/gateway/engine/mcp/stdio"
)

// tailID finds an id at the very end of a message, where the TypeScript SDK writes it,
// alone or before other short members. In valid JSON it cannot match inside a string or
// a nested object.
var tailID = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(
		`"id"\s*:\s*("(?:[^"\\]|\\.)*"|-?[0-9][0-9.eE+-]*)\s*(?:,\s*"(?:jsonrpc|method)"\s*:\s*"[^"\\]*"\s*)*\}\s*$`)
})

// recoverID is the id of a request of which only the two ends are left, or nil.
func recoverID(long *stdio.TooLongError) json.RawMessage {
	id, answer := headID(long.Head)
	if answer {
		return nil
	}
	if id == nil {
		if m := tailID().FindSubmatch(long.Tail); m != nil {
			id = m[1]
		}
	}
	if !json.Valid(id) || idKey(id) == "" {
		return nil
	}
	return id
}

// headID looks for the id among the members at the head of a truncated
// message. answer is set when the message is a response.
func headID(head []byte) (id json.RawMessage, answer bool) {
	dec := json.NewDecoder(bytes.NewReader(head))
	if t, err := dec.Token(); err != nil || t != json.Delim('{') {
		return nil, false
	}
	for dec.More() {
		name, err := dec.Token()
		if err != nil {
			return id, false
		}
		if name == "result" || name == "error" {
			return nil, true
		}
		var value json.RawMessage
		if dec.Decode(&value) != nil {
			return id, false
		}
		if name == "id" {
			id = value
		}
	}
	return id, false
}
