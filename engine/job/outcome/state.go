package outcome

import (
	"github.com/llm-cli-gateway/gateway/engine/call"
	"github.com/llm-cli-gateway/gateway/engine/store"
)

// Endings are the endings in the record for each state.
var Endings = map[call.State][]store.Ending{
	call.Completed: {store.EndOK},
	call.Canceled:  {store.EndCanceled},
	call.Orphaned:  {store.EndLost},
	call.Failed:    {store.EndError, store.EndTimeout, store.EndOutputCap, store.EndStartFailed},
}

// State is the state of a job with an ending.
func State(e store.Ending) call.State {
	switch e {
	case store.EndOK:
		return call.Completed
	case store.EndCanceled:
		return call.Canceled
	case store.EndLost:
		return call.Orphaned
	}
	return call.Failed
}
