package mcp

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"runtime/debug"

	"github.com/llm-cli-gateway/gateway/engine/call"
)

// request is one request of a client, from its message to its response.
type request struct {
	connection *connection
	id         json.RawMessage // verbatim, as the response repeats it
	key        string          // idKey of id
	method     string
	params     json.RawMessage
	envelope   envelope
	ctx        context.Context
	cancel     context.CancelCauseFunc

	cancelled bool      // by the client; guarded by connection.mu
	progress  *progress // nil when not asked for; set under connection.mu
	hasRoom   bool      // of the connection's
}

// request starts to serve a request, on a goroutine of its own. Only the handshake is
// served at once: what follows it depends on it.
func (c *connection) request(m message) {
	r := &request{connection: c, id: m.ID, key: idKey(m.ID), method: *m.Method, params: m.Params}
	r.ctx, r.cancel = context.WithCancelCause(c.ctx)
	if e := c.begin(r); e != nil {
		r.cancel(nil)
		c.out.fail(r.id, e)
		return
	}
	if r.method == methodInitialize {
		r.serve()
		return
	}
	go r.serve()
}

// serve handles the request and writes the response.
func (r *request) serve() {
	defer r.connection.end()
	defer r.cancel(nil)
	result := r.handleSafely()
	if r.connection.finish(r) {
		r.respond(result)
	}
	if r.hasRoom {
		<-r.connection.room
	}
	if s := r.connection.s; s.o.Hello != nil {
		s.hello.Do(s.o.Hello)
	}
}

func (r *request) handleSafely() (result any) {
	defer func() {
		if p := recover(); p != nil {
			r.connection.log.Error("panic in a request", "panic", p, "stack", string(debug.Stack()))
			result = newError(codeInternal, "the gateway failed inside; its log says more")
		}
	}()
	return r.handle()
}

// handle returns an [*rpcError], a tool's [Result], or what is encoded as the result.
func (r *request) handle() any {
	p := r.connection.s.protocol
	env, e := openEnvelope(r.params)
	if e == nil {
		r.envelope = env
		e = refusal(r.method, env.modern, p.hasResources())
	}
	if e != nil {
		return e
	}
	switch r.method { // these two name what they need before anything else
	case methodCall:
		return r.call()
	case methodRead:
		return r.read()
	}
	if env.broken != nil {
		return r.malformed(env.broken)
	}
	var result any
	var err error
	switch r.method {
	case methodInitialize:
		result, err = r.initialize()
	case methodPing:
		result = p.ping()
	case methodDiscover:
		result = p.discover()
	case methodListen:
		return r.listen()
	case methodTools:
		result, err = p.listTools(env, r.params, r.connection.s.listing.Load().tools)
	case methodResources:
		result, err = p.listResources(env, r.params)
	case methodTemplates:
		result, err = p.listTemplates(env, r.params)
	}
	switch {
	case errors.As(err, &cursorError{}):
		return newError(codeParams, err.Error())
	case err != nil:
		return r.malformed(err)
	}
	return result
}

// malformed refuses the request because its params cannot be decoded.
func (r *request) malformed(err error) *rpcError {
	return newError(codeInvalid, fmt.Sprintf("the params of %s are malformed: %v", r.method, err))
}

func (r *request) initialize() (any, error) {
	result, client, err := r.connection.s.protocol.initialize(r.params)
	if err == nil {
		r.connection.mu.Lock()
		r.connection.legacy, r.connection.client = true, client
		r.connection.mu.Unlock()
	}
	return result, err
}

// call serves a tools/call.
func (r *request) call() any {
	var p callParams
	if json.Unmarshal(r.params, &p) != nil || p.Name == nil {
		return newError(codeParams, `tools/call needs params with a "name"`)
	}
	if r.envelope.broken != nil {
		return r.malformed(r.envelope.broken)
	}
	in, err := readInput(p.InputResponses, p.RequestState)
	if err != nil {
		return r.malformed(err)
	}
	if token := progressToken(p.Meta); token != nil {
		r.connection.mu.Lock() // a cancellation looks for it
		r.progress = newProgress(token, r.connection.out)
		if r.cancelled {
			r.progress.stop()
		}
		r.connection.mu.Unlock()
	}
	release, e := r.acquire()
	if e != nil {
		return e
	}
	defer release()
	result := r.connection.s.call(r, p, in)
	if need := result.NeedInput; need != nil {
		// The roots are asked for again beside a question: a client answers what the last
		// round asked, and no more.
		return r.connection.s.protocol.inputRequired(need.Roots || in.hasRoots, need.Question)
	}
	return result
}

// acquire waits for one of the slots of requests that run at once, and for room for the
// response, which serve gives back when that is written.
func (r *request) acquire() (release func(), e *rpcError) {
	for _, wanted := range []chan struct{}{r.connection.room, r.connection.s.slots} {
		select {
		case wanted <- struct{}{}:
		case <-r.ctx.Done():
			return nil, newError(codeBusy, context.Cause(r.ctx).Error())
		}
		if wanted == r.connection.room {
			r.hasRoom = true
		}
	}
	release = func() { <-r.connection.s.slots }
	if r.ctx.Err() != nil { // both were ready, and a cancelled call must not run
		release()
		return nil, newError(codeBusy, context.Cause(r.ctx).Error())
	}
	return release, nil
}

// respond writes the response. A result that cannot be encoded becomes an error.
func (r *request) respond(result any) {
	out, err := r.connection.out, error(nil)
	switch result := result.(type) {
	case *rpcError:
		out.fail(r.id, result)
	case Result:
		var body func(*bufio.Writer)
		if body, err = toolResult(r.connection.s.protocol.toolResultHead(r.envelope), result); err != nil {
			out.fail(r.id, newError(codeInternal, err.Error()))
			break
		}
		out.result(r.id, body)
	default:
		err = out.encoded(r.id, result)
	}
	if err != nil {
		r.connection.log.Error("a result cannot be encoded", "method", r.method, "error", err)
	}
}

// describe adds to call what the client says of itself, and what it brings along.
func (r *request) describe(req *call.Request, in input) {
	c, modern := r.connection, r.envelope.modern
	client := r.envelope.client
	if !modern {
		c.mu.Lock()
		client = c.client
		c.mu.Unlock()
	}
	req.Client = client.info
	r.elicit(req, client, in)
	switch {
	case !client.roots:
	case in.roots != nil:
		req.ListRoots = func(context.Context) (call.Roots, error) { return *in.roots, nil }
	case modern:
		req.RootsNextRound = true
		req.ListRoots = func(context.Context) (call.Roots, error) { return call.Roots{}, errRootsNextRound }
	default:
		req.ListRoots = c.roots.get
	}
}

// arguments are the arguments of a call as an object, or nil if they are none.
func arguments(raw json.RawMessage) json.RawMessage {
	switch {
	case len(raw) == 0 || bytes.Equal(raw, []byte("null")):
		return json.RawMessage("{}")
	case raw[0] != '{':
		return nil
	}
	return raw
}
