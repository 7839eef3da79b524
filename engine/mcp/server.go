package mcp

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"github.com/mark3labs/mcp-go/mcp"
	"github.com/mark3labs/mcp-go/server"
)

// Options says what a Server serves. Only Caller is required.
type Options struct {
	Name, Version string // of the server, as clients see it
	Instructions  string // for models: what the tools are for
	Caller        Caller
	Log           *slog.Logger // nil: none. Never gets arguments or results.
	Hello         func()       // nil: none. Called once, when a first request has been answered.

	MaxLine  int           // bytes of one message; 0 means 16 MiB: 100,000 characters, escaped, with room to spare
	MaxCalls int           // tool calls that run at once, the others wait; 0 means 256
	Grace    time.Duration // for calls in flight when the client closes its end but still reads; 0 means an hour
	Drain    time.Duration // for calls to end once cancelled, so longer than killing a child takes; 0 means 7 s
}

const (
	defaultMaxLine  = 16 << 20
	defaultMaxCalls = 256
	defaultGrace    = time.Hour
	defaultDrain    = 7 * time.Second
	waitingFactor   = 16 // requests in flight per connection, in MaxCalls
)

// Server is a listing of tools that any number of connections can be served with.
type Server struct {
	o     Options
	core  *server.MCPServer
	slots chan struct{} // one per running call
	conns atomic.Int64  // counts connections, for their names

	hello   sync.Once
	swap    sync.Mutex // held while the listing changes
	listing atomic.Pointer[listing]
}

// New makes a server of the Caller's tools. Tools that no client could use are
// logged and left out.
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
	if o.Drain <= 0 {
		o.Drain = defaultDrain
	}
	s := &Server{o: o, slots: make(chan struct{}, o.MaxCalls)}
	s.core = server.NewMCPServer(o.Name, o.Version,
		server.WithInstructions(o.Instructions),
		server.WithToolCapabilities(true),
		server.WithToolFilter(hideAnyTool),
	)
	s.offer(o.Caller.Resources())
	s.listing.Store(&listing{})
	if err := s.ListChanged(); err != nil {
		o.Log.Error("tools left out", "error", err)
	}
	return s
}

// ListChanged asks the Caller for its tools again and swaps the listing at once. If its
// bytes differ from those before, every client is told, once. The error joins what is wrong
// with tools that had to be left out; the others are served.
func (s *Server) ListChanged() (err error) {
	s.swap.Lock()
	defer s.swap.Unlock()
	before := s.listing.Load()
	defer func() {
		if r := recover(); r != nil { // mcp-go panics over tools that it refuses
			s.listing.Store(before)
			err = fmt.Errorf("the old tools stay: %v", r)
		}
	}()
	next, tools, err := newListing(s.o.Caller.Tools(), before)
	if before.names != nil && bytes.Equal(next.text, before.text) {
		s.listing.Store(next) // the names of tools that are not shown may have changed
		return err
	}
	served := []server.ServerTool{{Tool: mcp.NewToolWithRawSchema(anyTool, "", emptySchema), Handler: s.handle}}
	for _, t := range tools {
		served = append(served, server.ServerTool{Tool: t, Handler: s.handle})
	}
	s.listing.Store(next) // before clients hear of it
	s.core.SetTools(served...)
	return err
}

// anyTool is the name under which mcp-go is asked to call any tool. That way a
// name nobody knows still reaches us, and can be answered helpfully.
const anyTool = "?"

var emptySchema = []byte(`{"type":"object"}`)

// hideAnyTool keeps anyTool out of listings; mcp-go filters calls too.
func hideAnyTool(ctx context.Context, tools []mcp.Tool) []mcp.Tool {
	if r, ok := ctx.Value(requestKey{}).(*request); ok && r.call != nil {
		return tools
	}
	shown := make([]mcp.Tool, 0, len(tools))
	for _, t := range tools {
		if t.Name != anyTool {
			shown = append(shown, t)
		}
	}
	return shown
}

// handle is every tool's handler. The result goes around mcp-go, in the
// request, so that a long answer is not copied on its way out.
func (s *Server) handle(ctx context.Context, req mcp.CallToolRequest) (*mcp.CallToolResult, error) {
	r, ok := ctx.Value(requestKey{}).(*request)
	if !ok {
		return nil, errors.New("a call came past the transport")
	}
	r.result = s.call(ctx, r, req)
	if r.result.NeedRoots {
		return server.NewInputRequestBuilder("").Roots(rootsInput).ToolResult(), nil
	}
	if q := r.result.Question; q != nil {
		return r.question(*q), nil
	}
	return &mcp.CallToolResult{}, nil
}

// call runs the tool; a panic in it is its own misfortune.
func (s *Server) call(ctx context.Context, r *request, req mcp.CallToolRequest) (result Result) {
	name := *r.call.Name
	defer func() {
		if p := recover(); p != nil {
			s.o.Log.Error("panic in a tool", "tool", name, "panic", p, "stack", string(debug.Stack()))
			result = failure("The tool " + name + " failed inside the gateway; its log says more.")
		}
	}()
	if help := s.listing.Load().unknown(name); help != "" {
		return failure(help)
	}
	c := Call{Name: name, Args: r.call.Arguments}
	switch {
	case len(c.Args) == 0 || string(c.Args) == "null":
		c.Args = []byte("{}")
	case c.Args[0] != '{':
		return failure("The arguments of " + name + " must be a JSON object.")
	}
	if r.progress != nil {
		c.Progress = r.progress.report
	}
	r.conn.describe(ctx, &c, req)
	_, r.rootsToo = req.Params.InputResponses[rootsInput]
	result = s.o.Caller.Call(ctx, c)
	if result.NeedRoots {
		if c.Roots == nil {
			return failure("The tool " + name + " needs the client's roots, and the client declared none.")
		}
		return result
	}
	if result.Question != nil {
		if !c.AskNextRound {
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
