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

// unreadableID is the id of a request that is no valid JSON, or nil where none can be told
// for certain: it stands among the members of the object itself, once, and no member says
// that the message is a response.
func unreadableID(line []byte) (id json.RawMessage) {
	depth := 0
	for i := 0; i < len(line); i++ {
		switch line[i] {
		case '{', '[':
			depth++
		case '}', ']':
			depth--
		case '"':
			end := textEnd(line, i)
			name := line[i:end]
			i = end - 1
			rest := bytes.TrimLeft(line[end:], " \t")
			if depth != 1 || len(rest) == 0 || rest[0] != ':' {
				continue
			}
			switch string(name) {
			case `"result"`, `"error"`:
				return nil
			case `"id"`:
				value := scalar(bytes.TrimLeft(rest[1:], " \t"))
				if id != nil || idKey(value) == "" || !json.Valid(value) {
					return nil
				}
				id = bytes.Clone(value)
			}
		}
	}
	return id
}

// textEnd is where the string that begins at start ends: behind its closing quote.
func textEnd(line []byte, start int) int {
	for i := start + 1; i < len(line); i++ {
		switch line[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		}
	}
	return len(line)
}

// scalar is the string, number or word at the beginning of b; nil if it may go on behind b.
func scalar(b []byte) []byte {
	if len(b) > 0 && b[0] == '"' {
		return b[:textEnd(b, 0)]
	}
	if end := bytes.IndexAny(b, ",} \t"); end >= 0 {
		return b[:end]
	}
	return nil
}
