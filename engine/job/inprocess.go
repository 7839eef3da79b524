package job

import (
	"context"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/llm-cli-gateway/gateway/engine/call"
	"github.com/llm-cli-gateway/gateway/engine/job/early"
	"github.com/llm-cli-gateway/gateway/engine/job/environment"
	"github.com/llm-cli-gateway/gateway/engine/job/lease"
	"github.com/llm-cli-gateway/gateway/engine/job/outcome"
	"github.com/llm-cli-gateway/gateway/engine/job/spool"
	"github.com/llm-cli-gateway/gateway/engine/lang"
	"github.com/llm-cli-gateway/gateway/engine/process"
	"github.com/llm-cli-gateway/gateway/engine/store"
	"github.com/llm-cli-gateway/gateway/engine/supervisor"
)

// maxEndedOutputs is how many ended jobs of this process keep their output readable.
const maxEndedOutputs = 20

// inProcess is the executor of jobs that are children of this process and end with it: on
// a system that has no supervisors.
type inProcess struct {
	*Runner
	mu   sync.Mutex
	jobs map[string]*inProcessJob
}

func newInProcess(r *Runner) *inProcess {
	return &inProcess{Runner: r, jobs: map[string]*inProcessJob{}}
}

func (x *inProcess) durable() bool { return false }
func (x *inProcess) warm()         {}
func (x *inProcess) close()        {}

func (x *inProcess) stop() {
	x.mu.Lock()
	defer x.mu.Unlock()
	for _, j := range x.jobs {
		j.stop()
	}
}

func (x *inProcess) folder(r *run) (string, error) {
	x.owner() // creates the spool
	return filepath.Abs(filepath.Join(x.Spool, lease.FilesPrefix+x.name+"-"+r.id))
}

func (x *inProcess) find(id string) (execution, error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if j := x.jobs[id]; j != nil {
		return j, nil
	}
	return notFound()
}

// inProcessJob is a job of this process.
type inProcessJob struct {
	run   *run
	files *spool.Files
	ctx   context.Context
	stop  context.CancelFunc
	done  chan struct{}

	mu   sync.Mutex
	exit process.Exit    // when done
	out  call.Completion // likewise
	gone bool            // its output was dropped

	marked string // see mark
	by     string // who or what canceled it first
}

// prepareProgram refuses: an upgrade must not end halfway with its gateway.
func (x *inProcess) prepareProgram(*run, Program) (preparation, error) {
	return nil, supervisor.ErrUnsupported
}

// inProcessPreparation are the files of a call that is not started yet.
type inProcessPreparation struct {
	x       *inProcess
	files   *spool.Files
	program string
}

func (x *inProcess) prepare(r *run) (preparation, *lang.Failure) {
	files, err := spool.New(x.Spool)
	if err != nil {
		return nil, environment.StartFailure(err)
	}
	p := &inProcessPreparation{x: x, files: files}
	folder, err := x.folder(r)
	if err == nil && (len(r.command.Files) > 0 || r.command.Writes != "") {
		err = files.WriteNamed(r.command.Files, folder)
	}
	if err == nil && r.command.Stdin != nil {
		err = files.Input(*r.command.Stdin)
	}
	failure := (*lang.Failure)(nil)
	if err != nil {
		failure = environment.StartFailure(err)
	} else {
		p.program, failure = environment.Program(r.Host, r.Bound.CLI, r.command.Bin)
	}
	if failure != nil {
		files.Close()
		return nil, failure
	}
	return p, nil
}

func (p *inProcessPreparation) discard() error {
	p.files.Close()
	return nil
}

func (p *inProcessPreparation) start(r *run) (call.Job, error) {
	x, f := p.x, p.files
	child, err := process.Start(process.Command{
		Path: p.program, Args: r.command.Args, Env: r.environ, Dir: r.Dir, Stdin: f.Stdin, Stdout: f.Stdout, Stderr: f.Stderr, Cookie: r.id,
	}, environment.Limits(r.Catalog, r.Bound))
	if err != nil {
		return call.Job{}, err
	}
	j := &inProcessJob{run: r, files: f, done: make(chan struct{})}
	j.ctx, j.stop = context.WithCancel(context.Background())
	closing := x.closing()
	x.mu.Lock()
	x.jobs[r.id] = j
	x.mu.Unlock()
	x.running.Add(1)
	go early.End(j, r.Bound.CLI, child.Done())
	go func() {
		defer x.running.Done()
		defer j.stop()
		select {
		case <-child.Done():
		case <-j.ctx.Done():
			child.Stop(process.Canceled)
		case <-closing:
			child.Stop(process.Canceled)
		}
		j.end(outcome.EndedBy(child.Exit(), j.canceledBy()))
		x.dropOldOutput()
	}()
	return call.Job{Row: r.row, State: call.Running, Pid: child.Pid()}, nil
}

