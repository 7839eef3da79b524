package mcp

import (
	"context"
	"encoding/json"
	"fmt"
	"sync"

	"github.com/mark3labs/mcp-go/mcp"
	"github.com/mark3labs/mcp-go/server"
)

// session is what mcp-go remembers of a connection.
type session struct {
	id     string
	notify chan mcp.JSONRPCNotification

	mu          sync.Mutex
	initialized bool
	info        mcp.Implementation
	caps        mcp.ClientCapabilities
	version     string
}

var (
	_ server.SessionWithClientInfo      = (*session)(nil)
	_ server.SessionWithProtocolVersion = (*session)(nil)
)

func (s *session) SessionID() string { return s.id }

func (s *session) NotificationChannel() chan<- mcp.JSONRPCNotification { return s.notify }

func (s *session) Initialize() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.initialized = true
}

func (s *session) Initialized() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.initialized
}

func (s *session) GetClientInfo() mcp.Implementation {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.info
}

func (s *session) SetClientInfo(info mcp.Implementation) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.info = info
}

func (s *session) GetClientCapabilities() mcp.ClientCapabilities {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.caps
}

func (s *session) SetClientCapabilities(caps mcp.ClientCapabilities) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.caps = caps
}

// ProtocolVersion is what an initialize handshake agreed on; empty without one.
func (s *session) ProtocolVersion() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.version
}

func (s *session) SetProtocolVersion(version string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.version = version
}

// stream is the session of one subscriptions/listen: what mcp-go sends on it
// belongs to that subscription alone.
type stream struct {
	*session
	own chan mcp.JSONRPCNotification
}

func (s *stream) NotificationChannel() chan<- mcp.JSONRPCNotification { return s.own }

// asks are the requests that we sent to the client and that wait for an answer.
type asks struct {
	mu      sync.Mutex
	last    int64
	waiting map[string]chan message
}

// ask sends a request to the client, without params if they are nil, and waits for the
// answer. When ctx ends first, the client is told to stop caring.
func (a *asks) ask(ctx context.Context, out *writer, method string, params any) (json.RawMessage, error) {
	answer := make(chan message, 1)
	a.mu.Lock()
	a.last++
	id := a.last
	key := idKey(fmt.Append(nil, id))
	if a.waiting == nil {
		a.waiting = map[string]chan message{}
	}
	a.waiting[key] = answer
	a.mu.Unlock()

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
	case m := <-answer:
		if m.Result != nil {
			return m.Result, nil
		}
		var e rpcError
		if err := json.Unmarshal(m.Error, &e); err != nil {
			return nil, fmt.Errorf("%s: the client answered with an unreadable error: %w", method, err)
		}
		return nil, fmt.Errorf("%s: the client answered: %s", method, e.Message)
	case <-ctx.Done():
		a.mu.Lock()
		delete(a.waiting, key)
		a.mu.Unlock()
		_ = out.value(map[string]any{"jsonrpc": "2.0", "method": "notifications/cancelled",
			"params": map[string]any{"requestId": id, "reason": "no answer in time"}})
		return nil, fmt.Errorf("%s: %w", method, context.Cause(ctx))
	}
}

// answered hands m to whoever waits for it and reports whether anybody did.
func (a *asks) answered(m message) bool {
	key := idKey(m.ID)
	a.mu.Lock()
	answer, ok := a.waiting[key]
	delete(a.waiting, key)
	a.mu.Unlock()
	if ok {
		answer <- m
	}
	return ok
}
