package engine

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"

	"github.com/llm-cli-gateway/gateway/engine/call/refused"
	"github.com/llm-cli-gateway/gateway/engine/store"
	"github.com/llm-cli-gateway/gateway/engine/store/describe"
	"github.com/llm-cli-gateway/gateway/engine/store/sqlite"
)

// record opens the store at the first call: a client waits for initialize, not for
// a database. One that cannot be opened is tried again at the next call, since its
// owner may have repaired it, and one that was moved or deleted is left for the file
// that is there now: a gateway lives for as long as its client.
type record struct {
	path   string // "" for none
	memory bool   // without a file it is kept in memory

	opening func(*sqlite.Store) // is told of a store that was opened, if not nil

	mu     sync.Mutex
	store  *sqlite.Store
	file   os.FileInfo   // what the store opened
	used   bool          // it was open once
	opened chan struct{} // closed then; made by who asks first
	closed bool
}

// inUse is closed as soon as the record was opened.
func (r *record) inUse() <-chan struct{} {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.opened == nil {
		r.opened = make(chan struct{})
		if r.used {
			close(r.opened)
		}
	}
	return r.opened
}

var errClosed = errors.New("the gateway is stopping")

func (r *record) open() (*sqlite.Store, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case r.closed:
		return nil, errClosed
	case r.store != nil && (r.memory || r.present()):
		return r.store, nil
	case r.memory:
		s, err := sqlite.OpenMemory()
		r.store = s
		return s, err
	case r.path == "":
		return nil, nil
	}
	// First the old one: closing a database tidies files beside it by their names. An
	// error then is of no use, for what it says is about a file that is gone.
	_ = r.drop()
	s, err := sqlite.Open(r.path)
	if err != nil {
		return nil, err
	}
	file, err := os.Stat(r.path)
	if err != nil {
		return nil, errors.Join(err, s.Close())
	}
	if r.opening != nil {
		r.opening(s)
	}
	r.store, r.file = s, file
	if !r.used && r.opened != nil {
		close(r.opened)
	}
	r.used = true
	return s, nil
}

// present reports whether the file that was opened is still at its path.
func (r *record) present() bool {
	now, err := os.Stat(r.path)
	return err == nil && os.SameFile(now, r.file)
}

func (r *record) drop() error {
	if r.store == nil {
		return nil
	}
	s := r.store
	r.store = nil
	return s.Close()
}

func (r *record) close() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.closed = true
	return r.drop()
}

// takeOver imports the calls in the record of an earlier gateway that was found in the place of
// ours. Where they cannot be read, calls go on without them.
func (e *Engine) takeOver(s *sqlite.Store) {
	known := map[string]refused.Kept{} // by CLI
	asKept := func(row *store.Job) {
		kept, ok := known[row.CLI]
		if !ok {
			kept = e.Tools.Runner.Kept(row.CLI)
			known[row.CLI] = kept
		}
		row.Prompt, row.Outcome.Response = kept.Prompt(row.Prompt), kept.Answer(row.Outcome.Response)
		for _, text := range []*string{&row.Model, &row.ModelAsked, &row.SessionID, &row.CorrelationID, &row.Outcome.ErrorMessage} {
			*text = kept.Text(*text)
		}
	}
	for _, h := range s.ImportEarlier(context.Background(), asKept) {
		if h.Err != nil {
			e.logger().Warn("not all calls in the record of an earlier gateway could be imported; the file stays", "file", h.Path, "calls", h.Calls, "error", h.Err)
		} else {
			e.logger().Info("the calls in the record of an earlier gateway were imported; the file stays", "file", h.Path, "calls", h.Calls)
		}
	}
}

// WriteMetadata writes beside the record of calls what its tables and columns mean, unless there
// is no record, or a file of the user in that place.
func (e *Engine) WriteMetadata() error {
	if _, err := os.Stat(e.log.path); e.log.path == "" || err != nil {
		return nil
	}
	if err := describe.WriteMetadata(e.log.path); err != nil {
		return fmt.Errorf("the description of the record cannot be written: %w", err)
	}
	return nil
}

// opener opens a store for a package, as the interface which that package declares. Where
// there is no store the interface is nil, and does not hold a nil pointer.
func opener[S any](open func() (*sqlite.Store, error), as func(*sqlite.Store) S) func() (S, error) {
	return func() (s S, err error) {
		opened, err := open()
		if opened != nil {
			s = as(opened)
		}
		return s, err
	}
}
