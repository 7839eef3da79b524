package tools

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/llm-cli-gateway/gateway/engine/call"
	"github.com/llm-cli-gateway/gateway/engine/catalog"
	"github.com/llm-cli-gateway/gateway/engine/lang"
	"github.com/llm-cli-gateway/gateway/engine/session"
	"github.com/llm-cli-gateway/gateway/engine/store"
)

// Names of the tools about sessions.
const (
	SessionCreate = "session_create"
	SessionList   = "session_list"
	SessionUse    = "session_set_active"
	SessionGet    = "session_get"
	SessionDelete = "session_delete"
	SessionClear  = "session_clear_all"
)

var (
	sessionSchema  = json.RawMessage(`{"type":"object","properties":{"sessionId":{"type":"string"},"cli":{"type":"string"},"active":{"type":"boolean"},"turns":{"type":"integer"}},"required":["cli"]}`)
	sessionsSchema = json.RawMessage(`{"type":"object","properties":{"sessions":{"type":"array","items":` + string(sessionSchema) + `},"total":{"type":"integer"},"active":{"type":"object"}},"required":["sessions"]}`)
	clearedSchema  = json.RawMessage(`{"type":"object","properties":{"cleared":{"type":"integer"}},"required":["cleared"]}`)

	sessionCreate = catalog.NewBuiltin(catalog.Tool{Name: SessionCreate, Title: "Create a session", Output: sessionSchema,
		Description: "Create a session: a conversation that the next call of its CLI begins and later ones continue."},
		ofCLI("CLI to talk to.", true), word("description", "What it is about.", 500),
		&catalog.Param{Name: "setAsActive", Kind: catalog.Bool, ParamSpec: lang.ParamSpec{Doc: "Let calls use it that name no session.", Default: true}})
	sessionList = catalog.NewBuiltin(catalog.Tool{Name: SessionList, Title: "List sessions", Output: sessionsSchema, ReadOnly: true, Idempotent: true,
		Description: "List sessions, the last used first, and which are active."},
		ofCLI("Only those of this CLI.", false), number("limit", "At most so many.", 1, 500, 50))
	sessionUse = catalog.NewBuiltin(catalog.Tool{Name: SessionUse, Title: "Choose the active session", Output: sessionSchema, Idempotent: true,
		Description: "Make a session the active one of its CLI, which calls use that name none."},
		ofCLI("CLI of the session.", true), word("sessionId", "Id of the session; null or none: no session is active.", 256))
	sessionGet = catalog.NewBuiltin(catalog.Tool{Name: SessionGet, Title: "Show a session", Output: sessionSchema, ReadOnly: true, Idempotent: true,
		Description: "Tell about a session."}, sessionID, someCLI)
	sessionDelete = catalog.NewBuiltin(catalog.Tool{Name: SessionDelete, Title: "Delete a session", Output: sessionSchema, Destructive: true, Idempotent: true,
		Description: "Forget a session. The CLI keeps the conversation."}, sessionID, someCLI)
	sessionClear = catalog.NewBuiltin(catalog.Tool{Name: SessionClear, Title: "Delete all sessions", Output: clearedSchema, Destructive: true, Idempotent: true,
		Description: "Forget all sessions, or those of a CLI."}, ofCLI("Only those of this CLI.", false))

	sessionID = &catalog.Param{Name: "sessionId", Kind: catalog.String, ParamSpec: lang.ParamSpec{Doc: "Id of the session.", Required: true, MinLength: ptr(1), MaxLength: ptr(256)}}
	someCLI   = ofCLI("Its CLI, where two have that id.", false)
)

func ofCLI(doc string, required bool) *catalog.Param {
	return &catalog.Param{Name: "cli", Kind: catalog.String, ParamSpec: lang.ParamSpec{Doc: doc, Required: required, MaxLength: ptr(64)}}
}

func word(name, doc string, most int) *catalog.Param {
	return &catalog.Param{Name: name, Kind: catalog.String, ParamSpec: lang.ParamSpec{Doc: doc, MaxLength: &most}}
}

