package job

import (
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/llm-cli-gateway/gateway/engine/host"
	"github.com/llm-cli-gateway/gateway/engine/keeper"
	"github.com/llm-cli-gateway/gateway/engine/plan"
	"github.com/llm-cli-gateway/gateway/engine/proc"
	"github.com/llm-cli-gateway/gateway/engine/store"
)

// stand is where the job of a row stands. The truth of a live one is its directory.
func (r *Runner) stand(ctx context.Context, records *store.Store, row store.Job) (Job, error) {
	job := Job{Row: row, Durable: isJob(row) && keeper.Supported() && !r.desk.inProcess}
	if row.State == store.Done {
		job.State, job.Printed = stateOf(row.Outcome.Ending), row.Outcome.OutBytes+row.Outcome.ErrBytes
		return job, nil
	}
	job.State = Running
	if l := r.local(row.ID); l != nil {
		job.Durable, job.Canceling = false, l.canceled()
		job.Printed = l.printed()
		return job, nil
	}
	dir, err := r.dir(row.ID)
	var s keeper.State
	if err == nil {
		s, err = dir.State()
	}
	switch {
	case errors.Is(err, fs.ErrNotExist) || errors.Is(err, keeper.ErrUnsupported):
		return r.missing(ctx, records, job)
	case err != nil:
		return job, err
	case s.Phase == keeper.Ended || s.Phase == keeper.Lost:
		return r.settle(ctx, records, row, dir, s)
	case s.Phase == keeper.Queued:
		job.State = Queued
	}
	job.Pid, job.Canceling = s.Start.Pid, s.Canceling
	if stdout, stderr, err := dir.Captured(); err == nil {
		job.Printed = stdout.Size + stderr.Size
	}
	return job, nil
}

// missing is a live row without a directory: a call that some gateway runs itself, or
// a job whose directory was removed, or lies elsewhere because another user or another
// home made it. Nothing is known about it, so nothing is recorded.
func (r *Runner) missing(ctx context.Context, records *store.Store, job Job) (Job, error) {
	again, err := records.Job(ctx, job.Row.ID) // its end may have been recorded between two looks
	if err == nil && again.State == store.Done {
		return r.stand(ctx, records, again)
	}
	if job.Durable {
		job.State = Orphaned
		job.Notes = append(job.Notes, "its directory "+filepath.Join(r.Jobs, job.Row.ID)+" is not there")
	}
	return job, nil
}

// settle records the end of a job, once, whoever else tries to.
func (r *Runner) settle(ctx context.Context, records *store.Store, row store.Job, dir *keeper.Dir, s keeper.State) (Job, error) {
	if s.Phase == keeper.Lost {
		if _, err := dir.Sweep(); errors.Is(err, keeper.ErrLive) { // another gateway is sweeping
			return Job{Row: row, State: Running, Durable: true, Canceling: s.Canceling}, nil
		}
	}
	row, err := records.Job(ctx, row.ID) // of a list, the texts are cut
	if err != nil {
		return Job{}, err
	}
	if row.State == store.Live {
		out, ending, err := r.decode(row, dir, s)
		if err != nil {
			return Job{}, err
		}
		exit := proc.Kept(s.Exit)
		secrets, known := r.secretsOf(row)
		end := completed(out, exit, ending, secrets)
		if !known {
			end.Response = ""
			end.Detail += "; the answer was not recorded, because the environment cannot be made and with it not known what is secret"
		}
		if s.Exit.Detail != "" {
			end.Detail += ": " + secrets.clean(s.Exit.Detail)
		}
		if end.Ended = exit.Ended; s.Phase == keeper.Lost || end.Ended.IsZero() {
			end.Ended = time.Now()
		}
		end.Duration = max(0, end.Ended.Sub(row.Created))
		if err := records.Finish(ctx, row.ID, end); err != nil && !errors.Is(err, store.ErrDone) {
			// The directory still tells how it ended, and the row is completed when that is
			// possible again: on a full disk it is not.
			row.Outcome = end
			return Job{Row: row, State: stateOf(end.Ending), Durable: true, Notes: []string{"the record of this job could not be completed: " + err.Error()}}, nil
		}
		if row, err = records.Job(ctx, row.ID); err != nil {
			return Job{}, err
		}
	}
	return r.stand(ctx, records, row)
}

// decode reads what an ended or lost job printed.
func (r *Runner) decode(row store.Job, dir *keeper.Dir, s keeper.State) (Outcome, store.Ending, error) {
	fail := func(class, message, hint string, ending store.Ending) (Outcome, store.Ending, error) {
		failure := &plan.Failure{Class: class, Message: message, Hint: hint}
		return Outcome{ExitCode: s.Exit.Code, Answer: plan.Answer{Failure: failure}}, ending, nil
	}
	switch s.Exit.Reason {
	case keeper.StartFailed:
		return fail(plan.ClassStart, "it could not be started: "+s.Exit.Err, "", store.EndStartFailed)
	case keeper.NeverStarted:
		return fail(plan.ClassStart, "the gateway ended before it had started the job; nothing was run", "call again", store.EndStartFailed)
	}
	call, ok := r.revive(row)
	if !ok {
		ending := endings[proc.Reason(s.Exit.Reason)].ending
		if ending == "" {
			ending = store.EndError
		}
		return fail(plan.ClassUnparsable, "there is no spec of "+row.CLI+" any more by which its output could be read", "read its stdout", ending)
	}
	stdout, stderr, err := outputs(dir.Path())
	if err != nil {
		return Outcome{}, "", err
	}
	defer stdout.Close()
	defer stderr.Close()
	out, ending := judge(call, stdout, stderr, proc.Kept(s.Exit))
	return out, ending, nil
}

// revive is the call of a row, as far as it is needed to read its output.
func (r *Runner) revive(row store.Job) (*plan.Call, bool) {
	cli, ok := r.Current().CLI(row.CLI)
	if !ok {
		return nil, false
	}
	var arguments map[string]any
	if len(row.Args) > 0 && json.Unmarshal(row.Args, &arguments) != nil {
		return nil, false
	}
	call := cli.Revive(plan.Mode(row.Mode), row.SessionID, arguments)
	call.Prompt, call.Model, call.CorrelationID = row.Prompt, row.Model, row.CorrelationID
	return call, true
}

// secretsOf are the secrets that a job may have printed: those of the environment that
// its CLI would get from us.
func (r *Runner) secretsOf(row store.Job) (redactor, bool) {
	catalog := r.Current()
	filter := host.Filter{Pass: catalog.Settings.Env.Pass, Set: map[string]string{}}
	if cli, ok := catalog.CLI(row.CLI); ok {
		filter.Pass = append(append([]string{}, filter.Pass...), cli.Env.Pass...)
		for name, value := range cli.Env.Set.All() {
			filter.Set[name] = value
		}
	}
	environ, err := r.Host.Environ(filter)
	return secretsOf(environ), err == nil
}

func outputs(folder string) (stdout, stderr *os.File, err error) {
	if stdout, err = os.Open(filepath.Join(folder, "stdout")); err != nil {
		return nil, nil, err
	}
	if stderr, err = os.Open(filepath.Join(folder, "stderr")); err != nil {
		stdout.Close()
		return nil, nil, err
	}
	return stdout, stderr, nil
}
