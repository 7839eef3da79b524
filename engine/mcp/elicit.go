package mcp

import (
	"context"
	"fmt"

	"github.com/llm-cli-gateway/gateway/engine/call"
)

// elicit adds to call how a person can be asked, if the client can do that by a form.
func (r *request) elicit(req *call.Request, client clientState, in input) {
	switch {
	case !client.forms:
	case !r.envelope.modern:
		req.Ask = r.connection.elicit
	default:
		req.AskNextRound = true
		if reply, err := replyOf(in.reply); err == nil {
			req.Answer = &call.Answer{Reply: reply, State: in.state}
		}
	}
}

// elicit asks a person in front of a legacy client, by a request to it.
func (c *connection) elicit(ctx context.Context, text string) (call.Reply, error) {
	raw, err := c.outgoing.request(ctx, c.out, methodElicit, elicitation(text))
	if err != nil {
		return "", err
	}
	action, err := elicitationAction(raw)
	if err != nil {
		return "", fmt.Errorf("the client's answer cannot be read: %w", err)
	}
	return replyOf(action)
}

func replyOf(action string) (call.Reply, error) {
	switch reply := call.Reply(action); reply {
	case call.Accepted, call.Declined, call.Dismissed:
		return reply, nil
	}
	return "", fmt.Errorf("the client answered with the unknown action %q", cut(action, 40))
}
