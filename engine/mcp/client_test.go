package mcp

import (
	"context"
	"encoding/json"
	"io"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/mark3labs/mcp-go/client"
	"github.com/mark3labs/mcp-go/client/transport"
	"github.com/mark3labs/mcp-go/mcp"

	"github.com/llm-cli-gateway/gateway/engine/call"
)

// rootsOf answers roots/list as an editor would.
type rootsOf string

func (r rootsOf) ListRoots(context.Context, mcp.ListRootsRequest) (*mcp.ListRootsResult, error) {
	return &mcp.ListRootsResult{Roots: []mcp.Root{{URI: string(r)}}}, nil
}

// TestARealClientOfEachEra inspects the server with mcp-go's client, which was
// written without us in mind.
func TestARealClientOfEachEra(t *testing.T) {
	for version, options := range map[string][]client.ClientOption{
		"2025-11-25": {client.WithLegacyProtocolOnly()},
		"2026-07-28": {},
	} {
		t.Run(version, func(t *testing.T) {
			ctx := t.Context()
			var mu sync.Mutex
			tools := []Tool{tool("say"), tool("where")}
			d := &changingCaller{mu: &mu, tools: &tools, stubCaller: stubCaller{call: func(ctx context.Context, c call.Request) Result {
				if c.Tool == "where" {
					return whereabouts(ctx, c)
				}
				if c.Progress != nil {
					c.Progress("working")
				}
				return echo(ctx, c)
			}}}
			serverIn, in := io.Pipe()
			out, serverOut := io.Pipe()
			s := New(Options{Name: "gateway", Version: "1", Instructions: "Call say.", Caller: d})
			served := make(chan error, 1)
			go func() {
				served <- s.Serve(context.Background(), serverIn, serverOut)
				serverOut.Close()
			}()
			options = append(options, client.WithRootsHandler(rootsOf("file:///home/ann")))
			c := client.NewClient(transport.NewIO(out, in, io.NopCloser(strings.NewReader(""))), options...)
			notified := make(chan string, 100)
			c.OnNotification(func(n mcp.JSONRPCNotification) { notified <- n.Method })
			if err := c.Start(ctx); err != nil {
				t.Fatal(err)
			}

			var hello mcp.InitializeRequest
			hello.Params.ClientInfo = mcp.Implementation{Name: "inspector", Version: "1"}
			hello.Params.ProtocolVersion = version
			found, err := c.Initialize(ctx, hello)
			if err != nil {
				t.Fatal(err)
			}
			want(t, found.ProtocolVersion+" "+found.Instructions, version+" Call say.")
			if version == "2026-07-28" {
				ctx, cancel := context.WithCancel(ctx)
				defer cancel()
				go c.Listen(ctx, mcp.SubscriptionFilter{ToolsListChanged: true})
				want(t, <-notified, "notifications/subscriptions/acknowledged")
			}

			names := func() string {
				list, err := c.ListTools(ctx, mcp.ListToolsRequest{})
				if err != nil {
					t.Fatal(err)
				}
				var names []string
				for _, t := range list.Tools {
					names = append(names, t.Name)
				}
				slices.Sort(names)
				return strings.Join(names, " ")
			}
			want(t, names(), "say where")

			call := mcp.CallToolRequest{}
			call.Params.Name = "say"
			call.Params.Arguments = map[string]any{"text": "hi"}
			call.Params.Meta = &mcp.Meta{ProgressToken: "p"}
			got, err := c.CallTool(ctx, call)
			if err != nil {
				t.Fatal(err)
			}
			structured, _ := json.Marshal(got.StructuredContent)
			want(t, got.Content[0].(mcp.TextContent).Text+string(structured), `{"text":"hi"}{"ok":true}`)
			want(t, <-notified, "notifications/progress")

			call.Params.Name, call.Params.Meta = "where", nil
			got, err = c.CallTool(ctx, call)
			if err != nil {
				t.Fatal(err)
			}
			want(t, got.Content[0].(mcp.TextContent).Text, "/home/ann")

			mu.Lock()
			tools = append(tools, tool("yell"))
			mu.Unlock()
			if err := s.ListChanged(); err != nil {
				t.Fatal(err)
			}
			want(t, <-notified, "notifications/tools/list_changed")
			want(t, names(), "say where yell")

			in.Close()
			if err := <-served; err != nil {
				t.Fatal(err)
			}
			c.Close()
		})
	}
}

// changingCaller is a stubCaller whose tools may change while it serves.
type changingCaller struct {
	stubCaller
	mu    *sync.Mutex
	tools *[]Tool
}

func (g *changingCaller) Tools() []Tool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return slices.Clone(*g.tools)
}
