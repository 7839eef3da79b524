package job

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"

	"github.com/llm-cli-gateway/gateway/engine/keeper"
	"github.com/llm-cli-gateway/gateway/engine/plan"
	"github.com/llm-cli-gateway/gateway/engine/proc"
	"github.com/llm-cli-gateway/gateway/engine/store"
)

// desk holds what a gateway knows of jobs beyond their directories and rows. Nothing
// of it is missed when the gateway dies, but for jobs that die with it.
type desk struct {
	mu     sync.Mutex
	ours   map[string]*keeper.Dir // started here: their ends are heard at once
	local  map[string]*local      // run by this process
	closed chan struct{}

	inProcess bool // as if no supervisor were to be had
}

// Submit starts a call as a job. When it returns, the program runs and goes on
// whatever becomes of this gateway, unless Job.Durable is false. With a failure
// nothing runs; the Job has an ID then if the attempt is on record.
func (r *Runner) Submit(ctx context.Context, req Request) (Job, *plan.Failure) {
	r.running.Add(1)
	defer r.running.Done()
	run := r.newRun(req, req.Call.CLI.AsyncTool())
	if !keeper.Supported() || r.desk.inProcess {
		return run.local(ctx)
	}
	return run.submit(ctx)
}

// Close leaves the jobs that are under way to their supervisors, ends those that have
// none, and waits for what this gateway runs itself.
func (r *Runner) Close() {
	r.desk.mu.Lock()
	if r.desk.closed == nil {
		r.desk.closed = make(chan struct{})
	}
	select {
	case <-r.desk.closed:
	default:
		close(r.desk.closed)
	}
	for _, l := range r.desk.local {
		l.cancel()
	}
	r.desk.mu.Unlock()
	r.Wait()
	r.release()
}

// closing is closed when the gateway stops.
func (r *Runner) closing() <-chan struct{} {
	r.desk.mu.Lock()
	defer r.desk.mu.Unlock()
	if r.desk.closed == nil {
		r.desk.closed = make(chan struct{})
	}
	return r.desk.closed
}

// promptFile is in the directory of a job whose program wants its prompt in a file.
const promptFile = "prompt.txt"

// submit keeps to an order: the lease is taken before there is a row, so that nobody
// takes a job that is being started for a lost one; and nothing runs without a row.
func (r *run) submit(ctx context.Context) (Job, *plan.Failure) {
	if failure := r.refused(ctx); failure != nil {
		return Job{}, failure
	}
	path := ""
	if r.Call.CLI.CLISpec.Prompt.Via == "file" {
		path = filepath.Join(r.Jobs, r.id, promptFile)
	}
	command, failure := r.compose(path)
	if failure != nil && failure.Class == plan.ClassUsage {
		return Job{}, failure
	}
	var dir *keeper.Dir
	if failure == nil {
		dir, failure = r.directory(command)
	}
	drop := func(failure *plan.Failure) *plan.Failure {
		if dir != nil {
			if err := dir.Remove(); err != nil {
				failure.Message += "; what was prepared is left behind: " + err.Error()
			}
		}
		return failure
	}
	if failure := r.begin(ctx, command); failure != nil {
		return Job{}, drop(failure)
	}
	if failure == nil && r.records == nil {
		return Job{}, drop(unrecorded(r.Call.CLI))
	}
	pid := 0
	if failure == nil {
		var err error
		if pid, err = proc.Keep(dir, r.environ); err != nil {
			failure = r.unstartable(err)
		}
	}
	job := Job{Row: r.row(command), State: Running, Durable: true, Pid: pid}
	if failure != nil {
		out := r.finish(Outcome{ExitCode: -1, Answer: plan.Answer{Failure: failure}}, proc.Exit{Code: -1}, store.EndStartFailed)
		job.State, job.Notes = Failed, out.Warnings
		return job, drop(failure)
	}
	r.watch(dir)
	return job, nil
}

// unrecorded refuses a job that nobody would find again.
func unrecorded(cli *plan.CLI) *plan.Failure {
	return &plan.Failure{Class: plan.ClassRecord, Message: "jobs need the record of calls, and it is turned off",
		Hint: "set gateway.logsDb (LLM_GATEWAY_LOGS_DB) to a file, or call " + cli.Tool() + ", which waits for the answer"}
}

// directory prepares the directory of the job, with all that its program reads.
func (r *run) directory(command plan.Command) (*keeper.Dir, *plan.Failure) {
	program, failure := r.find(command)
	if failure != nil {
		return nil, failure
	}
	l := Limits(r.Request.Catalog, r.Call)
	job := keeper.Job{ID: r.id, Path: program, Args: command.Args, Dir: r.Dir,
		Limits: keeper.Limits{Wall: l.Wall, Idle: l.Idle, Grace: l.Grace, Output: l.Output}}
	if command.Stdin != nil {
		job.Stdin = []byte(*command.Stdin)
	}
	dir, err := keeper.Prepare(r.Jobs, job)
	if err == nil && r.Call.CLI.CLISpec.Prompt.Via == "file" {
		if err = os.WriteFile(filepath.Join(dir.Path(), promptFile), []byte(r.Call.Sent()), 0o600); err != nil {
			err = errors.Join(err, dir.Remove())
		}
	}
	if err != nil {
		return nil, cannot(fmt.Errorf("the job cannot be prepared: %w", err))
	}
	return dir, nil
}

// watch finishes the row of a job as soon as it ends, while this gateway lives.
func (r *Runner) watch(dir *keeper.Dir) {
	r.desk.mu.Lock()
	if r.desk.ours == nil {
		r.desk.ours = map[string]*keeper.Dir{}
	}
	r.desk.ours[dir.ID()] = dir
	r.desk.mu.Unlock()
	stop := r.closing()
	r.running.Add(1)
	go func() {
		defer r.running.Done()
		if _, err := dir.Wait(stop); err == nil {
			// What fails now is tried again by whoever asks for the job.
			_, _ = r.Status(context.Background(), dir.ID())
		}
		r.desk.mu.Lock()
		delete(r.desk.ours, dir.ID())
		r.desk.mu.Unlock()
	}()
}
