package call

import (
	"encoding/json"
	"time"

	"github.com/llm-cli-gateway/gateway/engine/catalog"
)

// Request is a call, bound and placed.
type Request struct {
	Catalog *catalog.Catalog // what the call was bound against; it keeps it to its end
	Bound   *catalog.Call
	Tool    string   // by which it was made, for the record; "": the CLI's
	Dir     string   // absolute working directory
	Roots   []string // further folders that the client works in
	Client  Client

	Approval json.RawMessage // what was decided about the call, for the record
}

// Client is who asked, as it introduced itself.
type Client struct{ Name, Version string }

// Outcome is what became of a call.
type Outcome struct {
	ID       string
	Answer   catalog.Answer
	ExitCode int // -1 if there was none
	Duration time.Duration
	Warnings []string // what went wrong beside the call itself
}
