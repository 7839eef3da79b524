package mcp

import (
	"context"
	"errors"
	"sync"
	"time"
)

const rootsTimeout = 2 * time.Second

// roots caches what the client says its root directories are, and also that it does not
// say, so that a client that does not respond costs one timeout and not one per call.
type roots struct {
	ctx     context.Context // of the connection: a request outlives the call that needs it
	request func(context.Context) ([]string, error)

	mu      sync.Mutex
	pending chan struct{} // closed when the request under way is over
	known   bool
	dirs    []string
	err     error
	gen     int // counts the client's changes
}

var errNoRootsInTime = errors.New("no answer within two seconds")

// get returns the roots. Concurrent callers share one request.
func (r *roots) get(ctx context.Context) ([]string, error) {
	for {
		r.mu.Lock()
		if r.known {
			defer r.mu.Unlock()
			return r.dirs, r.err
		}
		pending := r.pending
		if pending == nil {
			pending = make(chan struct{})
			r.pending = pending
			go r.refresh(pending, r.gen)
		}
		r.mu.Unlock()
		select {
		case <-pending:
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
}

// refresh requests the roots. The result of a request that a change overtook is dropped.
func (r *roots) refresh(over chan struct{}, gen int) {
	ctx, cancel := context.WithTimeoutCause(r.ctx, rootsTimeout, errNoRootsInTime)
	defer cancel()
	dirs, err := r.request(ctx)
	r.mu.Lock()
	defer r.mu.Unlock()
	if gen == r.gen {
		r.known, r.dirs, r.err = true, dirs, err
	}
	r.pending = nil
	close(over)
}

// changed forgets the answer.
func (r *roots) changed() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.gen++
	r.known, r.dirs, r.err = false, nil, nil
}
