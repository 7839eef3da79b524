package mcp

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/llm-cli-gateway/gateway/engine/call"
	"github.com/llm-cli-gateway/gateway/engine/mcp/stdio"
)

// connection is one client and what it has under way.
type connection struct {
	s        *Server
	log      *slog.Logger
	out      *writer
	outgoing outgoing
	roots    roots

	// room has an element for each call whose response is not written yet: a client that
	// does not read gets no more calls made.
	room chan struct{}

	// ctx is the parent of every request's. It ends when the connection is closed and
	// not with Serve's context, so that its cause says which of the two it was.
	ctx    context.Context
	cancel context.CancelCauseFunc

	// changed has an element while a change of the listing has to be announced.
	changed chan struct{}

	mu            sync.Mutex
	inflight      map[string]*request // by idKey; what a cancellation can find
	running       int                 // requests whose responses are not written yet
	idle          chan struct{}       // closed when running is 0, while something waits for that
	closed        bool
	legacy        bool                // the client did the initialize handshake
	client        clientState         // as the handshake told
	subscriptions map[string]*request // to changes of the listing, by idKey
}

// Serve serves one client until it is gone. When in ends, requests in flight get the
// grace to finish, and Serve returns nil. It returns an error that wraps [ErrClientGone]
// when out or in fails, and the cause of ctx when ctx ends; requests are cancelled then
// and get Options.Drain to end. A read of in that is under way is not waited for:
// whoever owns in closes it.
func (s *Server) Serve(ctx context.Context, in io.Reader, out io.Writer) error {
	c, broken := s.connect(context.WithoutCancel(ctx), out)
	defer c.out.lines.Close()
	defer c.cancel(nil)
	s.connections.add(c)
	defer s.connections.remove(c)
	go c.announce()

	ended := make(chan error, 1)
	go func() { ended <- c.read(in) }()

	var err error
	select {
	case err = <-ended:
		c.endSubscriptions()
		cause := ErrClientGone
		read, stop := stdio.WhileRead(ctx, out)
		defer stop()
		if !c.drain(read, s.o.Grace) {
			if ctx.Err() != nil {
				cause = ErrStopping
			}
			c.log.Info("calls cut short: the client closed its end", "grace", s.o.Grace)
		}
		c.close(cause)
	case err = <-broken:
		c.close(ErrClientGone)
	case <-ctx.Done():
		err = context.Cause(ctx)
		c.close(ErrStopping)
	}
	if !c.drain(context.WithoutCancel(ctx), s.o.Drain) {
		c.log.Error("calls did not end in time after their cancellation")
	}
	if err == nil && len(broken) > 0 { // responses were lost after in had ended
		err = <-broken
	}
	return err
}

// connect makes the connection. The channel says why out cannot be written to any more;
// by then everything under way is cancelled.
func (s *Server) connect(ctx context.Context, out io.Writer) (*connection, <-chan error) {
	c := &connection{s: s, room: make(chan struct{}, s.o.MaxCalls), changed: make(chan struct{}, 1), inflight: map[string]*request{}, subscriptions: map[string]*request{}}
	c.ctx, c.cancel = context.WithCancelCause(ctx)
	c.log = s.o.Log.With("conn", fmt.Sprint("stdio-", s.connections.next()))
	broken := make(chan error, 1)
	c.out = newWriter(out, s.o.Patience, func(err error) {
		c.cancel(ErrClientGone)
		broken <- fmt.Errorf("%w: %w", ErrClientGone, err)
	})
	c.roots = roots{ctx: c.ctx, request: func(ctx context.Context) (call.Roots, error) {
		raw, err := c.outgoing.request(ctx, c.out, methodRoots, nil)
		if err != nil {
			return call.Roots{}, err
		}
		return legacyRoots(raw)
	}}
	return c, broken
}

// read handles lines until there are no more.
func (c *connection) read(in io.Reader) error {
	lines := stdio.NewReader(in, c.s.o.MaxLine)
	for {
		line, err := lines.Next()
		var long *stdio.TooLongError
		switch {
		case err == nil:
			c.line(line)
		case errors.As(err, &long):
			c.log.Warn("message too long", "limit", c.s.o.MaxLine)
			c.out.fail(recoverID(long), newError(codeInvalid,
				fmt.Sprintf("the message is longer than %d bytes; send less at once, for example a file's name instead of its text", c.s.o.MaxLine)))
		case errors.Is(err, io.EOF):
			return nil
		default:
			return fmt.Errorf("%w: %w", ErrClientGone, err)
		}
	}
}

