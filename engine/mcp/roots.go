package mcp

import (
	"context"
	"errors"
	"net/url"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"time"

	"github.com/llm-cli-gateway/gateway/engine/call"
)

const rootsTimeout = 2 * time.Second

// roots caches what the client says its root directories are, and also that it does not
// say, so that a client that does not respond costs one timeout and not one per call.
type roots struct {
	ctx     context.Context // of the connection: a request outlives the call that needs it
	request func(context.Context) (call.Roots, error)

	mu      sync.Mutex
	pending chan struct{} // closed when the request under way is over
	known   bool
	roots   call.Roots
	err     error
	gen     int // counts the client's changes
}

var errNoRootsInTime = errors.New("no answer within two seconds")

// get returns the roots. Concurrent callers share one request.
func (r *roots) get(ctx context.Context) (call.Roots, error) {
	for {
		r.mu.Lock()
		if r.known {
			defer r.mu.Unlock()
			return r.roots, r.err
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
			return call.Roots{}, context.Cause(ctx)
		}
	}
}

// refresh requests the roots. The result of a request that a change overtook is dropped.
func (r *roots) refresh(over chan struct{}, gen int) {
	ctx, cancel := context.WithTimeoutCause(r.ctx, rootsTimeout, errNoRootsInTime)
	defer cancel()
	roots, err := r.request(ctx)
	r.mu.Lock()
	defer r.mu.Unlock()
	if gen == r.gen {
		r.known, r.roots, r.err = true, roots, err
	}
	r.pending = nil
	close(over)
}

// changed forgets the answer.
func (r *roots) changed() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.gen++
	r.known, r.roots, r.err = false, call.Roots{}, nil
}

const shownURI = 200 // characters of a URI that a message shows

// directory is the absolute path that the URI of a root stands for, or what is wrong with it.
func directory(uri string) (dir, problem string) {
	u, err := url.Parse(uri)
	switch {
	case err != nil && strings.HasPrefix(strings.ToLower(uri), "file:"):
		return "", "is not a valid URI"
	case err != nil || u.Scheme != "file":
		return "", "does not begin with file://"
	case u.Host != "" && u.Host != "localhost":
		return "", "is on another machine: its path must begin after file://"
	case u.RawQuery != "" || u.ForceQuery || u.Fragment != "" || strings.HasSuffix(uri, "#"):
		return "", "has a part after its path: write ? as %3F and # as %23"
	case strings.ContainsRune(u.Path, 0):
		return "", "has a NUL character"
	}
	path := u.Path
	if runtime.GOOS == "windows" { // file:///C:/work
		path = strings.TrimPrefix(path, "/")
	}
	if dir = filepath.FromSlash(path); !filepath.IsAbs(dir) {
		return "", "is not an absolute path"
	}
	return filepath.Clean(dir), ""
}
