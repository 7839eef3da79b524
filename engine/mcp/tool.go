package mcp

import (
	"bytes"
	"context"
	"encoding/json"
	"unicode/utf8"

	"github.com/llm-cli-gateway/gateway/engine/call"
)

// Tool is one entry of the listing.
type Tool struct {
	Name        string // [A-Za-z0-9._-]{1,128}, unique in a listing
	Title       string // for people; optional
	Description string // for models

	// InputSchema is a JSON Schema object, passed to clients verbatim.
	InputSchema json.RawMessage
	// OutputSchema describes Result's structured content; nil when there is none.
	OutputSchema json.RawMessage

	// The four hints of MCP's annotations. All are listed, also when false.
	ReadOnly, Destructive, Idempotent, OpenWorld bool
	// Brief leaves out those hints that say what MCP assumes anyway.
	Brief bool
	// Unlisted tools are not shown and answer like the others. Only the Name counts.
	Unlisted bool

	// Meta is the tool's _meta, by namespaced key; nil when there is none.
	Meta map[string]any
}

// Caller has the tools and resources that a server serves. Its methods are called
// concurrently.
type Caller interface {
	// Tools returns the current tools. It is called by [New] and [Server.ListChanged],
	// never per request.
	Tools() []Tool
	// Call runs one tool to its end. It is only called with the name of one of Tools,
	// but they may change in between. When ctx ends, [context.Cause] says why:
	// a [*CancelError], [ErrClientGone] or [ErrStopping].
	//
	// The request has the tool's name, its arguments, a JSON object that is not validated
	// ({} when none were sent), and what the client can be asked. ListRoots takes two
	// seconds at most and is cached while the client reports no change. Progress never
	// blocks, may be called from any goroutine and at any rate: the newest message wins, at
	// most four per second are sent, and none after the result.
	Call(ctx context.Context, req call.Request) Result
	// Resources returns what can be read. It is called once, by [New].
	Resources() []Resource
	// Read returns what is at a URI, which can be any text that a client sends. The
	// error is a [*NoResourceError] if there is nothing.
	Read(ctx context.Context, uri string) (Contents, error)
}

// Result is the end of a call. What a user or a model can fix is a Result
// with IsError, never a protocol error.
type Result struct {
	Text       []string        // one text block each
	Structured json.RawMessage // a JSON object, or nil
	// Tail, when it has a Name, is appended to Structured, which must not have a member
	// of that name, as the last member. A long answer belongs here: it is written without
	// being copied into a JSON document first, and clients that shorten results keep the
	// beginning.
	Tail    Member
	IsError bool
	// NeedInput asks for something of the client, and for another call; see
	// [call.Interaction]. All other fields are then ignored.
	NeedInput *call.InputRequired
}

// Member is a string member of a JSON object.
type Member struct{ Name, Value string }

// tidy makes r encodable and returns what prevents that, or nothing.
func (r *Result) tidy() string {
	if r.Structured == nil {
		return ""
	}
	if !utf8.Valid(r.Structured) {
		r.Structured = bytes.ToValidUTF8(r.Structured, []byte("\ufffd"))
	}
	r.Structured = bytes.TrimSpace(r.Structured)
	if !object(r.Structured) {
		return "its structured content is not a JSON object"
	}
	return ""
}
