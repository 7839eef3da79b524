package job

import (
	"io/fs"

	"github.com/llm-cli-gateway/gateway/engine/call"
	"github.com/llm-cli-gateway/gateway/engine/job/spool"
	"github.com/llm-cli-gateway/gateway/engine/lang"
	"github.com/llm-cli-gateway/gateway/engine/store"
	"github.com/llm-cli-gateway/gateway/engine/supervisor"
)

// Executor runs the programs of jobs. There are two, and nothing but their own files
// depends on which of them a gateway has: one leaves a job to a supervisor, which outlives
// the gateway, and one runs it as a child of this process, where there are no supervisors.
type Executor interface {
	// folder is where the files of a call will lie.
	folder(r *run) (string, error)
	// prepare prepares all that the program of a call needs, and starts nothing. The row of
	// the call is written between prepare and start.
	prepare(r *run) (preparation, *lang.Failure)
	// prepareProgram is prepare for what is not a call of a CLI.
	prepareProgram(r *run, p Program) (preparation, error)
	// find is the execution of a job. The error is fs.ErrNotExist if this executor knows of
	// none.
	find(id string) (execution, error)
	// durable reports whether jobs outlive this gateway.
	durable() bool
	// warm prepares what the next job needs. It does not wait.
	warm()
	// stop ends the jobs that end with this gateway; it does not wait for them.
	stop()
	// close frees what is left, once the ends of jobs are recorded.
	close()
}

// preparation is a job that is ready to start.
type preparation interface {
	// start runs the program, or queues it.
	start(r *run) (call.Job, error)
	// discard removes what was prepared.
	discard() error
}

// execution is the run of one job: its process, and what that prints.
type execution interface {
	status() (executionStatus, error)
	// wait returns when the job has ended, or stop is closed.
	wait(stop <-chan struct{})
	// handle reports the end at once, if this process started the job; else it is nil.
	handle() call.Handle
	Cancel(by string) error
	// mark notes a word about the job, once and for all, and returns the one that holds; ""
	// if none can be noted.
	mark(word string) string
	// semaphores are those that a queued job waits for.
	semaphores() ([]supervisor.Semaphore, error)
	// Output opens what the job printed. The error is fs.ErrNotExist if that is gone.
	Output() (*spool.Output, error)
	// finalize records the end of a job that has ended or is lost.
	finalize(records Store, row store.Job) (call.Job, error)
	// completion decodes the result of the job from what it printed; false if that is not possible.
	completion(row store.Job) (call.Completion, bool)
}

// executionStatus is the status of the run of a job.
type executionStatus struct {
	phase     supervisor.Phase
	pid       int   // 0 if it does not run
	canceling bool  // its cancellation was requested
	printed   int64 // bytes
}

// executor is the one of this gateway, chosen at its first use.
func (r *Runner) executor() Executor {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.Executor == nil {
		r.Executor = r.newExecutor()
	}
	return r.Executor
}

func (r *Runner) newExecutor() Executor {
	if supervisor.Supported() {
		return &supervised{Runner: r, pool: supervisor.NewPool(), started: map[string]*supervisedJob{}}
	}
	return newInProcess(r)
}

// notFound is the execution of a job of which an executor knows nothing.
func notFound() (execution, error) { return nil, fs.ErrNotExist }
