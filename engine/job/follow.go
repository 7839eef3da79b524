package job

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"time"

	"github.com/llm-cli-gateway/gateway/engine/call"
	"github.com/llm-cli-gateway/gateway/engine/job/outcome"
	"github.com/llm-cli-gateway/gateway/engine/job/spool"
	"github.com/llm-cli-gateway/gateway/engine/supervisor"
)

// spoolsOf opens the output of a job. The error is fs.ErrNotExist if there is none any
// more.
func (r *Runner) spoolsOf(id string) (*spool.Output, error) {
	x, err := r.executor().find(id)
	if errors.Is(err, supervisor.ErrUnsupported) {
		err = fs.ErrNotExist
	}
	if err != nil {
		return nil, err
	}
	return x.Output()
}

// followEvery is how often the output of a followed job is read.
const followEvery = 100 * time.Millisecond

// Follow copies what a job of a principal prints from its beginning on, until it has ended or ctx has.
// Each is called now and then with the status of the job.
func (r *Runner) Follow(ctx context.Context, principal, id string, stdout, stderr io.Writer, each func(call.Job)) (call.Job, error) {
	job, err := r.Status(ctx, principal, id)
	if err != nil {
		return job, err
	}
	for {
		for job.State.Idle() && ctx.Err() == nil {
			each(job)
			if job, err = r.Decided(ctx, job, followEvery); err != nil {
				return job, err
			}
		}
		if job.State.Idle() {
			return job, nil
		}
		n := job.Row.N()
		if job, err = r.followAttempt(ctx, job, stdout, stderr, each); err != nil || ctx.Err() != nil || !job.State.Idle() && job.Row.N() == n {
			return job, err
		}
	}
}

// followAttempt is Follow until the attempt has ended that is under way.
func (r *Runner) followAttempt(ctx context.Context, job call.Job, stdout, stderr io.Writer, each func(call.Job)) (call.Job, error) {
	n := job.Row.N()
	files, err := r.spoolsOf(job.Row.ID)
	if errors.Is(err, fs.ErrNotExist) && job.State.Ended() { // the row is all there is
		_, err = io.WriteString(stdout, job.Row.Outcome.Response)
		if why := outcome.WhyUnrecorded(job.Row.Outcome); why != "" && err == nil {
			_, err = io.WriteString(stderr, why+", and the files of the call are gone\n")
		}
		return job, err
	}
	if err != nil {
		return job, err
	}
	defer files.Close()
	out, errs := spool.Growing{File: files.Stdout}, spool.Growing{File: files.Stderr}
	for {
		o, e, err := files.Captured()
		if err == nil {
			err = errors.Join(out.Next(stdout, o), errs.Next(stderr, e))
		}
		if err != nil || job.State.Ended() || job.State.Idle() || job.Row.N() != n {
			return job, err
		}
		each(job)
		if job, err = r.Wait(ctx, job, followEvery); err != nil || ctx.Err() != nil {
			return job, err
		}
	}
}
