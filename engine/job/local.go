package job

import (
	"context"
	"os"
	"sync"
	"time"

	"github.com/llm-cli-gateway/gateway/engine/call"
	"github.com/llm-cli-gateway/gateway/engine/lang"
	"github.com/llm-cli-gateway/gateway/engine/process"
)

// maxKept is how many ended jobs of this process keep their output readable.
const maxKept = 20

// local is a job without a supervisor, on a system that has none. It ends with this
// process.
type local struct {
	run    *run
	files  *files
	ctx    context.Context
	cancel context.CancelFunc
	done   chan struct{}

	mu   sync.Mutex
	exit process.Exit    // when done
	out  call.Completion // likewise
	gone bool            // its output was given up
}

// local starts the call as a job of this process.
func (r *run) local(ctx context.Context) (call.Job, *lang.Failure) {
	files, failure := r.spool()
	if failure == nil || failure.Class != lang.ClassUsage {
		r.identify()
		joined, refused := r.join(ctx)
		if joined == nil && refused == nil {
			r.describe()
			joined, refused = r.accept(ctx)
		}
		if joined != nil || refused != nil {
			files.close()
			return r.shared(ctx, joined), refused
		}
	}
	var child *process.Process
	if failure == nil {
		child, failure = r.start(files)
	}
	if failure != nil {
		files.close()
		if failure.Class == lang.ClassUsage {
			return call.Job{}, failure
		}
		return r.failed(failure), failure
	}
	l := &local{run: r, files: files, done: make(chan struct{})}
	l.ctx, l.cancel = context.WithCancel(context.Background())
	stop := r.closing()
	r.desk.mu.Lock()
	if r.desk.local == nil {
		r.desk.local = map[string]*local{}
	}
	r.desk.local[r.id] = l
	r.desk.mu.Unlock()
	r.running.Add(1)
	go func() {
		defer r.running.Done()
		defer l.cancel()
		select {
		case <-child.Done():
		case <-l.ctx.Done():
			child.Stop(process.Canceled)
		case <-stop:
			child.Stop(process.Canceled)
		}
		l.end(child.Exit())
		r.forget()
	}()
	return call.Job{Row: r.row, State: call.Running, Pid: child.Pid()}, nil
}

// spool makes the files of the run and its command line.
func (r *run) spool() (*files, *lang.Failure) {
	owner := r.owner() // it finds the spool
	files, err := newFiles(r.Spool, owner)
	if err != nil {
		return files, cannot(err)
	}
	folder, err := files.own(r.id)
	if err != nil {
		return files, cannot(err)
	}
	failure := r.compose(folder)
	if failure == nil && len(r.command.Files) > 0 {
		if err := files.place(r.command.Files, folder); err != nil {
			return files, cannot(err)
		}
	}
	if failure == nil && r.command.Stdin != nil {
		if err := files.input(*r.command.Stdin); err != nil {
			return files, cannot(err)
		}
	}
	return files, failure
}

func (r *run) start(f *files) (*process.Process, *lang.Failure) {
	path, failure := r.find()
	if failure != nil {
		return nil, failure
	}
	process, err := process.Start(process.Command{
		Path: path, Args: r.command.Args, Env: r.environ, Dir: r.Dir, Stdin: f.stdin, Stdout: f.stdout, Stderr: f.stderr, Cookie: r.id,
	}, Limits(r.Catalog, r.Bound))
	if err != nil {
		return nil, r.unstartable(err)
	}
	return process, nil
}

// end records the end of the job.
func (l *local) end(exit process.Exit) {
	r := l.run
	l.files.displace()
	out, ending := judge(r.Bound, l.files.stdout, l.files.stderr, exit)
	row := r.row
	row.Outcome = completed(out, exit, ending, r.secrets)
	row.Outcome.Ended, row.Outcome.Duration = time.Now(), time.Since(r.started)
	out.ID, out.Duration = r.id, row.Outcome.Duration
	// A record that fails now must not cost the caller the answer.
	if err := r.finish(r.records, row); err != nil {
		out.Warnings = append(out.Warnings, unfinished(err))
	}
	l.mu.Lock()
	l.exit, l.out = exit, out
	l.mu.Unlock()
	close(l.done)
}

// outcome is what became of the job, once done.
func (l *local) outcome() call.Completion {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.out
}

// forget gives up the output of the oldest ended jobs beyond what is kept.
func (r *Runner) forget() {
	r.desk.mu.Lock()
	defer r.desk.mu.Unlock()
	for {
		oldest, ended := "", 0
		for id, l := range r.desk.local {
			select {
			case <-l.done:
				ended++
				if oldest == "" || id < oldest {
					oldest = id
				}
			default:
			}
		}
		if ended <= maxKept {
			return
		}
		l := r.desk.local[oldest]
		delete(r.desk.local, oldest)
		l.mu.Lock()
		l.gone = true
		l.files.close()
		l.mu.Unlock()
	}
}

func (r *Runner) localOf(id string) *local {
	r.desk.mu.Lock()
	defer r.desk.mu.Unlock()
	return r.desk.local[id]
}

func (l *local) canceled() bool { return l.ctx.Err() != nil }

func (l *local) printed() int64 {
	stdout, stderr := l.captured()
	return stdout.Size + stderr.Size
}

// captured is what there is of the output, by now if the job runs.
func (l *local) captured() (stdout, stderr process.Capture) {
	l.mu.Lock()
	defer l.mu.Unlock()
	select {
	case <-l.done:
		return l.exit.Stdout, l.exit.Stderr
	default:
	}
	size := func(f *os.File) process.Capture {
		info, err := f.Stat()
		if err != nil {
			return process.Capture{}
		}
		return process.Capture{Size: info.Size(), Head: info.Size()}
	}
	return size(l.files.stdout), size(l.files.stderr)
}
