package mcp

import (
	"github.com/mark3labs/mcp-go/mcp"
)

// listen serves a subscriptions/listen: it lasts until the client cancels it or
// closes its end.
func (r *request) listen(b []byte) any {
	c := r.conn
	s := &stream{session: c.sess, own: make(chan mcp.JSONRPCNotification, 4)}
	drained := make(chan struct{})
	go func() {
		defer close(drained)
		for n := range s.own {
			c.forward(n)
			if f, ok := n.Params.AdditionalFields["notifications"].(mcp.SubscriptionFilter); ok && f.ToolsListChanged {
				c.mu.Lock()
				c.listens[r.key] = r
				c.mu.Unlock()
			}
		}
	}()
	answer := r.core(s, b)
	// The stream is ours alone, so nothing is sent on it any more. Waiting for
	// what was sent keeps it before the answer.
	close(s.own)
	<-drained
	c.mu.Lock()
	delete(c.listens, r.key)
	c.mu.Unlock()
	return answer
}

// endListens ends all subscriptions, which would else be calls in flight for ever.
func (c *conn) endListens() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, r := range c.inflight {
		if r.subscription {
			r.cancel(ErrClientGone)
		}
	}
}

// pump forwards what mcp-go broadcasts.
func (c *conn) pump() {
	for {
		select {
		case n := <-c.sess.notify:
			if n.Method == mcp.MethodNotificationToolsListChanged {
				c.toolsChanged(n)
			} else {
				c.forward(n)
			}
		case <-c.ctx.Done():
			return
		}
	}
}

// toolsChanged tells the client in the way it asked for: each subscription
// with its id, and a client of the handshake without.
func (c *conn) toolsChanged(n mcp.JSONRPCNotification) {
	var tags []map[string]any
	c.mu.Lock()
	if c.legacy {
		tags = append(tags, nil)
	}
	for _, r := range c.listens {
		tags = append(tags, map[string]any{mcp.MetaKeySubscriptionID: r.id})
	}
	c.mu.Unlock()
	for _, tag := range tags {
		n.Params.Meta = tag
		c.forward(n)
	}
}

func (c *conn) forward(n mcp.JSONRPCNotification) {
	if err := c.out.value(n); err != nil {
		c.log.Error("a notification that cannot be encoded", "method", n.Method, "error", err)
	}
}
