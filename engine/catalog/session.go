package catalog

import (
	"maps"
	"regexp"

	"github.com/llm-cli-gateway/gateway/engine/lang"
)

// SessionChoice is what the arguments of a call say about its conversation.
type SessionChoice struct {
	ID                    string // sessionId
	Continue, Latest, New bool   // continueSession, resumeLatest, createNewSession
}

// OwnPrefix begins the ids of sessions whose CLI chooses its ids itself.
const OwnPrefix = "gw-"

var ownID = regexp.MustCompile(`^` + OwnPrefix + `[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`)

// OwnID reports whether an id is one that a gateway made for itself.
func OwnID(id string) bool { return ownID.MatchString(id) }

// AcceptsID reports whether the CLI can be given the id.
func (c *CLI) AcceptsID(id string) bool { return c.id.MatchString(id) }

// Converses reports whether conversations of the CLI can be continued by their ids.
func (c *CLI) Converses() bool { return len(c.Session.Resume) > 0 }

// FindsLatest reports whether the CLI itself finds the newest conversation.
func (c *CLI) FindsLatest() bool { return len(c.Session.Latest) > 0 }

// Creates reports whether the CLI begins a conversation under an id of ours.
func (c *CLI) Creates() bool { return len(c.Session.Create) > 0 }

// before is a copy that other conversations can be tried on.
func (b *binder) before() binder {
	copied := *b
	copied.values, copied.given = maps.Clone(b.values), maps.Clone(b.given)
	return copied
}

// InConversation is the call as a turn of a session: in another conversation than the arguments name,
// under another id. Of a new one that the CLI itself names the id is "". What the conversation
// has kept holds where the arguments do not say otherwise.
func (c *Call) InConversation(session string, mode lang.Mode, id string, kept Kept) (*Call, Violations) {
	b := c.again.before()
	call := &Call{CLI: c.CLI, Prompt: c.Prompt, SessionChoice: c.SessionChoice, Mode: mode, SessionID: id, Session: session, Saved: c.Saved, values: b.values, given: b.given, again: c.again, selection: c.selection, kept: kept}
	b.call = call
	b.keep(kept)
	b.checkConstraints()
	b.finish(func() string { return c.CorrelationID })
	if len(b.wrong) > 0 {
		return nil, b.wrong
	}
	return call, nil
}

// InNewConversation is the call in a new conversation: it was to continue the newest one, and its CLI
// has none.
func (c *Call) InNewConversation(newID func() string) (*Call, Violations) {
	id := ""
	if c.CLI.Creates() {
		id = newID()
	}
	call, wrong := c.InConversation("", lang.New, id, Kept{})
	if wrong != nil {
		return nil, wrong
	}
	call.generated = id != ""
	call.Notes = append(call.Notes, "this is a new conversation: "+c.CLI.DisplayName()+" found none that could go on")
	return call, nil
}

// Afresh is the call in a conversation of which its CLI does not know the id yet: one may
// have been begun with the id before.
func (c *Call) Afresh(newID func() string) (*Call, Violations) {
	call, wrong := c.InConversation(c.Session, c.Mode, newID(), c.kept)
	if wrong != nil {
		return nil, wrong
	}
	call.generated = true
	if c.Access.Level != "" {
		call = call.WithAccess(c.Access, c.Place)
	}
	return call, nil
}

// Conversation is the id of the conversation in which the call is a turn that others
// may want to take as well; "" if it is one that nobody knows yet, or any.
func (c *Call) Conversation() string {
	switch {
	case c.Session != "":
		return c.Session
	case c.generated || c.Mode == lang.Latest:
		return ""
	}
	return c.SessionID
}

// Canonical is the call as it is compared with others: what is made up for each call, an id
// or the path of a file, is the same in all. Calls are the same only if their marks are.
// The first turn of a session is like a later one: whoever makes it again, and finds it
// begun, means the same.
func (c *Call) Canonical() (mark []any, command Command, wrong Violations) {
	alike := *c
	mark = []any{c.Mode, c.optimizesAnswer}
	if c.Session != "" {
		first, wrong := c.InConversation(c.Session, lang.New, "", c.kept)
		if wrong != nil {
			first = c // it says what only a later turn can
		}
		first = first.WithAccess(c.Access, c.Place)
		alike, mark = *first, []any{"turn", c.optimizesAnswer, c.Session, first.Arguments()}
	}
	if c.generated || c.Session != "" {
		alike.SessionID = "00000000-0000-4000-8000-000000000000"
	}
	command, wrong = alike.Command("files")
	return mark, command, wrong
}
