package mcp

import (
	"bytes"
	"context"
	"encoding/json"
	"unicode/utf8"
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
	Call(ctx context.Context, c Call) Result
	// Resources returns what can be read. It is called once, by [New].
	Resources() []Resource
	// Read returns what is at a URI, which can be any text that a client sends. The
	// error is a [*NoResourceError] if there is nothing.
	Read(ctx context.Context, uri string) (Contents, error)
}

// Call is one tools/call.
type Call struct {
	Name   string
	Args   json.RawMessage // a JSON object, verbatim, not validated; {} when none were sent
	Client ClientInfo      // as the client describes itself; unverified, may be empty

	// Roots asks the client for its root directories (absolute paths, possibly
	// none); nil when the client declared no roots. The answer is cached while
	// the connection lasts and the client reports no change. It takes at most
	// two seconds.
	Roots func(ctx context.Context) ([]string, error)
	// RootsNextRound says that Roots cannot be asked while this call runs: the
	// newest protocol has no requests from server to client. A tool that wants
	// them returns Result{NeedRoots: true} before it does anything else, and is
	// called again with Roots answering at once.
	RootsNextRound bool

	// Ask shows a text to the person in front of the client, who accepts it or not; nil
	// when the client declared no elicitation, or none by form. It waits for as long as
	// ctx lasts. An error says that nobody was asked.
	Ask func(ctx context.Context, text string) (Reply, error)
	// AskNextRound says that the client can ask, but not while this call runs, as with
	// RootsNextRound: a tool that wants to returns a Result with a Question before it
	// does anything else, and is called again with the Answer.
	AskNextRound bool
	Answer       *Answer

	// Progress tells the client what is going on; nil when it did not ask. It
	// never blocks, may be called from any goroutine and at any rate: newest
	// wins, at most four per second are sent, and none after the result. A call
	// that is silent for ten seconds has its last message repeated.
	Progress func(message string)
}

// Reply is what a person did with a question.
type Reply string

const (
	Accepted Reply = "accept"
	Declined Reply = "decline" // said no
	Dropped  Reply = "cancel"  // closed the form without an answer
)

// Question is put to the person in front of the client. The state is the tool's, and
// comes back with the answer; a client can see it and return another.
type Question struct{ Text, State string }

// Answer is the reply to a question of an earlier round.
type Answer struct {
	Reply Reply
	State string
}

// ClientInfo is the name and version by which a client introduced itself.
type ClientInfo struct{ Name, Version string }

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
	// NeedRoots asks for the client's roots and another call; see
	// [Call.RootsNextRound]. All other fields are then ignored.
	NeedRoots bool
	// Question asks the person in front of the client, and for another call; see
	// [Call.AskNextRound]. All other fields are then ignored.
	Question *Question
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
