package job

import (
	"context"
	"errors"
	"io/fs"
	"strings"

	"github.com/llm-cli-gateway/gateway/engine/call"
	"github.com/llm-cli-gateway/gateway/engine/catalog/extract"
	"github.com/llm-cli-gateway/gateway/engine/job/outcome"
	"github.com/llm-cli-gateway/gateway/engine/job/spool"
	"github.com/llm-cli-gateway/gateway/engine/lang"
	"github.com/llm-cli-gateway/gateway/engine/process"
	"github.com/llm-cli-gateway/gateway/engine/store"
)

// Result is a window onto what a job printed, and what it came to if it has ended.
type Result struct {
	call.Job
	Outcome        call.Completion // of a job that has ended; Answer.Shown is the whole
	Response       spool.Window    // of Answer.Shown
	Stdout, Stderr spool.Window
}

// Result reads the output of a job of a principal from a character on, at most so many of each text.
func (r *Runner) Result(ctx context.Context, principal, id string, offset, most int) (Result, error) {
	job, err := r.Status(ctx, principal, id)
	if err != nil {
		return Result{}, err
	}
	res := Result{Job: job}
	if res.Joins, err = r.Joins(ctx, principal, id); err != nil {
		return Result{}, err
	}
	if job.State.Ended() {
		res.Outcome = r.Completion(job)
	}
	if err := r.read(&res, offset, most); err != nil && !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, fs.ErrClosed) {
		return Result{}, err
	}
	res.Response, err = spool.ReadWindow(strings.NewReader(res.Outcome.Answer.Shown), offset, most)
	return res, err
}

// read fills in what is in the files of the job, if they are still there.
func (r *Runner) read(res *Result, offset, most int) error {
	files, err := r.spoolsOf(res.Row.ID)
	if err != nil {
		return err
	}
	defer files.Close()
	stdout, stderr, err := files.Captured()
	if err != nil {
		return err
	}
	if res.Stdout, err = spool.ReadWindow(process.Reader(files.Stdout, stdout), offset, most); err == nil {
		res.Stderr, err = spool.ReadWindow(process.Reader(files.Stderr, stderr), offset, most)
	}
	return err
}

// recorded is the outcome as far as it is in the row.
func (r *Runner) recorded(row store.Job) call.Completion {
	o := row.Outcome
	a := extract.Answer{Text: o.Response, Shown: o.Response, SessionID: o.NativeSessionID, Model: row.Model}
	outcome.SetFigures(&a, o)
	if o.ErrorClass != "" {
		a.Failure = &lang.Failure{Class: o.ErrorClass, Message: o.ErrorMessage}
	} else if call, ok := r.restoreCall(row); ok && row.Mode != program {
		call.OptimizeAnswer(&a)
	}
	out := call.Completion{ID: row.ID, Answer: a, ExitCode: -1, Duration: o.Duration}
	if o.ExitCode != nil {
		out.ExitCode = *o.ExitCode
	}
	if why := outcome.WhyUnrecorded(o); why != "" {
		out.Warnings = append(out.Warnings, why+", and the files of the call are gone")
	}
	if row.ResponseBytes > int64(len(o.Response)) {
		out.Warnings = append(out.Warnings, "the answer was longer than what the record keeps, and the files of the call are gone")
	}
	return out
}
