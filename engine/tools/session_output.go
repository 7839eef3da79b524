package tools

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/llm-cli-gateway/gateway/engine/catalog"
	"github.com/llm-cli-gateway/gateway/engine/session"
	"github.com/llm-cli-gateway/gateway/engine/store"
)

// SessionRef is the input of tools about one session.
type SessionRef struct {
	SessionID string `json:"sessionId" doc:"Id of the session" required:"true" minLength:"1" maxLength:"256"`
	CLI       string `json:"cli,omitempty" doc:"CLI of the session, where two have that id" maxLength:"64"`
}

// SessionOutput is a session: the output of tools about one.
type SessionOutput struct {
	SessionID   string    `json:"sessionId,omitempty"` // "" where none is active
	CLI         string    `json:"cli"`
	Active      bool      `json:"active"`
	Turns       int64     `json:"turns"`
	Description string    `json:"description,omitempty"`
	Native      string    `json:"nativeSessionId,omitempty"`
	Dir         string    `json:"workingDir,omitempty"`
	Created     time.Time `json:"created,omitzero"`
	Used        time.Time `json:"lastUsed,omitzero"`

	notes []string // what there is to say beside it
}

const sessionSchema = `{"type":"object","properties":{"sessionId":{"type":"string"},"cli":{"type":"string"},"active":{"type":"boolean"},"turns":{"type":"integer"},"workingDir":{"type":"string"}}}`

// sessionOutput is a session as a result has it. The times are in seconds.
func sessionOutput(s store.Session) SessionOutput {
	return SessionOutput{SessionID: s.ID, CLI: s.CLI, Active: s.Active, Turns: s.Turns, Description: s.Description, Native: s.Native, Dir: s.Cwd,
		Created: s.Created.UTC().Truncate(time.Second), Used: s.Used.UTC().Truncate(time.Second)}
}

// line is the session as a line of text.
func (o SessionOutput) line() string {
	line := fmt.Sprintf("%s %s", o.SessionID, o.CLI)
	if o.Active {
		line += " active"
	}
	line += fmt.Sprintf(" turns=%d lastUsed=%s", o.Turns, o.Used.Format(time.RFC3339))
	if o.Native != "" && o.Native != o.SessionID {
		line += " nativeSessionId=" + o.Native
	}
	if o.Dir != "" {
		line += " " + o.Dir
	}
	if o.Description != "" {
		line += fmt.Sprintf(" %q", o.Description)
	}
	return line
}

func renderSession(o SessionOutput) []string { return append([]string{o.line()}, o.notes...) }

// oneSession is the output of a tool about one session; note is a sentence about what was
// done, "" if nothing was.
func (t *Tools) oneSession(s store.Session, err error, note string) (SessionOutput, error) {
	if err != nil {
		return SessionOutput{}, err
	}
	o := sessionOutput(s)
	if note != "" {
		o.notes = append(o.notes, note)
	}
	if t.Runner.Volatile {
		o.notes = append(o.notes, "It ends with this gateway: nothing is durable here (gateway.jobs.db).")
	}
	o.notes = append(o.notes, t.sessionWarnings()...)
	return o, nil
}

// sessionWarnings are what is wrong with the sessions as a whole.
func (t *Tools) sessionWarnings() []string {
	if problem := t.Sessions.Problem(); problem != nil {
		return []string{"Warning: " + problem.Error()}
	}
	return nil
}

// sessionsOf returns the sessions and the CLI of that name, nil if the name is empty.
func (t *Tools) sessionsOf(name string) (*session.Service, *catalog.CLI, error) {
	if t.Sessions == nil {
		return nil, nil, &usageError{"this gateway keeps no sessions", "name a conversation by the sessionId of an earlier result"}
	}
	if name == "" {
		return t.Sessions, nil, nil
	}
	cli, err := knownCLI(t.Catalog(), name, "`gateway tools` lists the tools of each")
	return t.Sessions, cli, err
}

var oneSessionSchema = json.RawMessage(sessionSchema)
