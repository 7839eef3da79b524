package store

import (
	"encoding/json"
	"time"
)

// State is where a job stands: live once its row exists, then done, for good.
type State string

const (
	Live State = "live"
	Done State = "done"
)

// Ending says in one word how a job ended.
type Ending string

const (
	EndOK          Ending = "ok"
	EndError       Ending = "error"
	EndCanceled    Ending = "canceled"
	EndTimeout     Ending = "timeout"
	EndOutputCap   Ending = "output_cap"
	EndLost        Ending = "lost"         // its process is gone and left no exit record
	EndStartFailed Ending = "start_failed" // it never ran, so to repeat it is safe
)

// MaxResponse is how many bytes of an answer the row keeps.
const MaxResponse = 1 << 20

// How many rows a list has: so many where no limit is given, and never more than the most.
const (
	DefaultLimit = 50
	MaxLimit     = 500
)

// Job is one call of a CLI. An empty text, list or JSON means "does not apply"
// and is NULL in the row. What is not UTF-8 in a text, and a NUL, is stored as the
// replacement character.
type Job struct {
	ID            string // from NewID
	Principal     string // whose call it is; never empty, and no one sees the jobs of another
	Tool          string // never empty
	CLI           string
	CLIVersion    string // of the program, where the call depended on it
	Mode          string
	Model         string // as resolved; Finish may put the one that answered
	DedupKey      string // a principal has at most one live job per key
	SpecHash      string // of the CLI's spec
	CatalogDigest string
	ParentID      string // the job whose child made this call
	Owner         string // the gateway whose end is the job's end too; empty for a job that outlives it
	Folder        string // where its directory lies, by its id
	Session       string // the session of which it is a turn, as callers name it
	Opens         bool   // it is the first turn of the session
	SessionID     string // the conversation that was asked for, as its CLI names it
	CorrelationID string // the client's name of the request; may repeat

	Approval json.RawMessage // what was decided about the call, as an object

	Cwd      string
	Prompt   string
	Args     json.RawMessage // the bound parameters as an object, without the prompt
	Argv     []string        // without the program itself
	EnvNames []string        // names only

	GatewayVersion string
	ClientName     string
	ClientVersion  string

	Created time.Time // zero: now

	Waiting Waiting // for a person; zero if it waits for nobody

	Plan json.RawMessage // what the job does if an attempt fails, as an object; nil: it ends

	Reserved      *float64 // US dollars that count until its cost is known; nil: none
	Fit           *Fit     `json:"-"` // with what it must fit into budgets; nil: it need not. Never read
	ModelAsked    string   // by the caller; an alias perhaps
	ModelResolved string   // that the program is given
	Access        string   // the level that the call counts as

	// Refused marks a call that no job was accepted for: nothing was run, and nobody shares
	// it. Its row is made by ImportJob, and is done. It is in no list but those that ask for it.
	Refused bool

	// What follows is read, and ignored by Begin.

	State         State
	Outcome       Outcome // zero while live
	ResponseBytes int64   // length of the whole answer; Outcome.Response keeps at most MaxResponse of it

	Attempt int       // that runs, or ran last, from 1; 0 means 1
	Begun   time.Time // when that was started; zero: when the row was made
	Next    time.Time // when the next one may start; zero unless the job is between two
	Asked   string    // the CLI that was asked, where another one answers

	TextsDropped time.Time // when DropTexts removed what was asked and answered; zero: it is there
}

// Outcome is what is known once a job has ended. A nil number means that the CLI
// did not say.
type Outcome struct {
	Ending          Ending
	Detail          string // which timeout, which signal's sender, why lost
	ErrorClass      string
	ErrorMessage    string
	ExitCode        *int
	Signal          *int
	Ended           time.Time     // zero: now
	Duration        time.Duration // kept in whole milliseconds
	OutBytes        int64         // what the child wrote, also where not all was kept
	ErrBytes        int64
	Truncated       bool // the capture of the child's output is incomplete
	Model           string
	NativeSessionID string // the CLI's own name of the session
	Response        string

	InputTokens      *int64
	OutputTokens     *int64
	CacheReadTokens  *int64
	CacheWriteTokens *int64
	ReasoningTokens  *int64
	CostUSD          *float64

	UsageScope string // of the token counts: "" for this call, ScopeSession for the conversation up to its end
	CostScope  string // likewise of the cost

	CostEstimated bool      // the cost is not what the program said
	Started       time.Time // when its program was started; zero: it was not, or nobody knows
	Warnings      []string
}

// Filter selects jobs; a zero field selects all, except for Principal.
type Filter struct {
	Principal     string // whose jobs; AnyPrincipal for those of all, and the empty text is an error
	CLI           string
	Tool          string
	CorrelationID string
	State         State
	ParentID      string
	Endings       []Ending
	Text          string // words that the prompt or the answer has, all of them
	Refused       bool   // also calls that no job was accepted for
	Limit         int    // zero: 50; at most 500
	Before        string // only jobs with a smaller id: the last one of the page before
}

// UsedModel is a model with which a CLI has answered.
type UsedModel struct{ CLI, Model string }
