package store

import (
	"encoding/json"
	"time"
)

// Session is a conversation that callers can come back to.
type Session struct {
	Principal   string // whose it is; the id of a session belongs to the first principal that had it
	CLI         string
	ID          string // as callers name it
	Native      string // as the CLI names it; "" until that is known
	Begun       bool   // the CLI has it, or a call is under way that makes it
	Active      bool   // at most one of a principal for a CLI
	Turns       int64  // that were answered
	Opener      string // the job that made it, or whose end named it
	Cwd         string // where it began; "" until it has
	Description string // the user's
	Created     time.Time
	Used        time.Time // end of the last turn; without one, when it was created

	Kept json.RawMessage // what later turns have of the first one, as an object; nil for nothing
}

// Turn is what the end of a job means for the session of which it was a turn. Where the
// job began without one, that of its native id is meant, which is made if there is none.
type Turn struct {
	Principal string // whose job it is
	CLI       string
	Session   string // as callers name it; "" where the job began without one
	Native    string // as the CLI names it; "" if it did not say
	Cwd       string
	Answered  bool
	Began     bool // the CLI has the conversation
	// Undone says that the CLI does not have it, so that the next call begins it, with
	// the native id Reset. It does not hold for a session that was answered before.
	Undone bool
	Reset  string
	Kept   json.RawMessage // of a first turn, what the session keeps
}
