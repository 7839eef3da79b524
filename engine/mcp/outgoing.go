package mcp

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
)

// outgoing are the requests to the client that wait for a response. Only clients of the
// handshake are sent any.
type outgoing struct {
	mu      sync.Mutex
	last    int64
	waiting map[string]chan message
}

// request sends a request to the client, without params if they are nil, and waits for
// the response. When ctx ends first, the request is cancelled.
func (o *outgoing) request(ctx context.Context, out *writer, method string, params any) (json.RawMessage, error) {
	response := make(chan message, 1)
	o.mu.Lock()
	o.last++
	id := o.last
	key := idKey(fmt.Append(nil, id))
	if o.waiting == nil {
		o.waiting = map[string]chan message{}
	}
	o.waiting[key] = response
	o.mu.Unlock()

	type request struct {
		JSONRPC string `json:"jsonrpc"`
		ID      int64  `json:"id"`
		Method  string `json:"method"`
		Params  any    `json:"params,omitempty"`
	}
	if err := out.value(request{"2.0", id, method, params}); err != nil {
		return nil, err
	}
	select {
	case m := <-response:
		if m.Result != nil {
			return m.Result, nil
		}
		var e rpcError
		if err := json.Unmarshal(m.Error, &e); err != nil {
			return nil, fmt.Errorf("%s: the client answered with an unreadable error: %w", method, err)
		}
		return nil, fmt.Errorf("%s: the client answered: %s", method, e.Message)
	case <-ctx.Done():
		o.mu.Lock()
		delete(o.waiting, key)
		o.mu.Unlock()
		reason := "no answer in time"
		if !errors.Is(ctx.Err(), context.DeadlineExceeded) {
			reason = "no answer is needed any more"
		}
		_ = out.value(map[string]any{"jsonrpc": "2.0", "method": methodCancelled,
			"params": map[string]any{"requestId": id, "reason": reason}})
		return nil, fmt.Errorf("%s: %w", method, context.Cause(ctx))
	}
}

// response delivers m to the request that waits for it and reports whether there is one.
func (o *outgoing) response(m message) bool {
	key := idKey(m.ID)
	o.mu.Lock()
	waiting, ok := o.waiting[key]
	delete(o.waiting, key)
	o.mu.Unlock()
	if ok {
		waiting <- m
	}
	return ok
}
