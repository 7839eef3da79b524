package tools

import (
	"context"
	"strings"

	"github.com/llm-cli-gateway/gateway/engine/catalog"
	"github.com/llm-cli-gateway/gateway/engine/store"
)

// SessionCreate is the name of SessionCreateTool.
const SessionCreate = "session_create"

// SessionCreateInput is the input of SessionCreateTool.
type SessionCreateInput struct {
	CLI         string `json:"cli" doc:"CLI to talk to" required:"true" maxLength:"64"`
	Description string `json:"description,omitempty" doc:"What it is about" maxLength:"500"`
	SetAsActive bool   `json:"setAsActive" doc:"Use it for calls that name no session" default:"true"`
}

// SessionCreateTool creates a session.
var SessionCreateTool = &Builtin[SessionCreateInput, SessionOutput]{
	Tool: catalog.Tool{Name: SessionCreate, Title: "Create a session", Output: oneSessionSchema,
		Description: "Create a session: a conversation that the next call of its CLI begins and later ones resume."},
	handle: (*Tools).createSession,
	render: renderSession,
}

func (t *Tools) createSession(ctx context.Context, _ Caller, in SessionCreateInput) (SessionOutput, error) {
	sessions, cli, err := t.sessionsOf(in.CLI)
	if err != nil {
		return SessionOutput{}, err
	}
	s, err := sessions.Create(ctx, store.Local, cli, t.Catalog().Secrets.Redact(strings.TrimSpace(in.Description)), in.SetAsActive)
	return t.oneSession(s, err, "Created; its first call begins the conversation.")
}