// end records the end of the job.
func (j *inProcessJob) end(exit process.Exit) {
	r := j.run
	out, ending := outcome.Decode(r.Bound, j.files.Stdout, j.files.Stderr, exit, r.written(r.row, r.Bound, j.files.NamedDir(), exit))
	j.files.RemoveNamed()
	r.secrets.Report(&out)
	row := r.row
	row.Outcome = outcome.Row(out, exit, ending, r.secrets.Redact, r.secrets.Answer)
	if r.secrets.DropsAnswers() {
		outcome.Unrecorded(&row.Outcome, outcome.Dropped)
	}
	outcome.PerCall(r.records, row, &row.Outcome, &out.Answer)
	outcome.Price(r.Bound, row, &row.Outcome, &out.Answer)
	row.Outcome.Ended, row.Outcome.Duration = time.Now(), time.Since(r.started)
	out.ID, out.Duration = r.id, row.Outcome.Duration
	// The caller gets the answer even if recording it fails.
	if _, err := r.conclude(r.records, &ended{row: row, out: &out, run: r}); err != nil {
		out.Warnings = append(out.Warnings, rowNotFinished(err))
	}
	j.mu.Lock()
	j.exit, j.out = exit, out
	j.mu.Unlock()
	close(j.done)
}

// dropOldOutput drops the output of the oldest ended jobs beyond maxEndedOutputs.
func (x *inProcess) dropOldOutput() {
	x.mu.Lock()
	defer x.mu.Unlock()
	for {
		oldest, ended := "", 0
		for id, j := range x.jobs {
			select {
			case <-j.done:
				ended++
				if oldest == "" || id < oldest {
					oldest = id
				}
			default:
			}
		}
		if ended <= maxEndedOutputs {
			return
		}
		j := x.jobs[oldest]
		delete(x.jobs, oldest)
		j.mu.Lock()
		j.gone = true
		j.files.Close()
		j.mu.Unlock()
	}
}

func (j *inProcessJob) status() (executionStatus, error) {
	stdout, stderr := j.captured()
	return executionStatus{phase: supervisor.Running, canceling: j.ctx.Err() != nil, printed: stdout.Size + stderr.Size}, nil
}

func (j *inProcessJob) wait(stop <-chan struct{}) {
	select {
	case <-j.done:
	case <-stop:
	}
}

func (j *inProcessJob) handle() call.Handle { return nil } // everything is in its row

func (j *inProcessJob) Cancel(by string) error {
	j.mu.Lock()
	if j.by == "" {
		j.by = by
	}
	j.mu.Unlock()
	j.stop()
	return nil
}

func (j *inProcessJob) canceledBy() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.by
}

// mark lets every caller share the job: a caller that leaves cancels nothing that others wait for.
func (j *inProcessJob) mark(word string) string {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.marked == "" {
		j.marked = word
	}
	return j.marked
}

func (j *inProcessJob) semaphores() ([]supervisor.Semaphore, error) { return nil, nil }

func (j *inProcessJob) Output() (*spool.Output, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.gone {
		return nil, fs.ErrNotExist
	}
	return &spool.Output{Stdout: j.files.Stdout, Stderr: j.files.Stderr, Complete: true, Close: func() {}, Captured: func() (stdout, stderr process.Capture, err error) {
		stdout, stderr = j.captured()
		return stdout, stderr, nil
	}}, nil
}

// finalize has nothing to do: end does it.
func (j *inProcessJob) finalize(_ Store, row store.Job) (call.Job, error) {
	return call.Job{Row: row, State: call.Running}, nil
}

// completion is what became of the job, once done.
func (j *inProcessJob) completion(store.Job) (call.Completion, bool) {
	select {
	case <-j.done:
	default:
		return call.Completion{}, false
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.out, true
}

// captured is what there is of the output, by now if the job runs.
func (j *inProcessJob) captured() (stdout, stderr process.Capture) {
	j.mu.Lock()
	defer j.mu.Unlock()
	select {
	case <-j.done:
		return j.exit.Stdout, j.exit.Stderr
	default:
	}
	size := func(f *os.File) process.Capture {
		info, err := f.Stat()
		if err != nil {
			return process.Capture{}
		}
		return process.Capture{Size: info.Size(), Head: info.Size()}
	}
	return size(j.files.Stdout), size(j.files.Stderr)
}
