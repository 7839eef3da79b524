package job

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"

	"github.com/llm-cli-gateway/gateway/engine/call"
	"github.com/llm-cli-gateway/gateway/engine/catalog"
	"github.com/llm-cli-gateway/gateway/engine/job/early"
	"github.com/llm-cli-gateway/gateway/engine/job/environment"
	"github.com/llm-cli-gateway/gateway/engine/job/jobdir"
	"github.com/llm-cli-gateway/gateway/engine/job/queue"
	"github.com/llm-cli-gateway/gateway/engine/job/redaction"
	"github.com/llm-cli-gateway/gateway/engine/job/spool"
	"github.com/llm-cli-gateway/gateway/engine/lang"
	"github.com/llm-cli-gateway/gateway/engine/process"
	"github.com/llm-cli-gateway/gateway/engine/store"
	"github.com/llm-cli-gateway/gateway/engine/supervisor"
)

// supervised is the executor of jobs that outlive their gateway: each has a supervisor and
// a directory, which is the truth about it, and any gateway can ask about it.
type supervised struct {
	*Runner
	pool *supervisor.Pool

	mu      sync.Mutex
	started map[string]*supervisedJob // in this process: their ends are seen at once
}

// supervisedJob is a job that this gateway started.
type supervisedJob struct {
	*supervisor.Dir
	done chan struct{} // closed when its end was seen, or will not be
	job  call.Job      // then, if it has ended

	call    *catalog.Call // as it was bound: meanwhile there may be other specs
	secrets redaction.Redactor
}

// Done implements call.Handle.
func (s *supervisedJob) Done() <-chan struct{} { return s.done }

// Last implements call.Handle.
func (s *supervisedJob) Last() (call.Job, bool) { return s.job, s.job.State != "" }

func (x *supervised) durable() bool { return !x.Volatile }
func (x *supervised) warm()         { x.pool.Warm() }
func (x *supervised) close()        { x.pool.Close() }

