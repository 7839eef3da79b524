package mcp

import (
	"bytes"
	"encoding/json"
	"errors"
	"strconv"
)

// message is the JSON-RPC frame of a line: what is needed to route it.
type message struct {
	JSONRPC string          `json:"jsonrpc"`
	ID      json.RawMessage `json:"id"`
	Method  *string         `json:"method"`
	Params  json.RawMessage `json:"params"`
	Result  json.RawMessage `json:"result"`
	Error   json.RawMessage `json:"error"`
}

// rpcError is the error member of an answer.
type rpcError struct {
	Code    int    `json:"code"`
	Message string `json:"message"`
}

const (
	codeParse    = -32700
	codeInvalid  = -32600
	codeParams   = -32602
	codeInternal = -32603
	codeBusy     = -32000

	codeNoResource = -32002 // up to 2025-11-25
)

// parse splits b into its parts. The parts do not alias b. A message with an
// error may still carry a usable ID.
func parse(b []byte) (message, *rpcError) {
	var m message
	err := json.Unmarshal(b, &m)
	var syntax *json.SyntaxError
	switch {
	case errors.As(err, &syntax):
		return message{}, &rpcError{codeParse, "not valid JSON: " + err.Error()}
	case err != nil:
		return m, &rpcError{codeInvalid, "not a JSON-RPC message: " + err.Error()}
	case m.JSONRPC != "2.0":
		return m, &rpcError{codeInvalid, `"jsonrpc" must be "2.0"`}
	case m.Method == nil && m.Result == nil && m.Error == nil:
		return m, &rpcError{codeInvalid, `a message needs a "method", a "result" or an "error"`}
	case m.Method != nil && (m.Result != nil || m.Error != nil):
		return m, &rpcError{codeInvalid, `a message with a "method" cannot have a "result" or an "error"`}
	case m.Method != nil && m.ID != nil && idKey(m.ID) == "":
		return m, &rpcError{codeInvalid, `"id" must be a string or a number`}
	}
	return m, nil
}

// idKey is the identity of a request id: 1 and 1.0 are the same, 1 and "1" are
// not. It is empty for anything that cannot be an id.
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

// callParams is what tools/call carries.
type callParams struct {
	Name           *string         `json:"name"`
	Arguments      json.RawMessage `json:"arguments"`
	Meta           json.RawMessage `json:"_meta"`
	InputResponses json.RawMessage `json:"inputResponses"`
	RequestState   json.RawMessage `json:"requestState"`
}

// slimCall is the tools/call that mcp-go gets to see: another name, and no
// arguments, which it would decode five times over.
func slimCall(id json.RawMessage, name string, p callParams) (json.RawMessage, error) {
	type params struct {
		Name           string          `json:"name"`
		Meta           json.RawMessage `json:"_meta,omitempty"`
		InputResponses json.RawMessage `json:"inputResponses,omitempty"`
		RequestState   json.RawMessage `json:"requestState,omitempty"`
	}
	return json.Marshal(struct {
		JSONRPC string          `json:"jsonrpc"`
		ID      json.RawMessage `json:"id"`
		Method  string          `json:"method"`
		Params  params          `json:"params"`
	}{"2.0", id, "tools/call", params{name, p.Meta, p.InputResponses, p.RequestState}})
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
