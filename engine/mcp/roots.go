package mcp

import (
	"context"
	"encoding/json"
	"errors"
	"net/url"
	"path/filepath"
	"sync"
	"time"

	"github.com/mark3labs/mcp-go/mcp"
)

const rootsTimeout = 2 * time.Second

// roots caches what the client said its root directories are, also that it did
// not say, so that a mute client costs one timeout and not one per call.
type roots struct {
	ctx context.Context // of the connection: a question outlives the call that asked it
	ask func(context.Context) ([]string, error)

	mu     sync.Mutex
	asking chan struct{} // closed when the question under way is over
	known  bool
	dirs   []string
	err    error
	gen    int // counts the client's changes
}

var errNoRootsInTime = errors.New("no answer within two seconds")

// get returns the roots. Callers that come together ask together.
func (r *roots) get(ctx context.Context) ([]string, error) {
	for {
		r.mu.Lock()
		if r.known {
			defer r.mu.Unlock()
			return r.dirs, r.err
		}
		asking := r.asking
		if asking == nil {
			asking = make(chan struct{})
			r.asking = asking
			go r.question(asking, r.gen)
		}
		r.mu.Unlock()
		select {
		case <-asking:
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
}

func (r *roots) question(over chan struct{}, gen int) {
	ctx, cancel := context.WithTimeoutCause(r.ctx, rootsTimeout, errNoRootsInTime)
	defer cancel()
	dirs, err := r.ask(ctx)
	r.mu.Lock()
	defer r.mu.Unlock()
	if gen == r.gen {
		r.known, r.dirs, r.err = true, dirs, err
	}
	r.asking = nil
	close(over)
}

// changed forgets the answer.
func (r *roots) changed() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.gen++
	r.known, r.dirs, r.err = false, nil, nil
}

// rootDirs reads an answer to roots/list. Roots that are not directories of
// this machine are passed over.
func rootDirs(raw json.RawMessage) ([]string, error) {
	var list mcp.ListRootsResult
	if err := json.Unmarshal(raw, &list); err != nil {
		return nil, err
	}
	return dirsOf(list), nil
}

func dirsOf(list mcp.ListRootsResult) []string {
	var dirs []string
	for _, root := range list.Roots {
		u, err := url.Parse(root.URI)
		if err != nil || u.Scheme != "file" || u.Host != "" && u.Host != "localhost" {
			continue
		}
		if dir := filepath.FromSlash(u.Path); filepath.IsAbs(dir) {
			dirs = append(dirs, filepath.Clean(dir))
		}
	}
	return dirs
}