// session answers a tool about sessions.
func (t *Tools) session(ctx context.Context, tool string, args map[string]any) Result {
	if t.Sessions == nil {
		return refused("this gateway keeps no sessions", "name a conversation by the sessionId of an earlier result")
	}
	catalog := t.Catalog()
	name, _ := args["cli"].(string)
	id, _ := args[sessionID.Name].(string)
	cli, known := catalog.CLI(name)
	if name != "" && !known {
		return refused(unknownCLI(catalog, name), "`gateway tools` lists the tools of each")
	}
	var r Result
	var err error
	switch tool {
	case SessionCreate:
		description, _ := args["description"].(string)
		var s store.Session
		if s, err = t.Sessions.Create(ctx, cli, strings.TrimSpace(description), args["setAsActive"].(bool)); err == nil {
			r = t.about(s, "Created; its first call begins the conversation.")
		}
	case SessionList:
		var list session.List
		if list, err = t.Sessions.List(ctx, name, args["limit"].(int)); err == nil {
			r = t.sessions(list)
		}
	case SessionUse:
		var s store.Session
		if s, err = t.Sessions.Use(ctx, cli, id); err == nil && id == "" {
			r = Result{Text: []string{"No session of " + cli.Heading() + " is active."}, Structured: encode(told{CLI: cli.Name}), Bare: true}
		} else if err == nil {
			r = t.about(s, "")
		}
	case SessionGet:
		var s store.Session
		if s, err = t.Sessions.Get(ctx, name, id); err == nil {
			r = t.about(s, "")
		}
	case SessionDelete:
		var s store.Session
		if s, err = t.Sessions.Delete(ctx, name, id); err == nil {
			s.Active = false
			r = t.about(s, "It is forgotten.")
		}
	case SessionClear:
		var n int
		if n, err = t.Sessions.Clear(ctx, name); err == nil {
			r = Result{Text: []string{fmt.Sprintf("%d forgotten.", n)}, Structured: encode(map[string]int{"cleared": n}), Bare: true}
		}
	}
	if err != nil {
		return failedTool(*call.SessionFailure(err))
	}
	if problem := t.Sessions.Problem(); problem != nil {
		r.Text = append(r.Text, "Warning: "+problem.Error())
	}
	return r
}

// told is a session for programs.
type told struct {
	SessionID   string `json:"sessionId,omitempty"`
	CLI         string `json:"cli"`
	Active      bool   `json:"active"`
	Turns       int64  `json:"turns"`
	Description string `json:"description,omitempty"`
	Native      string `json:"nativeSessionId,omitempty"`
	Dir         string `json:"workingDir,omitempty"`
	Created     string `json:"created,omitempty"`
	Used        string `json:"lastUsed,omitempty"`
}

// sketch is what is told about a session: an object, and a line of text.
func sketch(s store.Session) (told, string) {
	f := told{SessionID: s.ID, CLI: s.CLI, Active: s.Active, Turns: s.Turns, Description: s.Description, Native: s.Native, Dir: s.Cwd,
		Created: s.Created.UTC().Format(time.RFC3339), Used: s.Used.UTC().Format(time.RFC3339)}
	line := fmt.Sprintf("%s %s", s.ID, s.CLI)
	if s.Active {
		line += " active"
	}
	line += fmt.Sprintf(" turns=%d lastUsed=%s", s.Turns, f.Used)
	if s.Native != "" && s.Native != s.ID {
		line += " nativeSessionId=" + s.Native
	}
	if s.Cwd != "" {
		line += " " + s.Cwd
	}
	if s.Description != "" {
		line += fmt.Sprintf(" %q", s.Description)
	}
	return f, line
}

// about tells one session.
func (t *Tools) about(s store.Session, more string) Result {
	f, line := sketch(s)
	r := Result{Text: []string{line}, Structured: encode(f), Bare: true}
	if more != "" {
		r.Text = append(r.Text, more)
	}
	if t.Runner.Volatile {
		r.Text = append(r.Text, "It ends with this gateway: nothing is durable here (gateway.jobs.db).")
	}
	return r
}

// sessions tells a list, one a line.
func (t *Tools) sessions(list session.List) Result {
	entries, lines := []told{}, []string{}
	for _, s := range list.Sessions {
		f, line := sketch(s)
		entries, lines = append(entries, f), append(lines, line)
	}
	switch {
	case list.Total == 0:
		lines = append(lines, "There is no session.")
	case list.Total > len(entries):
		lines = append(lines, fmt.Sprintf("%d of %d.", len(entries), list.Total))
	}
	for _, cli := range slices.Sorted(maps.Keys(list.Active)) {
		lines = append(lines, fmt.Sprintf("Active of %s: %s", cli, list.Active[cli]))
	}
	return Result{Text: []string{strings.Join(lines, "\n")}, Bare: true,
		Structured: encode(map[string]any{"sessions": entries, "total": list.Total, "active": list.Active})}
}

// reminded adds to a failure that the conversation is not one that the caller named.
func reminded(call *catalog.Call, f *catalog.Failure) *catalog.Failure {
	if f == nil || f.Class != catalog.ClassSession || call.Session == "" || call.Asked.ID != "" {
		return f
	}
	more := *f
	more.Hint = strings.TrimPrefix(f.Hint+"; ", "; ") + "the session " + call.Session + " is active: " + SessionUse + " without a sessionId, or createNewSession, leaves it"
	return &more
}
