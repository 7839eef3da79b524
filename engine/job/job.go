package job

import (
	"context"
	"errors"
	"fmt"

	"github.com/llm-cli-gateway/gateway/engine/call"
	"github.com/llm-cli-gateway/gateway/engine/job/outcome"
	"github.com/llm-cli-gateway/gateway/engine/store"
)

// NoJobError says that there is no job of an id.
type NoJobError struct{ ID string }

func (e *NoJobError) Error() string { return fmt.Sprintf("there is no job %q", e.ID) }

// ErrElsewhere says that what has no supervisor is ended by the gateway that runs it, or not at all.
var ErrElsewhere = errors.New("the call has no supervisor: it can only be canceled by the gateway that runs it")

// Status returns the status of a job of a principal, whichever gateway started it. If it has
// ended and nobody recorded that yet, it is recorded. The error is a *NoJobError if the
// principal has no such job.
func (r *Runner) Status(ctx context.Context, principal, id string) (call.Job, error) {
	records, err := r.Record()
	if err != nil {
		return call.Job{}, err
	}
	if !store.ValidID(id) { // it names a directory
		return call.Job{}, &NoJobError{id}
	}
	row, err := records.Job(ctx, principal, id)
	if errors.Is(err, store.ErrNotFound) { // or the record is, which was deleted
		if err = r.recoverJob(ctx, records, id); err == nil {
			row, err = records.Job(ctx, principal, id)
		}
	}
	if errors.Is(err, store.ErrNotFound) {
		return call.Job{}, &NoJobError{id}
	}
	if err != nil {
		return call.Job{}, err
	}
	job, err := r.status(ctx, records, row)
	if job.State == call.Queued {
		job.Position = r.position(ctx, records, job)
	}
	return job, err
}

// Filter selects jobs; a zero field selects all, except for Principal.
type Filter struct {
	Principal string // whose jobs; never empty
	CLI       string
	State     call.State
	Limit     int // zero: 20; at most 500
}

// List returns the jobs that the filter selects, newest first. Texts of their rows are
// cut as those of store.Jobs.
func (r *Runner) List(ctx context.Context, f Filter) ([]call.Job, error) {
	records, err := r.Record()
	if err != nil {
		return nil, err
	}
	if err := r.recover(ctx, records); err != nil {
		return nil, err
	}
	if f.Limit <= 0 {
		f.Limit = 20
	}
	if f.State != "" && f.State.Ended() {
		// What has ended and is not recorded yet may be what is asked for.
		if err := r.reconcile(ctx, records); err != nil {
			return nil, err
		}
	}
	rows := store.Filter{Principal: f.Principal, CLI: f.CLI, Endings: outcome.Endings[f.State], Limit: f.Limit}
	if f.State != "" && !f.State.Ended() {
		rows.State = store.Live
		rows.Limit = 0 // some may turn out to be in another state
	}
	var jobs []call.Job
	for {
		page, err := records.Jobs(ctx, rows)
		if err != nil {
			return nil, err
		}
		for _, row := range page {
			job, err := r.status(ctx, records, row)
			if err != nil {
				return nil, err
			}
			if f.State == "" || job.State == f.State {
				jobs = append(jobs, job)
			}
			if len(jobs) == f.Limit {
				return jobs, nil
			}
			rows.Before = row.ID
		}
		if len(page) == 0 {
			return jobs, nil
		}
	}
}

// durable reports whether a job of the row does not end with its gateway.
func (r *Runner) durable(row store.Job) bool { return row.Owner == "" }
