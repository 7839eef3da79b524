package lang

// Failure says why a run was not a success.
type Failure struct {
	Class        string `json:"class"`
	Message      string `json:"message"`
	Hint         string `json:"hint,omitempty"`
	Retryable    bool   `json:"retryable"`
	RetryAfterMs int64  `json:"retryAfterMs,omitempty"`
}

// Classes of failure that the engine itself knows; specs add their own.
const (
	ClassCanceled   = "canceled"
	ClassTimeout    = "timeout"
	ClassIdle       = "idle_timeout"
	ClassOutputCap  = "output_cap"
	ClassEmpty      = "empty"
	ClassIncomplete = "incomplete"
	ClassUnparsable = "unparsable"
	ClassSession    = "session"
	ClassBusy       = "session_busy"
	ClassError      = "error"
	ClassMissing    = "not_installed"
	ClassStart      = "start_failed"
	ClassUsage      = "invalid_call"
	ClassDenied     = "denied"
	ClassRecord     = "record"
	ClassDisk       = "disk_full"
	ClassNested     = "nested"
	ClassRefused    = "refused" // a tool of the agent needed permission
	ClassLost       = "lost"
	ClassBreaker    = "breaker_open"  // so many calls failed that none is made
	ClassOutdated   = "spec_outdated" // the program does not take what its spec passes
)
