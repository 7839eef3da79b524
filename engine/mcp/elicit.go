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
		if in.reply != "" {
			req.Answer = &call.Answer{Reply: in.reply, State: in.state}
		}
	}
}

// elicit asks a person in front of a legacy client, by a request to it.
func (c *connection) elicit(ctx context.Context, text string) (call.Reply, error) {
	raw, err := c.outgoing.request(ctx, c.out, methodElicit, elicitation(text, false))
	if err != nil {
		return "", err
	}
	return legacyReply(raw)
}

// decisionField is the only field of the form. It is required and has no default, so that
// no client that fills in forms by itself says yes with it.
const decisionField = "decision"

// A choice is one of the values of decisionField.
type choice struct {
	Value call.Reply `json:"const"`
	Title string     `json:"title"`
}

// choices stand in the order in which they are shown: where a client preselects the first
// one after all, that is no yes.
var choices = []choice{{call.ChoseDeny, "Deny: nothing is run"}, {call.ChoseApprove, "Approve: run it as it is"}}

// form is the schema of the form by which a person decides. Titles of choices have one form
// in the revisions with a handshake, and another one in the later ones.
func form(modern bool) any {
	field := map[string]any{"type": "string", "title": "Decision", "description": "Whether the call may run."}
	values, titles := []call.Reply{}, []string{}
	for _, c := range choices {
		values, titles = append(values, c.Value), append(titles, c.Title)
	}
	field["enum"] = values
	if modern {
		field["oneOf"] = choices
	} else {
		field["enumNames"] = titles
	}
	return map[string]any{"type": "object", "properties": map[string]any{decisionField: field}, "required": []string{decisionField}}
}

// replyOf reads what came back of the form. Only a valid choice in a form that was accepted
// is a person's; the error is for what is no answer at all.
func replyOf(action string, content any) (call.Reply, error) {
	switch action {
	case "accept":
		fields, _ := content.(map[string]any)
		chosen, _ := fields[decisionField].(string)
		if reply := call.Reply(chosen); reply.Chosen() {
			return reply, nil
		}
		return call.NoChoice, nil
	case "decline":
		return call.Declined, nil
	case "cancel":
		return call.Dismissed, nil
	}
	return "", fmt.Errorf("the client answered with the unknown action %q", cut(action, 40))
}
