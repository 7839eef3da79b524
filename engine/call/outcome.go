package call

import (
	"encoding/json"
	"time"

	"github.com/llm-cli-gateway/gateway/engine/catalog/extract"
	"github.com/llm-cli-gateway/gateway/engine/catalog/mcpservers"
	"github.com/llm-cli-gateway/gateway/engine/catalog/optimize"
	"github.com/llm-cli-gateway/gateway/engine/lang"
	"github.com/llm-cli-gateway/gateway/engine/store"
)

// State is where a job stands, for callers.
type State string

const (
	Waiting   State = "waiting"   // for a person, who decides whether it is started
	Queued    State = "queued"    // accepted, and its program does not run yet
	Running   State = "running"   //
	Retrying  State = "retrying"  // an attempt failed, and the next one starts in a while
	Completed State = "completed" // it gave an answer
	Failed    State = "failed"    //
	Canceled  State = "canceled"  //
	Orphaned  State = "orphaned"  // nobody saw its end; what it had printed can be read
)

// Ended reports whether a job in this state does not change any more.
func (s State) Ended() bool {
	return s != Waiting && s != Queued && s != Running && s != Retrying
}

// Idle reports whether nothing of a job in this state runs, although it has not ended.
func (s State) Idle() bool { return s == Waiting || s == Retrying }

// StateOf is the state of a job that ended like that.
func StateOf(e store.Ending) State {
	switch e {
	case store.EndOK:
		return Completed
	case store.EndCanceled:
		return Canceled
	case store.EndLost:
		return Orphaned
	}
	return Failed
}

// Outcome is what a handler made of a call.
type Outcome struct {
	Request *Request
	// Job runs, has ended, or is that of an equal call which this one joined. It has no
	// State where none was accepted.
	Job Job
	// Failure says why no job runs; nil if one was accepted.
	Failure *lang.Failure
	// Refused says that a step of the handler refused the request, before there was
	// anything to put on record as a job.
	Refused bool
	// Completion is what the job came to, once somebody waited for its end.
	Completion *Completion
}

// Completion is what a job came to that has ended.
type Completion struct {
	ID       string // of the job
	Answer   extract.Answer
	ExitCode int // -1 if there was none
	Duration time.Duration
	Warnings []string // what went wrong beside the call itself
}

// Job is a call, as it stands.
type Job struct {
	Row       store.Job
	State     State
	Durable   bool          // it does not end with the gateway that started it
	Pid       int           // of its program, for display; 0 if it does not run
	Canceling bool          // its end was asked for
	Printed   int64         // bytes of standard output and error, so far
	Joined    bool          // the call that asks for it did not start it
	Age       time.Duration // of the answer, if the job had ended when the call joined it; 0 otherwise
	Position  int           // of a queued one among those that wait, from 1; 0: not known
	Notes     []string
	Joins     []store.Join    // calls that share it, as Runner.Joins tells them; nil where nobody asked
	Attempts  []store.Attempt // that have ended, of a job that had more than one or goes on

	Handle     Handle      // if this gateway started it; nil otherwise
	Completion *Completion // of one that ended, if it was read just now
}

// Handle is a job that this process started and watches.
type Handle interface {
	// Done is closed when the end of the job was seen, or will not be.
	Done() <-chan struct{}
	// Last is the job as it ended, once Done is closed; false if its end was not seen.
	Last() (Job, bool)
}

// Equipment is what became of the MCP servers of the job, nil if it has none to do with.
func (j Job) Equipment() *mcpservers.Selection {
	var args struct {
		MCP *mcpservers.Selection `json:"mcp"`
	}
	if json.Unmarshal(j.Row.Args, &args) != nil { // cut, in a list
		return nil
	}
	return args.MCP
}

// Saved is what was saved of the prompt of the job, nil if it was not to be shortened.
func (j Job) Saved() *optimize.Saving {
	var args struct {
		Saved *optimize.Saving `json:"prompt.saved"`
	}
	if json.Unmarshal(j.Row.Args, &args) != nil { // cut, in a list
		return nil
	}
	return args.Saved
}
