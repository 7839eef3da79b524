package tools

import (
	"context"

	"github.com/llm-cli-gateway/gateway/engine/catalog"
	"github.com/llm-cli-gateway/gateway/engine/store"
)

// SessionGet is the name of SessionGetTool.
const SessionGet = "session_get"

// SessionGetTool returns one session.
var SessionGetTool = &Builtin[SessionRef, SessionOutput]{
	Tool: catalog.Tool{Name: SessionGet, Title: "Show a session", Output: oneSessionSchema, ReadOnly: true, Idempotent: true,
		Description: "Return the details of a session."},
	handle: (*Tools).getSession,
	render: renderSession,
}

func (t *Tools) getSession(ctx context.Context, _ Caller, in SessionRef) (SessionOutput, error) {
	sessions, _, err := t.sessionsOf(in.CLI)
	if err != nil {
		return SessionOutput{}, err
	}
	s, err := sessions.Get(ctx, store.Local, in.CLI, in.SessionID)
	return t.oneSession(s, err, "")
}