func (x *supervised) stop() {
	if !x.Volatile {
		return
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	for _, s := range x.started {
		_ = s.Cancel("its gateway ends") // its supervisor notices our end in any case
	}
}

func (x *supervised) folder(r *run) (string, error) {
	return filepath.Join(x.Runner.folder(), r.dir()), nil
}

// supervisedPreparation is a directory whose supervisor is not started yet.
type supervisedPreparation struct {
	x   *supervised
	dir *supervisor.Dir
}

func (x *supervised) prepare(r *run) (preparation, *lang.Failure) {
	program, failure := environment.Program(r.Host, r.Bound.CLI, r.command.Bin)
	if failure != nil {
		return nil, failure
	}
	job := supervisor.Job{ID: r.dir(), Path: program, Args: r.command.Args, Dir: r.Dir, Semaphores: queue.Semaphores(r.Pools, r.Catalog, r.Bound, r.Dir, r.depth), EndWithGateway: x.Volatile,
		Limits: environment.Limits(r.Catalog, r.Bound), QueueTimeout: r.queueTimeout()}
	if r.command.Stdin != nil {
		job.Stdin = []byte(*r.command.Stdin)
	}
	p, err := x.makeDir(r, job)
	if err != nil {
		return nil, environment.StartFailure(fmt.Errorf("the job cannot be prepared: %w", err))
	}
	return p, nil
}

func (x *supervised) prepareProgram(r *run, p Program) (preparation, error) {
	return x.makeDir(r, supervisor.Job{
		ID: r.id, Path: p.Path, Args: p.Args, Dir: p.Dir, EndWithGateway: x.Volatile, Limits: supervisor.Limits{Wall: p.Wall},
		Semaphores: []supervisor.Semaphore{{Dir: filepath.Join(x.Pools, "program-"+p.CLI), Size: 1}}, // one upgrade at a time
	})
}

// makeDir makes the directory of a job, with the files of its call and its row.
func (x *supervised) makeDir(r *run, job supervisor.Job) (preparation, error) {
	dir, err := supervisor.Prepare(x.Runner.folder(), job)
	if err != nil {
		return nil, err
	}
	// A row that has no directory yet must not look as if it had lost it.
	r.row.Folder = x.Runner.folder()
	err = spool.Write(r.command.Files, dir.Path())
	if err == nil {
		err = jobdir.Manifest{Record: x.RecordName, Row: r.row, Call: r.stored()}.Write(dir.Path())
	}
	if err != nil {
		r.row.Folder = ""
		return nil, errors.Join(err, dir.Remove())
	}
	return &supervisedPreparation{x, dir}, nil
}

func (p *supervisedPreparation) discard() error { return p.dir.Remove() }

func (p *supervisedPreparation) start(r *run) (call.Job, error) {
	pid, err := process.StartSupervised(p.x.pool, p.dir, r.environ)
	if err != nil {
		return call.Job{}, err
	}
	job := call.Job{Row: r.row, State: call.Running, Durable: r.durable(r.row), Pid: pid, Handle: p.x.watch(r, p.dir)}
	if pid == 0 {
		job.State = call.Queued
	}
	return job, nil
}

// watch finishes the row of a job as soon as it ends, while this gateway lives.
func (x *supervised) watch(r *run, dir *supervisor.Dir) *supervisedJob {
	s := &supervisedJob{Dir: dir, done: make(chan struct{}), call: r.Bound, secrets: r.secrets}
	x.mu.Lock()
	x.started[r.id] = s
	x.mu.Unlock()
	stop := x.closing()
	if x.Volatile {
		stop = nil
	}
	x.running.Add(1)
	go func() {
		defer x.running.Done()
		defer close(s.done)
		ended := make(chan struct{})
		defer close(ended)
		if r.Bound != nil { // else it is no call of a CLI
			go early.End(&supervisedExecution{x, dir, s}, r.Bound.CLI, ended)
		}
		if state, err := dir.Wait(stop); err == nil {
			// What fails now is tried again by whoever asks for the job.
			s.job, _ = x.Runner.finalize(r.records, ending{runner: x.Runner, row: r.row, dir: dir, state: state, call: r.Bound, secrets: r.secrets, known: true, run: r})
		}
		x.mu.Lock()
		if x.started[r.id] == s { // else the next attempt has begun
			delete(x.started, r.id)
		}
		x.mu.Unlock()
	}()
	return s
}

func (x *supervised) startedJob(id string) *supervisedJob {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.started[id]
}

func (x *supervised) find(id string) (execution, error) {
	if s := x.startedJob(id); s != nil {
		return &supervisedExecution{x, s.Dir, s}, nil
	}
	dir, err := supervisor.Open(jobdir.Last(x.Runner.folder(), id))
	if err != nil {
		return nil, err
	}
	return &supervisedExecution{x, dir, nil}, nil
}

// supervisedExecution is a job as its directory describes it.
type supervisedExecution struct {
	x       *supervised
	dir     *supervisor.Dir
	started *supervisedJob // nil if another gateway started it
}

func (e *supervisedExecution) handle() call.Handle {
	if e.started == nil {
		return nil
	}
	return e.started
}

func (e *supervisedExecution) status() (executionStatus, error) {
	s, err := e.dir.State()
	if err != nil {
		return executionStatus{}, err
	}
	status := executionStatus{phase: s.Phase, pid: s.Start.Pid, canceling: s.Canceling}
	if s.Phase == supervisor.Running {
		if stdout, stderr, err := e.dir.Captured(); err == nil {
			status.printed = stdout.Size + stderr.Size
		}
	}
	return status, nil
}

func (e *supervisedExecution) wait(stop <-chan struct{}) {
	// The status says how it ended.
	_, _ = e.dir.Wait(stop)
}

func (e *supervisedExecution) Cancel(by string) error {
	if err := e.dir.Cancel(by); err != nil && !errors.Is(err, supervisor.ErrEnded) {
		return err
	}
	return nil
}

// markFile holds a word about a job. A link is made at once with what it says, or not at
// all.
const markFile = "claim"

func (e *supervisedExecution) mark(word string) string {
	path := filepath.Join(e.dir.Path(), markFile)
	if os.Symlink(word, path) == nil {
		return word
	}
	there, err := os.Readlink(path)
	if err != nil {
		return ""
	}
	return there
}

func (e *supervisedExecution) semaphores() ([]supervisor.Semaphore, error) {
	s, err := e.dir.State()
	if err != nil || s.Phase != supervisor.Queued {
		return nil, err
	}
	job, err := e.dir.Job()
	return job.Semaphores, err
}

func (e *supervisedExecution) Output() (*spool.Output, error) {
	_, missing := os.Stat(filepath.Join(e.dir.Path(), "stdout"))
	stdout, stderr, err := e.dir.OpenOutput()
	if err != nil {
		return nil, err
	}
	return &spool.Output{Stdout: stdout, Stderr: stderr, Complete: missing == nil, Close: func() { stdout.Close(); stderr.Close() }, Captured: func() (out, errs process.Capture, err error) {
		s, err := e.dir.State()
		if err != nil {
			return out, errs, err
		}
		if s.Phase == supervisor.Ended || s.Phase == supervisor.Lost {
			return s.Exit.Stdout, s.Exit.Stderr, nil
		}
		return e.dir.Captured()
	}}, nil
}

// endingOf is the end of the job with what is needed to decode it: the call as it was bound
// here, or what is on record.
func (e *supervisedExecution) endingOf(row store.Job, s supervisor.State) ending {
	end := ending{runner: e.x.Runner, row: row, dir: e.dir, state: s}
	if e.started != nil {
		end.call, end.secrets, end.known = e.started.call, e.started.secrets, true
		return end
	}
	if bound, ok := e.x.restoreCall(row); ok && row.Mode != program {
		end.call = bound
	}
	end.secrets, end.known = e.x.secretsOf(row)
	return end
}

func (e *supervisedExecution) finalize(records Store, row store.Job) (call.Job, error) {
	s, err := e.dir.State()
	if err != nil {
		return call.Job{}, err
	}
	return e.x.Runner.finalize(records, e.endingOf(row, s))
}

func (e *supervisedExecution) completion(row store.Job) (call.Completion, bool) {
	s, err := e.dir.State()
	if err != nil || s.Phase != supervisor.Ended && s.Phase != supervisor.Lost {
		return call.Completion{}, false
	}
	end := e.endingOf(row, s)
	// Where the spec by which it was read is gone, what was found then is on record. So
	// it is where the directory does not agree: of that the disk may not have had all
	// when the power went away.
	out, outcome, err := end.decode()
	if row.State == store.Done && end.call != nil && end.call.CLI.Output.File.Model.Take != "" {
		out.Answer.Model = cmp.Or(out.Answer.Model, row.Model) // the file may be gone
	}
	readable := end.call != nil || row.Mode == program
	agrees := outcome == store.EndOK || outcome == row.Outcome.Ending
	return out, err == nil && (readable && agrees || row.State != store.Done)
}
