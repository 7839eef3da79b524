package job

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/llm-cli-gateway/gateway/engine/call"
	"github.com/llm-cli-gateway/gateway/engine/catalog"
	"github.com/llm-cli-gateway/gateway/engine/lang"
	"github.com/llm-cli-gateway/gateway/engine/process"
	"github.com/llm-cli-gateway/gateway/engine/store"
	"github.com/llm-cli-gateway/gateway/engine/supervisor"
)

// Submit starts a call as a job, or joins the same call if that is under way or was
// answered lately. When it returns, the program runs, or waits for its place, and goes
// on whatever becomes of this gateway, unless Job.Durable is false. With a failure
// nothing runs; the Job has an ID then if the attempt is on record.
func (r *Runner) Submit(ctx context.Context, req *call.Request) (call.Job, *lang.Failure) {
	r.running.Add(1)
	defer r.running.Done()
	return r.newRun(*req).submit(ctx)
}

// rowFile lies in the directory of a job, beside the files of its supervisor and those of
// its call: what is on record, for when the record is lost.
const rowFile = "row.json"

func (r *run) submit(ctx context.Context) (call.Job, *lang.Failure) {
	if failure := r.refused(ctx); failure != nil {
		return call.Job{}, failure
	}
	if failure := r.open(ctx); failure != nil {
		return call.Job{}, failure
	}
	if failure := r.nest(ctx); failure != nil {
		return call.Job{}, failure
	}
	if r.supervised() {
		return r.keep(ctx)
	}
	return r.local(ctx)
}

// supervised reports whether a supervisor takes the call.
func (r *Runner) supervised() bool { return supervisor.Supported() && !r.desk.inProcess }

// keep starts a job under a supervisor. It keeps to an order: the lease is taken before
// there is a row, so that nobody takes a job that is being started for a lost one; and
// nothing runs without a row.
func (r *run) keep(ctx context.Context) (call.Job, *lang.Failure) {
	failure := r.compose(filepath.Join(r.folder(), r.id))
	if failure != nil && failure.Class == lang.ClassUsage {
		return call.Job{}, failure
	}
	r.identify()
	if failure == nil {
		if joined, failure := r.join(ctx); joined != nil || failure != nil {
			return r.shared(ctx, joined), failure
		}
	}
	r.describe()
	var dir *supervisor.Dir
	if failure == nil {
		dir, failure = r.directory()
	}
	drop := func(failure *lang.Failure) *lang.Failure {
		if dir != nil {
			if err := dir.Remove(); err != nil && failure != nil {
				failure.Message += "; what was prepared is left behind: " + err.Error()
			}
		}
		return failure
	}
	defer r.inOrder(ctx)()
	if joined, failure := r.accept(ctx); joined != nil || failure != nil {
		return r.shared(ctx, joined), drop(failure)
	}
	pid := 0
	if failure == nil {
		var err error
		if pid, err = process.StartSupervised(r.keepers(), dir, r.environ); err != nil {
			failure = r.unstartable(err)
		}
	}
	if failure != nil {
		return r.failed(failure), drop(failure)
	}
	job := call.Job{Row: r.row, State: call.Running, Durable: r.durable(r.row), Pid: pid, Handle: r.watch(dir)}
	if pid == 0 {
		job.State = call.Queued
		job.Position = r.position(ctx, r.records, job)
	}
	return job, nil
}

// directory prepares the directory of the job, with all that its program reads.
func (r *run) directory() (*supervisor.Dir, *lang.Failure) {
	program, failure := r.find()
	if failure != nil {
		return nil, failure
	}
	l := Limits(r.Catalog, r.Bound)
	job := supervisor.Job{ID: r.id, Path: program, Args: r.command.Args, Dir: r.Dir, Semaphores: r.pools(), EndWithGateway: r.Volatile,
		Limits: supervisor.Limits{Wall: l.Wall, Idle: l.Idle, Grace: l.Grace, Output: l.Output}, QueueTimeout: r.queueing()}
	if r.command.Stdin != nil {
		job.Stdin = []byte(*r.command.Stdin)
	}
	dir, err := supervisor.Prepare(r.folder(), job)
	if err == nil {
		// A row that has no directory yet must not look as if it had lost it.
		r.row.Folder = r.folder()
		if err = r.furnish(dir); err != nil {
			r.row.Folder = ""
			err = errors.Join(err, dir.Remove())
		}
	}
	if err != nil {
		return nil, cannot(fmt.Errorf("the job cannot be prepared: %w", err))
	}
	return dir, nil
}

// sheet is what rowFile holds.
type sheet struct {
	Record string // Runner.Place
	Row    store.Job
}

// furnish puts into the directory of a job what the room keeper does not know of.
func (r *run) furnish(dir *supervisor.Dir) error {
	if err := place(r.command.Files, dir.Path()); err != nil {
		return err
	}
	text, err := json.Marshal(sheet{r.Place, r.row})
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir.Path(), rowFile), text, 0o600)
}

// kept is a job that this gateway started.
type kept struct {
	*supervisor.Dir
	done chan struct{} // closed when its end was seen, or will not be
	job  call.Job      // then, if it has ended

	call    *catalog.Call // as it was bound: meanwhile there may be other specs
	secrets redactor
}

// Done implements Handle.
func (k *kept) Done() <-chan struct{} { return k.done }

// Last implements Handle.
func (k *kept) Last() (call.Job, bool) { return k.job, k.job.State != "" }

// watch finishes the row of a job as soon as it ends, while this gateway lives.
func (r *run) watch(dir *supervisor.Dir) *kept {
	k := &kept{Dir: dir, done: make(chan struct{}), call: r.Bound, secrets: r.secrets}
	r.desk.mu.Lock()
	if r.desk.ours == nil {
		r.desk.ours = map[string]*kept{}
	}
	r.desk.ours[r.id] = k
	r.desk.mu.Unlock()
	stop := r.closing()
	if r.Volatile {
		stop = nil
	}
	r.running.Add(1)
	go func() {
		defer r.running.Done()
		defer close(k.done)
		if s, err := dir.Wait(stop); err == nil {
			// What fails now is tried again by whoever asks for the job.
			k.job, _ = r.finalize(r.records, ending{row: r.row, dir: dir, state: s, call: r.Bound, secrets: r.secrets, known: true})
		}
		r.desk.mu.Lock()
		delete(r.desk.ours, r.id)
		r.desk.mu.Unlock()
	}()
	return k
}
