package mcp

import (
	"encoding/json"
	"errors"
)

// Causes of the end of a call's context, see [context.Cause].
var (
	// ErrClientGone: the client closed its end, and the grace is over.
	ErrClientGone = errors.New("the client is gone")
	// ErrStopping: the gateway was asked to stop.
	ErrStopping = errors.New("the gateway is stopping")
)

var errRootsNextRound = errors.New("roots come with the next round of this call: return a Result with NeedInput")

// CancelError is the cause of a context that the client cancelled.
type CancelError struct {
	Reason string // the client's words; may be empty
}

func (e *CancelError) Error() string {
	if e.Reason == "" {
		return "cancelled by the client"
	}
	return "cancelled by the client: " + e.Reason
}

// CancelReason is the client's reason. Packages below this one cannot name the type, so
// they look for this method with errors.As.
func (e *CancelError) CancelReason() string { return e.Reason }

// reasonText is the reason of a cancellation, which is a text by the protocol and anything
// in practice.
func reasonText(raw json.RawMessage) string {
	var text string
	if json.Unmarshal(raw, &text) == nil { // null, too
		return text
	}
	return string(raw)
}
