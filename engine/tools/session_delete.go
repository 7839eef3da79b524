package tools

import (
	"context"

	"github.com/llm-cli-gateway/gateway/engine/call"
	"github.com/llm-cli-gateway/gateway/engine/catalog"
	"github.com/llm-cli-gateway/gateway/engine/catalog/access"
	"github.com/llm-cli-gateway/gateway/engine/store"
)

// SessionDelete is the name of SessionDeleteTool.
const SessionDelete = "session_delete"

// SessionDeleteTool deletes one session.
var SessionDeleteTool = &Builtin[SessionRef, SessionOutput]{
	Tool: catalog.Tool{Name: SessionDelete, Title: "Delete a session", Output: oneSessionSchema, Destructive: true, Idempotent: true,
		Description: "Delete a session. The CLI keeps the conversation."},
	changes: func(in SessionRef) call.Change {
		return call.Change{CLI: in.CLI, Level: access.Edit, By: "gateway sessions delete " + in.SessionID}
	},
	handle: (*Tools).deleteSession,
	render: renderSession,
}

func (t *Tools) deleteSession(ctx context.Context, _ Caller, in SessionRef) (SessionOutput, error) {
	sessions, _, err := t.sessionsOf(in.CLI)
	if err != nil {
		return SessionOutput{}, err
	}
	s, err := sessions.Delete(ctx, store.Local, in.CLI, in.SessionID)
	s.Active = false
	return t.oneSession(s, err, "Deleted; the CLI keeps the conversation.")
}
