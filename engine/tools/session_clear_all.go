package tools

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/llm-cli-gateway/gateway/engine/call"
	"github.com/llm-cli-gateway/gateway/engine/catalog"
	"github.com/llm-cli-gateway/gateway/engine/catalog/access"
	"github.com/llm-cli-gateway/gateway/engine/store"
)

// SessionClear is the name of SessionClearTool.
const SessionClear = "session_clear_all"

// SessionClearInput is the input of SessionClearTool.
type SessionClearInput struct {
	CLI string `json:"cli,omitempty" doc:"Only sessions of this CLI" maxLength:"64"`
}

// SessionClearOutput is the output of SessionClearTool.
type SessionClearOutput struct {
	Cleared int `json:"cleared"` // how many sessions were deleted

	warnings []string
}

var clearedSchema = json.RawMessage(`{"type":"object","properties":{"cleared":{"type":"integer"}}}`)

// SessionClearTool deletes all sessions, or those of a CLI.
var SessionClearTool = &Builtin[SessionClearInput, SessionClearOutput]{
	Tool: catalog.Tool{Name: SessionClear, Title: "Delete all sessions", Output: clearedSchema, Destructive: true, Idempotent: true,
		Description: "Delete all sessions, or those of a CLI."},
	changes: func(in SessionClearInput) call.Change {
		return call.Change{CLI: in.CLI, Level: access.Edit, By: "gateway sessions clear"}
	},
	handle: (*Tools).clearSessions,
	render: func(o SessionClearOutput) []string {
		text := fmt.Sprintf("%d sessions were deleted.", o.Cleared)
		if o.Cleared == 1 {
			text = "1 session was deleted."
		}
		return append([]string{text}, o.warnings...)
	},
}

func (t *Tools) clearSessions(ctx context.Context, _ Caller, in SessionClearInput) (SessionClearOutput, error) {
	sessions, _, err := t.sessionsOf(in.CLI)
	if err != nil {
		return SessionClearOutput{}, err
	}
	n, err := sessions.DeleteAll(ctx, store.Local, in.CLI)
	if err != nil {
		return SessionClearOutput{}, err
	}
	return SessionClearOutput{Cleared: n, warnings: t.sessionWarnings()}, nil
}
