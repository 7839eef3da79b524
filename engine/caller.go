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

func (c caller) Call(ctx context.Context, bound mcp.Call) mcp.Result {
	r := c.tools.Call(ctx, tools.Call{
		Name: bound.Name, Args: bound.Args, Client: call.Client{Name: bound.Client.Name, Version: bound.Client.Version},
		Roots: bound.Roots, RootsNextRound: bound.RootsNextRound, Progress: bound.Progress,
		Ask: asking(bound.Ask), AskNextRound: bound.AskNextRound, Answer: answered(bound.Answer),
	})
	out := mcp.Result{Text: r.Text, Structured: r.Structured, IsError: r.IsError, NeedRoots: r.NeedRoots}
	if r.Question != nil {
		out.Question = &mcp.Question{Text: r.Question.Text, State: r.Question.State}
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
func asking(ask func(context.Context, string) (mcp.Reply, error)) func(context.Context, string) (tools.Reply, error) {
	if ask == nil {
		return nil
	}
	return func(ctx context.Context, text string) (tools.Reply, error) {
		reply, err := ask(ctx, text)
		return tools.Reply(reply), err
	}
}

func answered(a *mcp.Answer) *tools.Answer {
	if a == nil {
		return nil
	}
	return &tools.Answer{Reply: tools.Reply(a.Reply), State: a.State}
}
