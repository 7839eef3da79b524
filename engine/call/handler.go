package call

import (
	"context"
	"time"

	"github.com/llm-cli-gateway/gateway/engine/catalog"
	"github.com/llm-cli-gateway/gateway/engine/catalog/modelnames"
	"github.com/llm-cli-gateway/gateway/engine/lang"
	"github.com/llm-cli-gateway/gateway/engine/store"
)

// Handler makes calls. Call may be called from any goroutine. When it returns an Outcome
// without a Failure, the job runs, or waits for its turn or for a person, and goes on whatever
// becomes of the caller. What a caller can mend is a Failure; the error is an *InputRequired, or says
// what only we can mend.
type Handler interface {
	Call(ctx context.Context, req *Request) (*Outcome, error)
}

// HandlerFunc is a function as a Handler.
type HandlerFunc func(ctx context.Context, req *Request) (*Outcome, error)

// Call calls f.
func (f HandlerFunc) Call(ctx context.Context, req *Request) (*Outcome, error) { return f(ctx, req) }

// Middleware is one concern of a call: it decides about a request, and hands it on or
// does not.
type Middleware func(next Handler) Handler

// Chain is a handler that takes a request through the middlewares, the first one first,
// and at last to the handler.
func Chain(last Handler, steps ...Middleware) Handler {
	for i := len(steps) - 1; i >= 0; i-- {
		last = steps[i](last)
	}
	return last
}

// step is a middleware of a function that fills in a part of the request, and refuses it
// or needs more of the client, or neither.
func step(do func(ctx context.Context, req *Request) (*lang.Failure, error)) Middleware {
	return func(next Handler) Handler {
		return HandlerFunc(func(ctx context.Context, req *Request) (*Outcome, error) {
			failure, err := do(ctx, req)
			switch {
			case err != nil:
				return nil, err
			case failure != nil:
				return &Outcome{Request: req, Failure: failure, Refused: true}, nil
			}
			return next.Call(ctx, req)
		})
	}
}

// Service has what the steps of a call need of the rest of the gateway. Its fields are
// set before the first call and not changed.
type Service struct {
	Catalog  func() *catalog.Catalog // the current one
	Versions Versions
	Models   Models
	Sessions Sessions              // nil: a call continues only a conversation that it names
	Trust    Trust                 // nil: no directory is trusted
	Ceilings Ceilings              // nil: there are none but that of the settings
	Settings Settings              // nil: nobody looks
	Costs    func() (Costs, error) // opens the record of what calls have cost; used where there are budgets
	Jobs     Jobs

	// Empty makes the empty directory in which calls run that have none and only read; nil
	// refuses them.
	Empty func() (string, error)

	// Decisions opens the record of decisions; it, or what it returns, is nil where they
	// stand in the journal alone.
	Decisions func() (Decisions, error)
	Journal   store.Journal // without a path: there is none

	questions questions
}

// Versions knows the installed programs.
type Versions interface {
	// Version is that of a CLI, "" if it cannot be found out.
	Version(ctx context.Context, c *catalog.Catalog, cli *catalog.CLI) string
}

// Models knows which models a CLI has.
type Models interface {
	Current(c *catalog.Catalog, cli *catalog.CLI) modelnames.Models
}

// Sessions knows the conversations.
type Sessions interface {
	// Resolve is the call as a turn of the session that it names or that is active, or the
	// call itself. An error that is a *session.Refusal is the caller's to mend.
	Resolve(ctx context.Context, principal string, call *catalog.Call, dir string) (*catalog.Call, error)
	// Preview is Resolve for a call that is not made.
	Preview(ctx context.Context, principal string, call *catalog.Call, dir string) (*catalog.Call, error)
	// Stale reports whether a turn failed with that class because the conversation stands
	// otherwise than it seemed, so that the call can be made again.
	Stale(ctx context.Context, principal string, call *catalog.Call, class string) bool
}

// Settings knows what users have set up in the configurations of CLIs.
type Settings interface {
	// Overridden says which settings a CLI is not left with by the words of a level.
	Overridden(cli *catalog.CLI, words string) []string
}

// Jobs accepts calls and runs them.
type Jobs interface {
	// Submit accepts a call. The job of one about which a person decides is Waiting.
	Submit(ctx context.Context, req *Request) (Job, *lang.Failure)
	// Answer decides about a job that waits for a person, and starts or ends it. It fails if
	// the job does not wait any more.
	Answer(ctx context.Context, principal, id string, reply Reply) (Job, error)
	// Decided waits until a job does not wait for a person any more, for d at most if that is
	// not 0.
	Decided(ctx context.Context, job Job, d time.Duration) (Job, error)
	// Answerable reports whether others than this gateway can answer for a person.
	Answerable() bool
	// Wait waits for the end of a job, for d at most if that is not 0.
	Wait(ctx context.Context, job Job, d time.Duration) (Job, error)
	// Abandon is for a job whose caller does not wait any more, because ctx has ended.
	Abandon(ctx context.Context, job Job) (Job, error)
	// Completion is what a job came to that has ended.
	Completion(job Job) Completion
	// Tail follows what a job does.
	Tail(job Job) Tail
}

// Tail tells what a running job does. It is for one goroutine.
type Tail interface {
	// Look is one line of at most 200 characters; "" if nothing is known.
	Look() string
	Close()
}

// Decisions records decisions about calls.
type Decisions interface {
	RecordApproval(ctx context.Context, row store.Approval) error
}

// New is the handler of calls. This is the order of their concerns: each step may rely on
// what the ones before it decided. What is left of a budget is known when the row is made, so that
// the question about it comes after that. A person is asked last, about a job that waits: so the
// question outlives its caller, its client and this gateway.
func New(s *Service) Handler {
	return Chain(HandlerFunc(s.submit), step(s.bind), step(s.place), step(s.resolve), step(s.grant), step(s.approve), step(s.instead), s.budget, s.ask)
}

// Preview is a handler that takes a call as far as it can be taken without an effect, and
// hands it to show.
func Preview(s *Service, show Handler) Handler {
	return Chain(show, step(s.bind), step(s.place), step(s.preview), step(s.grant))
}

// submit hands the call to the jobs: from there on it is a row.
func (s *Service) submit(ctx context.Context, req *Request) (*Outcome, error) {
	job, failure := s.Jobs.Submit(ctx, req)
	if failure == nil {
		job.Row.Approval = req.Approval.Record() // of this call, be the job another's
	}
	return &Outcome{Request: req, Job: job, Failure: failure}, nil
}
