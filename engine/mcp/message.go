package mcp

import (
	"bytes"
	"encoding/json"
	"errors"
	"strconv"
)

// message is a JSON-RPC message: request, notification or response.
type message struct {
	JSONRPC string          `json:"jsonrpc"`
	ID      json.RawMessage `json:"id"`
	Method  *string         `json:"method"`
	Params  json.RawMessage `json:"params"`
	Result  json.RawMessage `json:"result"`
	Error   json.RawMessage `json:"error"`
}

// rpcError is the error member of a response.
type rpcError struct {
	Code    int    `json:"code"`
	Message string `json:"message"`
	Data    any    `json:"data,omitempty"`
}

func newError(code int, message string) *rpcError { return &rpcError{Code: code, Message: message} }

const (
	codeParse    = -32700
	codeInvalid  = -32600
	codeNoMethod = -32601
	codeParams   = -32602
	codeInternal = -32603
	codeBusy     = -32000

	codeNoResource = -32002 // up to 2025-11-25
)

// parse decodes a message. It does not alias b. A message with an error may still have a
// usable ID.
func parse(b []byte) (message, *rpcError) {
	var m message
	err := json.Unmarshal(b, &m)
	var syntax *json.SyntaxError
	switch {
	case errors.As(err, &syntax):
		return message{ID: unreadableID(b)}, newError(codeParse, "not valid JSON: "+err.Error())
	case err != nil:
		return m, newError(codeInvalid, "not a JSON-RPC message: "+err.Error())
	case m.JSONRPC != "2.0":
		return m, newError(codeInvalid, `"jsonrpc" must be "2.0"`)
	case m.Method == nil && m.Result == nil && m.Error == nil:
		return m, newError(codeInvalid, `a message needs a "method", a "result" or an "error"`)
	case m.Method != nil && (m.Result != nil || m.Error != nil):
		return m, newError(codeInvalid, `a message with a "method" cannot have a "result" or an "error"`)
	case m.Method != nil && m.ID != nil && idKey(m.ID) == "":
		return m, newError(codeInvalid, `"id" must be a string or a number`)
	}
	return m, nil
}

// idKey is equal for equal request ids: 1 and 1.0 are equal, 1 and "1" are not. It is
// empty for anything that cannot be an id.
func idKey(raw json.RawMessage) string {
	if len(raw) == 0 {
		return ""
	}
	switch c := raw[0]; {
	case c == '"':
		var s string
		if json.Unmarshal(raw, &s) != nil {
			return ""
		}
		return `"` + s
	case c == '-' || '0' <= c && c <= '9':
		f, err := strconv.ParseFloat(string(raw), 64)
		if err == nil && f == float64(int64(f)) && -1<<53 < f && f < 1<<53 {
			return strconv.FormatInt(int64(f), 10)
		}
		return string(raw)
	}
	return ""
}

// callParams are the params of tools/call.
type callParams struct {
	Name           *string         `json:"name"`
	Arguments      json.RawMessage `json:"arguments"`
	Meta           json.RawMessage `json:"_meta"`
	InputResponses json.RawMessage `json:"inputResponses"`
	RequestState   json.RawMessage `json:"requestState"`
}

// progressToken is the token in a _meta, verbatim, or nil.
func progressToken(meta json.RawMessage) json.RawMessage {
	var m struct {
		Token json.RawMessage `json:"progressToken"`
	}
	if json.Unmarshal(meta, &m) != nil || idKey(m.Token) == "" {
		return nil
	}
	return m.Token
}

// marshal is json.Marshal without the escaping that is meant for HTML, which
// some clients would show to their models.
func marshal(v any) ([]byte, error) {
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(buf.Bytes(), []byte("\n")), nil
}
