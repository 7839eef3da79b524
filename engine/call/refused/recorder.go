// Package refused records calls that no job was accepted for: those with wrong arguments, those
// that a rule denies, and those that could not be prepared. Each is a row that is done from its
// beginning.
//
// It hides how much of the arguments is kept, and that no caller waits for the record for long:
// a call that is refused is answered, whatever becomes of its row. It must not know which rules
// there are, nor where rows are kept.
package refused

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/llm-cli-gateway/gateway/engine/call"
	"github.com/llm-cli-gateway/gateway/engine/lang"
	"github.com/llm-cli-gateway/gateway/engine/store"
)

// Store is the record of calls.
type Store interface {
	ImportJob(ctx context.Context, job store.Job) (made bool, err error)
}

// Kept is what the record keeps of texts.
type Kept struct {
	Text   func(text string) string // without secrets
	Prompt func(text string) string // as the settings have it
	Answer func(text string) string // likewise; a refused call has none
}

// Recorder records refused calls. Its fields are set before the first and not changed. Its
// methods may be called from any goroutine.
type Recorder struct {
	Record  func() (Store, error)                     // opens the record; what it returns is nil where calls are not recorded
	Kept    func(cli string) Kept                     // what the record keeps of texts in calls of a CLI
	Parent  func(ctx context.Context) (string, error) // the job inside which calls are made, "" for none
	Version string                                    // of the gateway
	Failed  func(err error)                           // is told of calls that could not be recorded

	mu      sync.Mutex
	waiting int // to be written
	running sync.WaitGroup
}

const (
	// patience is how long a caller waits for its row, which is then written behind it.
	patience = 50 * time.Millisecond
	// maxWaiting is how many rows may wait for the record, where it is locked.
	maxWaiting = 64
)

var errTooMany = errors.New("too many refused calls wait for the record")

// Refused records the call of an outcome that has a Failure and no row, which began at a time.
func (r *Recorder) Refused(ctx context.Context, out *call.Outcome, began time.Time) {
	r.mu.Lock()
	full := r.waiting >= maxWaiting
	if !full {
		r.waiting++
		r.running.Add(1)
	}
	r.mu.Unlock()
	if full {
		r.Failed(errTooMany)
		return
	}
	row, args, ctx := rowOf(out, began), slices.Clip(out.Request.Args), context.WithoutCancel(ctx)
	done := make(chan struct{})
	go func() {
		defer r.running.Done()
		defer close(done)
		err := r.write(ctx, row, args)
		r.mu.Lock()
		r.waiting--
		r.mu.Unlock()
		if err != nil && row.Outcome.ErrorClass != lang.ClassRecord { // else its caller is told
			r.Failed(err)
		}
	}()
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case <-done:
	case <-timer.C:
	}
}

// Close waits for what is still written.
func (r *Recorder) Close() { r.running.Wait() }

func (r *Recorder) write(ctx context.Context, row store.Job, args []byte) error {
	records, err := r.Record()
	if err != nil || records == nil {
		return err
	}
	row.GatewayVersion = r.Version
	row.ParentID, _ = r.Parent(ctx) // the row is worth more than that
	fill(&row, args, r.Kept(row.CLI))
	_, err = records.ImportJob(ctx, row)
	return err
}

// rowOf is the row of a call, but for its arguments and before secrets are removed.
func rowOf(out *call.Outcome, began time.Time) store.Job {
	req, now := out.Request, time.Now()
	row := store.Job{
		ID: store.NewID(), Principal: req.Principal, Tool: req.Tool, Refused: true, State: store.Done, Created: began,
		Approval: req.Approval.Record(), Cwd: req.Dir, ClientName: req.Client.Name, ClientVersion: req.Client.Version,
		Outcome: store.Outcome{Ending: store.EndStartFailed, ErrorClass: out.Failure.Class, ErrorMessage: out.Failure.Message, Detail: out.Rule,
			Ended: now, Duration: max(0, now.Sub(began)), Warnings: slices.Clone(out.Job.Notes)},
	}
	if row.Principal == "" {
		row.Principal = store.Local
	}
	if req.Catalog != nil {
		row.CatalogDigest = req.Catalog.Digest()
	}
	if cli := req.CLI(); cli != nil {
		row.CLI, row.SpecHash, row.CLIVersion = cli.Name, cli.Digest(), cli.Installed().String()
	}
	if bound := req.Bound; bound != nil {
		row.Mode, row.Model, row.ModelResolved, row.ModelAsked = string(bound.Mode), bound.Model, bound.Model, bound.ModelAsked()
		row.Session, row.SessionID, row.CorrelationID, row.Access, row.Prompt = bound.Session, bound.SessionID, bound.CorrelationID, bound.Access.Level, bound.Prompt
	}
	return row
}
