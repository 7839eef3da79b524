package store

import (
	"errors"
	"time"
)

// ErrNoSession says that there is no session of an id.
var ErrNoSession = errors.New("no such session")

// Session is a conversation that callers can come back to.
type Session struct {
	CLI         string
	ID          string // as callers name it
	Native      string // as the CLI names it; "" until that is known
	Begun       bool   // the CLI has it, or a call is under way that makes it
	Active      bool   // at most one for a CLI
	Turns       int64  // that were answered
	Opener      string // the job that made it, or whose end told of it
	Cwd         string // where it began; "" until it has
	Description string // the user's
	Created     time.Time
	Used        time.Time // end of the last turn; without one, when it was created
}

// ErrBegun says that a session, of which a job was to be the first turn, has begun.
var ErrBegun = errors.New("the session has begun already")

// Turn is what the end of a job means for the session of which it was a turn. Where the
// job began without one, that of its native id is meant, which is made if there is none.
type Turn struct {
	CLI      string
	Session  string // as callers name it; "" where the job began without one
	Native   string // as the CLI names it; "" if it did not tell
	Cwd      string
	Answered bool
	Began    bool // the CLI has the conversation
	// Undone says that the CLI does not have it, so that the next call begins it, with
	// the native id Reset. It does not hold for a session that was answered before.
	Undone bool
	Reset  string
}
