package tools

import (
	"context"

	"github.com/llm-cli-gateway/gateway/engine/catalog"
	"github.com/llm-cli-gateway/gateway/engine/store"
)

// SessionUse is the name of SessionUseTool.
const SessionUse = "session_set_active"

// SessionUseInput is the input of SessionUseTool.
type SessionUseInput struct {
	CLI       string `json:"cli" doc:"CLI of the session" required:"true" maxLength:"64"`
	SessionID string `json:"sessionId,omitempty" doc:"Id of the session; without one, or null, no session is active" nullable:"true" maxLength:"256"`
}

// SessionUseTool chooses the active session of a CLI, or leaves it without one.
var SessionUseTool = &Builtin[SessionUseInput, SessionOutput]{
	Tool: catalog.Tool{Name: SessionUse, Title: "Choose the active session", Output: oneSessionSchema, Idempotent: true,
		Description: "Make a session the active one of its CLI: calls that name no session use it."},
	handle: (*Tools).useSession,
	render: func(o SessionOutput) []string {
		if o.SessionID == "" {
			return o.notes
		}
		return renderSession(o)
	},
}

func (t *Tools) useSession(ctx context.Context, _ Caller, in SessionUseInput) (SessionOutput, error) {
	sessions, cli, err := t.sessionsOf(in.CLI)
	if err != nil {
		return SessionOutput{}, err
	}
	s, err := sessions.Activate(ctx, store.Local, cli, in.SessionID)
	if err == nil && in.SessionID == "" {
		notes := append([]string{"No session of " + cli.DisplayName() + " is active."}, t.sessionWarnings()...)
		return SessionOutput{CLI: cli.Name, notes: notes}, nil
	}
	return t.oneSession(s, err, "")
}
