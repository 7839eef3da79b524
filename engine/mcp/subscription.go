package mcp

import "encoding/json"

// listen serves a subscriptions/listen. It lasts until the client cancels it or closes
// its end, or is over at once if nothing that it asks for is offered.
func (r *request) listen() any {
	ack, toolsChanged, err := r.connection.s.protocol.subscription(r.id, r.params)
	if err != nil {
		return r.malformed(err)
	}
	c := r.connection
	c.send(ack)
	if toolsChanged {
		c.mu.Lock()
		c.subscriptions[r.key] = r
		c.mu.Unlock()
		<-r.ctx.Done()
		c.mu.Lock()
		delete(c.subscriptions, r.key)
		c.mu.Unlock()
	}
	return c.s.protocol.subscriptionEnd(r.id)
}

// endSubscriptions ends all subscriptions, which would otherwise be in flight for ever.
func (c *connection) endSubscriptions() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, r := range c.inflight {
		if r.method == methodListen {
			r.cancel(ErrClientGone)
		}
	}
}

// announce announces changes of the listing. It has a goroutine of its own, so that a
// client that does not read holds up neither the change nor other clients.
func (c *connection) announce() {
	for {
		select {
		case <-c.changed:
			c.announceChange()
		case <-c.ctx.Done():
			return
		}
	}
}

// announceChange notifies the client in the way it asked for: each subscription with its
// id, and a client of the handshake without one.
func (c *connection) announceChange() {
	var ids []json.RawMessage
	c.mu.Lock()
	if c.legacy {
		ids = append(ids, nil)
	}
	for _, r := range c.subscriptions {
		ids = append(ids, r.id)
	}
	c.mu.Unlock()
	for _, id := range ids {
		c.send(toolsChanged(id))
	}
}

// send sends a notification.
func (c *connection) send(notification any) {
	if err := c.out.value(notification); err != nil {
		c.log.Error("a notification cannot be encoded", "error", err)
	}
}
