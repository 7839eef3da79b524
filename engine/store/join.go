package store

import (
	"encoding/json"
	"time"
)

// Join is a call for which nothing was run, because it is the same as one that was made
// before: it shares the job of that.
type Join struct {
	JobID          string // whose answer it was given
	Principal      string // whose call it is; that of the job
	Tool           string // by which it was made; never empty
	ParentID       string // the job whose child made it
	CorrelationID  string // the client's name of the request
	Approval       json.RawMessage
	GatewayVersion string
	ClientName     string
	ClientVersion  string
	Created        time.Time // zero: now
}
