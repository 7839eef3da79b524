package mcp

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"runtime/debug"

	"github.com/mark3labs/mcp-go/mcp"
	"github.com/mark3labs/mcp-go/server"
)

// request is one request of the client's, from its line to its answer.
type request struct {
	conn   *conn
	id     json.RawMessage // verbatim, as it is answered
	key    string
	ctx    context.Context
	cancel context.CancelCauseFunc

	subscription bool      // it lasts as long as the client likes
	cancelled    bool      // by the client; guarded by conn.mu
	progress     *progress // nil when not asked for; set under conn.mu

	call   *callParams // of a tools/call
	result Result      // of it, when mcp-go has returned

	rootsToo bool // the client told its roots with this round of the call
}

type requestKey struct{}

// request enters a request and serves it on its own goroutine. The handshake
// alone is served at once: what follows it depends on it.
func (c *conn) request(m message, b []byte) {
	r := &request{conn: c, id: m.ID, key: idKey(m.ID)}
	r.subscription = *m.Method == string(mcp.MethodSubscriptionsListen)
	ctx, cancel := context.WithCancelCause(c.ctx)
	r.ctx, r.cancel = context.WithValue(ctx, requestKey{}, r), cancel
	if e := c.begin(r); e != nil {
		cancel(nil)
		c.out.fail(r.id, e)
		return
	}
	switch *m.Method {
	case string(mcp.MethodInitialize):
		r.serve(func() any { return r.initialize(b) })
	case string(mcp.MethodToolsCall):
		go r.serve(func() any { return r.callTool(m.Params) })
	case string(mcp.MethodResourcesRead):
		b := bytes.Clone(b)
		go r.serve(func() any { return r.read(m.Params, b) })
	case string(mcp.MethodSubscriptionsListen):
		b := bytes.Clone(b)
		go r.serve(func() any { return r.listen(b) })
	default:
		b := bytes.Clone(b)
		go r.serve(func() any { return r.core(c.sess, b) })
	}
}

// serve answers the request with what handle returns: mcp-go's answer, or an
// [*rpcError].
func (r *request) serve(handle func() any) {
	defer r.conn.end()
	defer r.cancel(nil)
	answer := r.guarded(handle)
	if r.conn.settle(r) {
		r.answer(answer)
	}
	if s := r.conn.s; s.o.Hello != nil {
		s.hello.Do(s.o.Hello)
	}
}

func (r *request) guarded(handle func() any) (answer any) {
	defer func() {
		if p := recover(); p != nil {
			r.conn.log.Error("panic in a request", "panic", p, "stack", string(debug.Stack()))
			answer = &rpcError{codeInternal, "the gateway failed inside; its log says more"}
		}
	}()
	return handle()
}

// core hands a message to mcp-go.
func (r *request) core(sess server.ClientSession, b json.RawMessage) any {
	return r.conn.s.core.HandleMessage(r.conn.s.core.WithContext(r.ctx, sess), b)
}

func (r *request) initialize(b []byte) any {
	answer := r.core(r.conn.sess, b)
	if _, ok := answer.(mcp.JSONRPCResponse); ok {
		r.conn.mu.Lock()
		r.conn.legacy = true
		r.conn.mu.Unlock()
	}
	return answer
}

func (r *request) callTool(params json.RawMessage) any {
	var p callParams
	if json.Unmarshal(params, &p) != nil || p.Name == nil {
		return &rpcError{codeParams, `tools/call needs params with a "name"`}
	}
	r.call = &p
	if token := progressToken(p.Meta); token != nil {
		r.conn.mu.Lock() // a cancellation looks for it
		r.progress = newProgress(token, r.conn.out)
		if r.cancelled {
			r.progress.stop()
		}
		r.conn.mu.Unlock()
	}
	leave, e := r.enter()
	if e != nil {
		return e
	}
	defer leave()
	b, err := slimCall(r.id, anyTool, p)
	if err != nil {
		return &rpcError{codeInternal, err.Error()}
	}
	return r.core(r.conn.sess, b)
}

// enter waits for a place among those that run at once, which leave gives back.
func (r *request) enter() (leave func(), e *rpcError) {
	select {
	case r.conn.s.slots <- struct{}{}:
		leave = func() { <-r.conn.s.slots }
	case <-r.ctx.Done():
		return nil, &rpcError{codeBusy, context.Cause(r.ctx).Error()}
	}
	if r.ctx.Err() != nil { // both were ready, and a cancelled call must not run
		leave()
		return nil, &rpcError{codeBusy, context.Cause(r.ctx).Error()}
	}
	return leave, nil
}

// answer writes what mcp-go, or we, made of the request.
func (r *request) answer(answer any) {
	switch a := answer.(type) {
	case *rpcError:
		r.conn.out.fail(r.id, a)
	case mcp.JSONRPCError:
		r.encoded(`,"error":`, a.Error)
	case mcp.JSONRPCResponse:
		done, ok := a.Result.(*mcp.CallToolResult)
		if !ok || r.call == nil || !done.ResultType.IsComplete() {
			r.encoded(`,"result":`, a.Result)
			return
		}
		body, err := toolResult(done.Result, r.result)
		if err != nil {
			r.conn.out.fail(r.id, &rpcError{codeInternal, err.Error()})
			return
		}
		r.conn.out.result(r.id, body)
	default: // mcp-go has no answer to what it takes for no request
		r.conn.out.fail(r.id, &rpcError{codeInvalid, "not a request"})
	}
}

// encoded answers with a member of mcp-go's making. Should it be impossible to
// encode, the client still gets an answer.
func (r *request) encoded(member string, v any) {
	b, err := marshal(v)
	if err != nil {
		r.conn.log.Error("an answer that cannot be encoded", "error", err)
		r.conn.out.fail(r.id, &rpcError{codeInternal, err.Error()})
		return
	}
	r.conn.out.message(func(out *bufio.Writer) {
		out.WriteString(`{"jsonrpc":"2.0","id":`)
		out.Write(r.id)
		out.WriteString(member)
		out.Write(b)
		out.WriteByte('}')
	})
}

// rootsInput is the key under which the client's roots are asked for, and come.
const rootsInput = "roots"

// describe adds to c what the client said of itself, now or in its handshake.
func (c *conn) describe(ctx context.Context, call *Call, req mcp.CallToolRequest) {
	info, caps := c.sess.GetClientInfo(), c.sess.GetClientCapabilities()
	modern := server.RequestProtocolInfoFromContext(ctx)
	if modern != nil && modern.Modern {
		info, caps = mcp.Implementation{}, *modern.ClientCapabilities
		if modern.ClientInfo != nil {
			info = *modern.ClientInfo
		}
	}
	call.Client = ClientInfo{Name: info.Name, Version: info.Version}
	c.asking(call, caps.Elicitation, modern != nil && modern.Modern, req.Params)
	if caps.Roots == nil {
		return
	}
	if list := server.RootsResponse(req.Params.InputResponses, rootsInput); list != nil {
		dirs := dirsOf(*list)
		call.Roots = func(context.Context) ([]string, error) { return dirs, nil }
		return
	}
	call.Roots = c.roots.get
	call.RootsNextRound = modern != nil && modern.Modern
	if call.RootsNextRound {
		call.Roots = func(context.Context) ([]string, error) { return nil, errRootsNextRound }
	}
}
