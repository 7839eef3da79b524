package mcp

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/mark3labs/mcp-go/mcp"
	"github.com/mark3labs/mcp-go/server"
)

// questionInput is the key under which a question is put, and answered.
const questionInput = "question"

// form is a question as the protocol has it. It has no fields: whoever accepts it says
// yes, and there is nothing to fill in that a client could fill in by itself.
func form(text string) mcp.ElicitationParams {
	return mcp.ElicitationParams{Message: text, RequestedSchema: json.RawMessage(`{"type":"object","properties":{}}`)}
}

// asking adds to a call how a person can be asked, if the client can do that by a form.
// Clients older than the two modes declare neither of them and mean a form.
func (c *conn) asking(call *Call, can *mcp.ElicitationCapability, modern bool, params mcp.CallToolParams) {
	switch {
	case can == nil || can.Form == nil && can.URL != nil:
	case !modern:
		call.Ask = c.elicit
	default:
		call.AskNextRound = true
		if answer := server.ElicitationResponse(params.InputResponses, questionInput); answer != nil {
			if reply, err := replyOf(answer.Action); err == nil {
				call.Answer = &Answer{Reply: reply, State: params.RequestState}
			}
		}
	}
}

// elicit asks the way of the older protocol, by a request of our own.
func (c *conn) elicit(ctx context.Context, text string) (Reply, error) {
	raw, err := c.asks.ask(ctx, c.out, string(mcp.MethodElicitationCreate), form(text))
	if err != nil {
		return "", err
	}
	var answer mcp.ElicitationResponse
	if err := json.Unmarshal(raw, &answer); err != nil {
		return "", fmt.Errorf("the client's answer cannot be read: %w", err)
	}
	return replyOf(answer.Action)
}

func replyOf(action mcp.ElicitationResponseAction) (Reply, error) {
	switch reply := Reply(action); reply {
	case Accepted, Declined, Dropped:
		return reply, nil
	}
	return "", fmt.Errorf("the client answered with the unknown action %q", cut(string(action), 40))
}

// question is a result that puts a question. The roots are asked for again beside it:
// a client answers what the last round asked, and no more.
func (r *request) question(q Question) *mcp.CallToolResult {
	b := server.NewInputRequestBuilder(q.State).Elicit(questionInput, form(q.Text))
	if r.rootsToo {
		b.Roots(rootsInput)
	}
	return b.ToolResult()
}
