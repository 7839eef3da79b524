package tools

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/llm-cli-gateway/gateway/engine/catalog"
	"github.com/llm-cli-gateway/gateway/engine/store"
)

// SessionList is the name of SessionListTool.
const SessionList = "session_list"

// SessionListInput is the input of SessionListTool.
type SessionListInput struct {
	CLI   string `json:"cli,omitempty" doc:"Only sessions of this CLI" maxLength:"64"`
	Limit int    `json:"limit" doc:"Maximum number of sessions" min:"1" max:"500" default:"50"`
}

// SessionListOutput is a page of sessions, the last used first.
type SessionListOutput struct {
	Active   map[string]string `json:"active"` // ids of the active ones, by their CLIs
	Sessions []SessionOutput   `json:"sessions"`
	Total    int               `json:"total"` // also those that are not on the page

	warnings []string
}

var sessionListSchema = json.RawMessage(`{"type":"object","properties":{"sessions":{"type":"array","items":` + sessionSchema + `},"total":{"type":"integer"},"active":{"type":"object"}}}`)

// SessionListTool lists sessions.
var SessionListTool = &Builtin[SessionListInput, SessionListOutput]{
	Tool: catalog.Tool{Name: SessionList, Title: "List sessions", Output: sessionListSchema, ReadOnly: true, Idempotent: true,
		Description: "List sessions, the last used first, and which are active."},
	handle: (*Tools).listSessions,
	render: renderSessionList,
}

func (t *Tools) listSessions(ctx context.Context, _ Caller, in SessionListInput) (SessionListOutput, error) {
	sessions, _, err := t.sessionsOf(in.CLI)
	if err != nil {
		return SessionListOutput{}, err
	}
	list, err := sessions.List(ctx, store.Local, in.CLI, in.Limit)
	if err != nil {
		return SessionListOutput{}, err
	}
	out := SessionListOutput{Active: list.Active, Sessions: []SessionOutput{}, Total: list.Total, warnings: t.sessionWarnings()}
	for _, s := range list.Sessions {
		out.Sessions = append(out.Sessions, sessionOutput(s))
	}
	return out, nil
}

func renderSessionList(o SessionListOutput) []string {
	lines := []string{}
	for _, s := range o.Sessions {
		lines = append(lines, s.line())
	}
	switch {
	case o.Total == 0:
		lines = append(lines, "There are no sessions.")
	case o.Total > len(o.Sessions):
		lines = append(lines, fmt.Sprintf("%d of %d.", len(o.Sessions), o.Total))
	}
	for _, cli := range slices.Sorted(maps.Keys(o.Active)) {
		lines = append(lines, fmt.Sprintf("Active of %s: %s", cli, o.Active[cli]))
	}
	return append([]string{strings.Join(lines, "\n")}, o.warnings...)
}
