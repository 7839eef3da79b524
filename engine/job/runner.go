package job

import (
	"context"
	"sync"
	"time"

	"github.com/llm-cli-gateway/gateway/engine/catalog"
	"github.com/llm-cli-gateway/gateway/engine/host"
	"github.com/llm-cli-gateway/gateway/engine/job/lease"
	"github.com/llm-cli-gateway/gateway/engine/job/nesting"
	"github.com/llm-cli-gateway/gateway/engine/store"
)

// Pruner removes what was kept for long enough.
type Pruner interface {
	Prune(ctx context.Context, now time.Time) error
}

// Runner runs calls. Its methods may be called from any goroutine.
type Runner struct {
	Host       *host.Host
	Record     func() (Store, error)     // the open record of jobs
	Log        func() (CallStore, error) // where finished calls are recorded too; nil: nowhere else
	JobsApart  bool                      // the record of jobs is not that of calls: a row goes with the files of its job
	Volatile   bool                      // the record of jobs ends with this process, and so do they
	RecordName string                    // name of the record, which distinguishes directories of its jobs from those of others
	Spool      string                    // folder for what ends with this gateway, made when needed
	Jobs       string                    // absolute folder of the directories of jobs, made when needed
	Own        string                    // absolute folder of what the gateway keeps: changes in it are none of a working directory
	Pools      string                    // absolute folder of the places that jobs wait for, likewise
	Version    string                    // of the gateway, for the record
	Parent     string                    // job in which the gateway itself runs, "" if none
	Current    func() *catalog.Catalog   // the current catalog, which decodes what jobs printed

	Ended     func(store.Job)                // told of each row whose end this gateway recorded; nil: nobody
	Failed    func(store.Job, store.Attempt) // told of each attempt after which there is another; nil: nobody
	Decisions Decisions                      // records what persons decided about jobs; nil: their rows alone
	Pruners   []Pruner                       // of what else is kept for a limited time

	Executor Executor // of the programs; nil: the one for this system

	running sync.WaitGroup
	mu      sync.Mutex
	held    map[string]*heldJob // that wait for a person
	waits   map[string]*pending // that are between two attempts
	closed  chan struct{}       // when the gateway stops

	recovered Store // the record in which jobs without a row were looked for; guarded by mu

	lease            sync.Once // of the gateway, see owner.go
	leased           *lease.Lease
	name             string
	reaped           sync.Once
	nested           nesting.Jobs
	specWaitOverride time.Duration // replaces specWait in tests
}

// Close leaves jobs that are under way to their supervisors, ends those that end with
// the gateway, and waits for what this gateway still writes.
func (r *Runner) Close() {
	closed := r.closing()
	r.mu.Lock()
	select {
	case <-closed:
	default:
		close(r.closed)
	}
	r.mu.Unlock()
	x := r.executor()
	x.stop()
	r.running.Wait()
	x.close()
	r.releaseLease()
}

// Warm prepares what the next job needs, and each one after it. It does not wait.
func (r *Runner) Warm() { r.executor().warm() }

// closing is closed when the gateway stops.
func (r *Runner) closing() <-chan struct{} {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed == nil {
		r.closed = make(chan struct{})
	}
	return r.closed
}
