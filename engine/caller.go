package engine

import (
	"context"
	"errors"

	"github.com/llm-cli-gateway/gateway/engine/call"
	"github.com/llm-cli-gateway/gateway/engine/mcp"
	"github.com/llm-cli-gateway/gateway/engine/tools"
)

// caller lets the server call the tools; neither knows the other's types.
type caller struct{ tools *tools.Tools }

func (c caller) Tools() []mcp.Tool {
	var out []mcp.Tool
	for _, t := range c.tools.Offers() {
		out = append(out, mcp.Tool{
			Name: t.Name, Title: t.Title, Description: t.Description, InputSchema: t.Input, OutputSchema: t.Output,
			ReadOnly: t.ReadOnly, Destructive: t.Destructive, Idempotent: t.Idempotent, OpenWorld: t.OpenWorld,
			Brief: t.Brief, Unlisted: t.Why != "",
		})
	}
	return out
}

func (c caller) Call(ctx context.Context, m mcp.Call) mcp.Result {
	r := c.tools.Call(ctx, call.Request{
		Tool: m.Name, Args: m.Args, Client: call.Client{Name: m.Client.Name, Version: m.Client.Version},
		Interaction: call.Interaction{
			ListRoots: m.Roots, RootsNextRound: m.RootsNextRound, Progress: m.Progress,
			Ask: asking(m.Ask), AskNextRound: m.AskNextRound, Answer: answered(m.Answer),
		},
	})
	out := mcp.Result{Text: r.Text, Structured: r.Structured, IsError: r.IsError}
	if need := r.NeedInput; need != nil {
		out.NeedRoots = need.Roots
		if q := need.Question; q != nil {
			out.Question = &mcp.Question{Text: q.Text, State: q.State}
		}
	}
	if !r.Bare {
		out.Tail = mcp.Member{Name: "response", Value: r.Response}
	}
	return out
}

func (c caller) Resources() (out []mcp.Resource) {
	for _, r := range tools.Resources() {
		out = append(out, mcp.Resource{URI: r.URI, Name: r.Name, Title: r.Title, Description: r.Description, MIMEType: jsonType})
	}
	return out
}

const jsonType = "application/json"

func (c caller) Read(ctx context.Context, uri string) (mcp.Contents, error) {
	text, err := c.tools.Read(ctx, uri)
	var none *tools.NoResourceError
	if errors.As(err, &none) {
		err = &mcp.NoResourceError{Text: none.Text}
	}
	return mcp.Contents{MIMEType: jsonType, Text: string(text)}, err
}

// asking and answered translate what a person says; both rooms use the protocol's words.
func asking(ask func(context.Context, string) (mcp.Reply, error)) func(context.Context, string) (call.Reply, error) {
	if ask == nil {
		return nil
	}
	return func(ctx context.Context, text string) (call.Reply, error) {
		reply, err := ask(ctx, text)
		return call.Reply(reply), err
	}
}

func answered(a *mcp.Answer) *call.Answer {
	if a == nil {
		return nil
	}
	return &call.Answer{Reply: call.Reply(a.Reply), State: a.State}
}
