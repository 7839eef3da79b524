package mcp

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/llm-cli-gateway/gateway/engine/call"
)

// stubCaller is a Caller made of what a test needs.
type stubCaller struct {
	tools []Tool
	call  func(ctx context.Context, c call.Request) Result

	resources []Resource
	read      func(ctx context.Context, uri string) (Contents, error)
}

func (d *stubCaller) Resources() []Resource { return d.resources }

func (d *stubCaller) Read(ctx context.Context, uri string) (Contents, error) { return d.read(ctx, uri) }

func (d *stubCaller) Tools() []Tool { return d.tools }

func (d *stubCaller) Call(ctx context.Context, c call.Request) Result { return d.call(ctx, c) }

func tool(name string) Tool {
	return Tool{Name: name, Description: "Does " + name + ".", ReadOnly: true,
		InputSchema: json.RawMessage(`{"type":"object","properties":{"text":{"type":"string"}},"additionalProperties":false}`)}
}

// echo answers with the arguments as they came.
func echo(_ context.Context, c call.Request) Result {
	return Result{Text: []string{string(c.Args)}, Structured: json.RawMessage(`{"ok":true}`)}
}

// untilCancelled is a call that ends with its context and says why.
func untilCancelled(ctx context.Context, _ call.Request) Result {
	<-ctx.Done()
	return failure(context.Cause(ctx).Error())
}

// peer is the client's end of a served connection.
type peer struct {
	t      *testing.T
	server *Server
	in     *io.PipeWriter
	out    *io.PipeReader
	lines  chan string
	served chan error
	stop   context.CancelCauseFunc
}

// reply is any message from the server.
type reply struct {
	JSONRPC string          `json:"jsonrpc"`
	ID      json.RawMessage `json:"id"`
	Method  string          `json:"method"`
	Params  json.RawMessage `json:"params"`
	Result  json.RawMessage `json:"result"`
	Error   *rpcError       `json:"error"`
}

// bubble runs f with a connection, on a fake clock; goroutines that outlive f
// fail the test.
func bubble(t *testing.T, o Options, f func(p *peer)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		p := dial(t, o)
		defer func() {
			p.stop(nil)
			p.in.Close()
			p.out.Close()
		}()
		f(p)
	})
}

func dial(t *testing.T, o Options) *peer {
	if o.Caller == nil {
		o.Caller = &stubCaller{tools: []Tool{tool("say")}, call: echo}
	}
	if o.Log == nil {
		o.Log = slog.New(slog.NewTextHandler(t.Output(), nil))
	}
	o.Name, o.Version = "gateway", "0.0.1"
	return connected(t, New(o))
}

// another connects one more client to p's server.
func (p *peer) another() *peer { return connected(p.t, p.server) }

func connected(t *testing.T, s *Server) *peer {
	ctx, stop := context.WithCancelCause(context.Background())
	serverIn, in := io.Pipe()
	out, serverOut := io.Pipe()
	p := &peer{t: t, server: s, in: in, out: out, stop: stop,
		lines: make(chan string, 10_000), served: make(chan error, 1)}
	go func() {
		p.served <- p.server.Serve(ctx, serverIn, serverOut)
		serverOut.Close()
	}()
	go func() {
		defer close(p.lines)
		r := bufio.NewReader(out)
		for {
			line, err := r.ReadString('\n')
			if err != nil {
				return
			}
			p.lines <- strings.TrimSuffix(line, "\n")
		}
	}()
	return p
}

func (p *peer) send(line string) {
	p.t.Helper()
	if _, err := io.WriteString(p.in, line+"\n"); err != nil {
		p.t.Fatalf("send: %v", err)
	}
}

func (p *peer) sendf(format string, args ...any) {
	p.t.Helper()
	p.send(fmt.Sprintf(format, args...))
}

// call sends a tools/call of the tool say, with extra members of params.
func (p *peer) call(id string, extra string) {
	p.t.Helper()
	p.sendf(`{"jsonrpc":"2.0","id":%s,"method":"tools/call","params":{"name":"say"%s}}`, id, extra)
}

func (p *peer) recv() reply {
	p.t.Helper()
	select {
	case line, ok := <-p.lines:
		if !ok {
			p.t.Fatal("the server closed its output")
		}
		var r reply
		if err := json.Unmarshal([]byte(line), &r); err != nil || r.JSONRPC != "2.0" {
			p.t.Fatalf("not a message: %s: %v", line, err)
		}
		return r
	case <-time.After(time.Hour):
		p.t.Fatal("no message")
	}
	panic("unreachable")
}

// quiet asserts that the server has nothing to say.
func (p *peer) quiet() {
	p.t.Helper()
	synctest.Wait()
	select {
	case line, ok := <-p.lines:
		if ok {
			p.t.Fatalf("unexpected: %s", line)
		}
	default:
	}
}

// end closes the client's end and returns what Serve returned.
func (p *peer) end() error {
	p.in.Close()
	return <-p.served
}

const handshake = `{"jsonrpc":"2.0","id":"init","method":"initialize","params":{"protocolVersion":"2025-06-18","capabilities":{%s},"clientInfo":{"name":"acme-client","version":"7"}}}`

// initialize does the old handshake with capabilities.
func (p *peer) initialize(capabilities string) reply {
	p.t.Helper()
	p.sendf(handshake, capabilities)
	r := p.recv()
	p.send(`{"jsonrpc":"2.0","method":"notifications/initialized"}`)
	return r
}

// modern is the _meta of a request of the new protocol.
func modern(capabilities string) string {
	return fmt.Sprintf(`"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientInfo":{"name":"zeta-client","version":"2"},"io.modelcontextprotocol/clientCapabilities":{%s}}`, capabilities)
}

func want(t *testing.T, got, want string) {
	t.Helper()
	if got != want {
		t.Fatalf("got  %s\nwant %s", got, want)
	}
}

// addTool changes the listing.
func (p *peer) addTool() {
	d := p.server.o.Caller.(*stubCaller)
	d.tools = append(slices.Clone(d.tools), tool(fmt.Sprintf("further%d", len(d.tools))))
	if err := p.server.ListChanged(); err != nil {
		p.t.Fatal(err)
	}
}
