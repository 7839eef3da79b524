package engine

import (
	"context"
	"errors"
	"slices"

	"github.com/llm-cli-gateway/gateway/engine/call"
	"github.com/llm-cli-gateway/gateway/engine/mcp"
	"github.com/llm-cli-gateway/gateway/engine/tools"
)

// caller adapts the tools to the server; neither knows the types of the other.
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

func (c caller) Call(ctx context.Context, req call.Request) mcp.Result {
	r := c.tools.Call(ctx, req)
	out := mcp.Result{Text: onLines(r), Structured: r.Structured, IsError: r.IsError, NeedInput: r.NeedInput}
	if !r.Bare {
		out.Tail = mcp.Member{Name: "response", Value: r.Response}
	}
	return out
}

// onLines are the texts of a result, each on a line of its own: some clients join them with
// nothing between. The answer itself stays as it is.
func onLines(r tools.Result) []string {
	texts := slices.Clone(r.Text)
	for i := 1; i < len(texts); i++ {
		if texts[i] == r.Response && !r.Bare {
			texts[i-1] += "\n"
		} else {
			texts[i] = "\n" + texts[i]
		}
	}
	return texts
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
