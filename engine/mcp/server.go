package mcp

import (
	"bytes"
	"fmt"
	"log/slog"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"github.com/llm-cli-gateway/gateway/engine/call"
)

// Options says what a Server serves. Only Caller is required.
type Options struct {
	Name, Version string // of the server, as clients see it
	Instructions  string // for models: what the tools are for
	Caller        Caller
	Log           *slog.Logger // nil: none. Never gets arguments or results.
	Hello         func()       // nil: none. Called once, after the first response.

	MaxLine  int           // bytes of one message; 0 means 16 MiB: 100,000 characters, escaped, with room to spare
	MaxCalls int           // tool calls that run at once; the others wait; 0 means 256
	Grace    time.Duration // for calls in flight after the client closed its end but still reads; 0 means an hour
	Patience time.Duration // with a client that does not read what is written; 0 means ten minutes
	Drain    time.Duration // for calls to end once cancelled, so longer than killing a child takes; 0 means 7 s
}

const (
	defaultMaxLine  = 16 << 20
	defaultMaxCalls = 256
	defaultGrace    = time.Hour
	defaultPatience = 10 * time.Minute // people stop a client for a while
	defaultDrain    = 7 * time.Second
	waitingFactor   = 16 // requests in flight per connection, in MaxCalls
)

// Server serves a listing of tools to any number of connections.
type Server struct {
	o        Options
	protocol *protocol
	slots    chan struct{} // one per running call

	connections connections
	hello       sync.Once
	swap        sync.Mutex // held while the listing changes
	listing     atomic.Pointer[listing]
}

// connections are those that are open.
type connections struct {
	count atomic.Int64 // of all that ever were, for their names
	mu    sync.Mutex
	open  map[*connection]bool
}

func (s *connections) next() int64 { return s.count.Add(1) }

func (s *connections) add(c *connection) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.open == nil {
		s.open = map[*connection]bool{}
	}
	s.open[c] = true
}

func (s *connections) remove(c *connection) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.open, c)
}

// announceChange makes every connection announce a change of the listing. Changes that
// follow each other faster than a client reads are announced together.
func (s *connections) announceChange() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for c := range s.open {
		select {
		case c.changed <- struct{}{}:
		default:
		}
	}
}

// New returns a server of the Caller's tools. Tools that no client could use are logged
// and left out.
func New(o Options) *Server {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.MaxLine <= 0 {
		o.MaxLine = defaultMaxLine
	}
	if o.MaxCalls <= 0 {
		o.MaxCalls = defaultMaxCalls
	}
	if o.Grace <= 0 {
		o.Grace = defaultGrace
	}
	if o.Patience <= 0 {
		o.Patience = defaultPatience
	}
	if o.Drain <= 0 {
		o.Drain = defaultDrain
	}
	s := &Server{o: o, protocol: newProtocol(o), slots: make(chan struct{}, o.MaxCalls)}
	s.listing.Store(&listing{})
	if err := s.ListChanged(); err != nil {
		o.Log.Error("tools left out", "error", err)
	}
	return s
}

// ListChanged asks the Caller for its tools again and swaps the listing at once. If its
// bytes differ from those before, every client is notified. The error joins what is wrong
// with tools that had to be left out; the others are served. If the Caller panics, the
// listing stays as it was.
func (s *Server) ListChanged() (err error) {
	s.swap.Lock()
	defer s.swap.Unlock()
	before := s.listing.Load()
	defer func() {
		if p := recover(); p != nil {
			s.o.Log.Error("panic in the listing of tools", "panic", p, "stack", string(debug.Stack()))
			err = fmt.Errorf("the old tools stay: %v", p)
		}
	}()
	next, err := newListing(s.o.Caller.Tools(), before)
	s.listing.Store(next) // before clients hear of it
	// The names of tools that are not shown may have changed all the same.
	if !bytes.Equal(next.text, before.text) {
		s.connections.announceChange()
	}
	return err
}

// refuse is the result of a call that does not reach its tool.
func (s *Server) refuse(name, why, help string) Result {
	s.o.Log.Warn("call refused", "tool", cut(name, 128), "why", why)
	return failure(help)
}

// call runs the tool. A panic in it fails the call only.
func (s *Server) call(r *request, p callParams, in input) (result Result) {
	name := *p.Name
	defer func() {
		if p := recover(); p != nil {
			s.o.Log.Error("panic in a tool", "tool", name, "panic", p, "stack", string(debug.Stack()))
			result = failure("The tool " + name + " failed inside the gateway; its log says more.")
		}
	}()
	if help := s.listing.Load().unknown(name); help != "" {
		return s.refuse(name, "unknown", help)
	}
	c := call.Request{Tool: name, Args: arguments(p.Arguments)}
	if c.Args == nil {
		return s.refuse(name, "arguments", "The arguments of "+name+" must be a JSON object.")
	}
	if r.progress != nil {
		c.Progress = r.progress.report
	}
	r.describe(&c, in)
	result = s.o.Caller.Call(r.ctx, c)
	if need := result.NeedInput; need != nil {
		switch {
		case need.Roots && c.ListRoots == nil:
			return failure("The tool " + name + " needs the client's roots, and the client declared none.")
		case need.Roots && !c.RootsNextRound:
			return failure("The tool " + name + " asks for another call with the client's roots, which it could ask for itself.")
		case !need.Roots && !c.AskNextRound:
			return failure("The tool " + name + " has a question, and this client cannot put it to anybody.")
		}
		return result
	}
	if problem := result.tidy(); problem != "" {
		s.o.Log.Error("unusable result of a tool", "tool", name, "problem", problem)
		return failure("The tool " + name + " ended with an unusable result: " + problem + ".")
	}
	return result
}

func failure(text string) Result { return Result{Text: []string{text}, IsError: true} }
