package job

import (
	"context"
	"os"
	"sync"
	"time"

	"github.com/llm-cli-gateway/gateway/engine/catalog"
	"github.com/llm-cli-gateway/gateway/engine/host"
	"github.com/llm-cli-gateway/gateway/engine/supervisor"
)

// Runner runs calls. Its methods may be called from any goroutine.
type Runner struct {
	Host     *host.Host
	Record   func() (Store, error)     // the open record of jobs
	Log      func() (CallStore, error) // where finished calls are recorded too; nil: nowhere else
	Volatile bool                      // the record of jobs ends with this process, and so do they
	Place    string                    // what the record is called: directories of its jobs can be told from those of others
	Spool    string                    // folder for what ends with this gateway, made when needed
	Jobs     string                    // absolute folder of the directories of jobs, made when needed
	Pools    string                    // absolute folder of the places that jobs wait for, likewise
	Version  string                    // of the gateway, for the record
	Parent   string                    // job that the gateway itself runs in, "" if none
	Current  func() *catalog.Catalog   // the current catalog; by it is read what jobs printed

	// Also clears away what else is kept for a time; nil: nothing.
	PruneMore func(ctx context.Context, now time.Time) error

	running sync.WaitGroup
	desk    desk

	lease  sync.Once // of the gateway, see owner.go
	leased *os.File
	name   string
	reaped sync.Once
	nested nesting
	unread time.Duration // instead of unreadFor
}

// desk holds what a gateway knows of jobs beyond their directories and rows. Nothing
// of it is missed when the gateway dies, but for jobs that die with it.
type desk struct {
	mu     sync.Mutex
	ours   map[string]*kept  // started here: their ends are heard at once
	local  map[string]*local // run by this process
	closed chan struct{}
	crew   *supervisor.Pool

	inProcess bool // as if no supervisor were to be had
}

// Close leaves jobs that are under way to their supervisors, ends those that end with
// the gateway, and waits for what this gateway still writes.
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
	if r.Volatile {
		for _, k := range r.desk.ours {
			_ = k.Cancel("its gateway ends") // it has a supervisor that sees us go in any case
		}
	}
	r.desk.mu.Unlock()
	r.running.Wait()
	r.keepers().Close()
	r.release()
}

// Warm readies the supervisor of the next job, and of each one after it. It does not wait.
func (r *Runner) Warm() {
	if r.supervised() {
		r.keepers().Warm()
	}
}

// keepers are the supervisors of this gateway's jobs.
func (r *Runner) keepers() *supervisor.Pool {
	r.desk.mu.Lock()
	defer r.desk.mu.Unlock()
	if r.desk.crew == nil {
		r.desk.crew = supervisor.NewPool()
	}
	return r.desk.crew
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
