package job

import (
	"context"
	"errors"
	"os"
	"sync"

	"github.com/llm-cli-gateway/gateway/engine/plan"
	"github.com/llm-cli-gateway/gateway/engine/proc"
)

// maxKept is how many ended jobs of this process keep their output readable.
const maxKept = 20

// local is a job without a supervisor, on a system that has none. It ends with this
// process.
type local struct {
	run    *run
	ctx    context.Context
	cancel context.CancelFunc
	done   chan struct{}

	mu   sync.Mutex
	exit proc.Exit // when done
	out  Outcome   // likewise
	gone bool      // its output was given up
}

// local starts the call as a job of this process.
func (r *run) local(ctx context.Context) (Job, *plan.Failure) {
	if records, err := r.Record(); err == nil && records == nil {
		return Job{}, unrecorded(r.Call.CLI)
	}
	process, out := r.launch(ctx)
	if process == nil {
		r.close()
		return Job{}, out.Answer.Failure
	}
	l := &local{run: r, done: make(chan struct{})}
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
		case <-process.Done():
		case <-l.ctx.Done():
			process.Stop(proc.Canceled)
		case <-stop:
			process.Stop(proc.Canceled)
		}
		exit := process.Exit()
		out := r.end(exit)
		l.mu.Lock()
		l.exit, l.out = exit, out
		l.mu.Unlock()
		close(l.done)
		r.forget()
	}()
	row, err := r.records.Job(context.WithoutCancel(ctx), r.id)
	job := Job{Row: row, State: Running, Pid: process.Pid()}
	if err != nil {
		job.Row.ID = r.id
		job.Notes = append(job.Notes, err.Error())
	}
	return job, nil
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
		l.run.close()
		l.mu.Unlock()
	}
}

func (r *Runner) local(id string) *local {
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
func (l *local) captured() (stdout, stderr proc.Capture) {
	l.mu.Lock()
	defer l.mu.Unlock()
	select {
	case <-l.done:
		return l.exit.Stdout, l.exit.Stderr
	default:
	}
	size := func(f *os.File) proc.Capture {
		info, err := f.Stat()
		if err != nil {
			return proc.Capture{}
		}
		return proc.Capture{Size: info.Size(), Head: info.Size()}
	}
	return size(l.run.files.stdout), size(l.run.files.stderr)
}

// read fills in the output.
func (l *local) read(res *Result, offset, most int) (err error) {
	stdout, stderr := l.captured()
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.gone {
		return nil
	}
	if res.State.Ended() {
		res.Outcome = l.out
	}
	if res.Stdout, err = window(proc.Reader(l.run.files.stdout, stdout), offset, most); err == nil {
		res.Stderr, err = window(proc.Reader(l.run.files.stderr, stderr), offset, most)
	}
	if errors.Is(err, os.ErrClosed) {
		return nil
	}
	return err
}