const maxBatch = 100

// byteOrderMark is what some programs on Windows begin their output with.
var byteOrderMark = []byte("\ufeff")

// line handles a message, or a batch of them, each answered on its own.
func (c *connection) line(b []byte) {
	b = bytes.TrimSpace(bytes.TrimPrefix(b, byteOrderMark))
	if len(b) == 0 {
		return
	}
	if !utf8.Valid(b) {
		b = bytes.ToValidUTF8(b, []byte("\ufffd"))
	}
	if b[0] != '[' {
		c.message(b)
		return
	}
	var batch []json.RawMessage
	switch err := json.Unmarshal(b, &batch); {
	case err != nil:
		c.out.fail(nil, newError(codeParse, "not valid JSON: "+err.Error()))
	case len(batch) == 0 || len(batch) > maxBatch:
		c.out.fail(nil, newError(codeInvalid, fmt.Sprintf("a batch has 1 to %d messages", maxBatch)))
	default:
		for _, b := range batch {
			c.message(b)
		}
	}
}

// message handles one message. Whatever later ones may refer to is in place when it
// returns. It does not retain b.
func (c *connection) message(b []byte) {
	m, e := parse(b)
	switch {
	case e != nil:
		c.out.fail(m.ID, e)
	case m.Method == nil:
		if !c.outgoing.response(m) {
			c.log.Debug("a response that nothing waits for", "id", string(m.ID))
		}
	case m.ID == nil:
		c.notification(*m.Method, m.Params)
	default:
		c.request(m)
	}
}

// notification handles the notifications that matter here; the others are ignored.
func (c *connection) notification(method string, params json.RawMessage) {
	switch method {
	case methodCancelled:
		var p struct {
			ID     json.RawMessage `json:"requestId"`
			Reason json.RawMessage `json:"reason"`
		}
		if json.Unmarshal(params, &p) != nil {
			return
		}
		c.mu.Lock()
		defer c.mu.Unlock()
		if r := c.inflight[idKey(p.ID)]; r != nil {
			r.cancelled = true
			if r.progress != nil {
				r.progress.stop()
			}
			r.cancel(&CancelError{Reason: reasonText(p.Reason)})
		}
	case methodRootsChanged:
		c.roots.changed()
	}
}

// begin registers r, so that it can be cancelled from now on.
func (c *connection) begin(r *request) *rpcError {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch limit := waitingFactor * c.s.o.MaxCalls; {
	case c.closed:
		return newError(codeBusy, ErrStopping.Error())
	case c.inflight[r.key] != nil:
		return newError(codeInvalid, "a request with this id is still running")
	case c.running >= limit:
		return newError(codeBusy, fmt.Sprintf("more than %d requests at once; wait for some of them", limit))
	}
	c.inflight[r.key] = r
	c.running++
	return nil
}

// finish unregisters r: from now on its id may be used again and it cannot be cancelled.
// It reports whether the client still wants the response.
func (c *connection) finish(r *request) bool {
	c.mu.Lock()
	wanted := !r.cancelled
	delete(c.inflight, r.key)
	c.mu.Unlock()
	if r.progress != nil {
		if !wanted {
			r.progress.stop()
		}
		r.progress.finish()
	}
	return wanted
}

// end is called when the response to a request is written, or none is due.
func (c *connection) end() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.running--
	if c.running == 0 && c.idle != nil {
		close(c.idle)
		c.idle = nil
	}
}

// drain waits until every request is answered, and reports whether they were
// before the time was over, ctx ended, or the connection was closed.
func (c *connection) drain(ctx context.Context, d time.Duration) bool {
	c.mu.Lock()
	if c.running == 0 {
		c.mu.Unlock()
		return true
	}
	idle := make(chan struct{})
	c.idle = idle
	var over <-chan struct{} // once closed, the context is over anyway
	if !c.closed {
		over = c.ctx.Done()
	}
	c.mu.Unlock()
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-idle:
		return true
	case <-timer.C:
	case <-ctx.Done():
	case <-over:
	}
	return false
}

// close refuses new requests and cancels those in flight.
func (c *connection) close(cause error) {
	c.mu.Lock()
	c.closed = true
	c.mu.Unlock()
	c.cancel(cause)
}
