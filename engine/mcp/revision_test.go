package mcp

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/llm-cli-gateway/gateway/engine/call"
)

func TestHandshakeOfEveryLegacyVersion(t *testing.T) {
	for _, version := range []string{"2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25"} {
		t.Run(version, func(t *testing.T) {
			bubble(t, Options{Instructions: "Call say."}, func(p *peer) {
				p.sendf(`{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"%s","capabilities":{},"clientInfo":{"name":"x","version":"1"}}}`, version)
				var got struct {
					ProtocolVersion, Instructions string
					ServerInfo                    struct{ Name, Version string }
					Capabilities                  struct{ Tools struct{ ListChanged bool } }
				}
				if err := json.Unmarshal(p.recv().Result, &got); err != nil {
					t.Fatal(err)
				}
				want(t, got.ProtocolVersion, version)
				want(t, got.Instructions, "Call say.")
				want(t, got.ServerInfo.Name, "gateway")
				if !got.Capabilities.Tools.ListChanged {
					t.Error("listChanged is not announced")
				}
			})
		})
	}
}

func TestDiscoverAndCallWithoutHandshake(t *testing.T) {
	var client call.Client
	d := &stubCaller{tools: []Tool{tool("say")}, call: func(ctx context.Context, c call.Request) Result {
		client = c.Client
		return echo(ctx, c)
	}}
	bubble(t, Options{Caller: d}, func(p *peer) {
		p.sendf(`{"jsonrpc":"2.0","id":1,"method":"server/discover","params":{%s}}`, modern(""))
		var found struct{ SupportedVersions []string }
		if err := json.Unmarshal(p.recv().Result, &found); err != nil || found.SupportedVersions[0] != "2026-07-28" {
			t.Fatalf("%v %v", found, err)
		}
		p.call("2", `,"arguments":{"text":"<&>"},`+modern(""))
		want(t, string(p.recv().Result),
			`{"_meta":{"io.modelcontextprotocol/serverInfo":{"name":"gateway","version":"0.0.1"}},"resultType":"complete","content":[{"type":"text","text":"{\"text\":\"<&>\"}"}],"structuredContent":{"ok":true}}`)
		want(t, client.Name, "zeta-client")
		p.call("3", `,"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28"}`)
		if r := p.recv(); r.Error == nil || r.Error.Code != codeParams {
			t.Fatalf("a request without capabilities: %+v", r)
		}
	})
}

func TestAVersionOfTheFutureIsToldWhatIsSpoken(t *testing.T) {
	bubble(t, Options{}, func(p *peer) {
		p.send(strings.Replace(fmt.Sprintf(`{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{%s}}`, modern("")), "2026-07-28", "2099-01-01", 1))
		line := <-p.lines
		if !strings.Contains(line, `"error"`) || !strings.Contains(line, `"supported":["2026-07-28","2025-11-25"`) {
			t.Errorf("%s", line)
		}
		p.send(`{"jsonrpc":"2.0","id":2,"method":"initialize","params":{"protocolVersion":"1999-01-01","capabilities":{},"clientInfo":{"name":"x","version":"1"}}}`)
		if line := <-p.lines; !strings.Contains(line, `"protocolVersion":"2025-11-25"`) {
			t.Errorf("%s", line)
		}
	})
}

func TestBothErasOnOneConnection(t *testing.T) {
	bubble(t, Options{}, func(p *peer) {
		p.initialize("")
		p.call("1", "")
		want(t, string(p.recv().Result), `{"content":[{"type":"text","text":"{}"}],"structuredContent":{"ok":true}}`)
		p.call("2", ","+modern(""))
		if r := p.recv(); r.Error != nil {
			t.Fatal(r.Error)
		}
		p.send(`{"jsonrpc":"2.0","id":3,"method":"tools/list"}`)
		var list struct {
			Tools []struct {
				Name        string
				Annotations map[string]any
			}
		}
		if err := json.Unmarshal(p.recv().Result, &list); err != nil {
			t.Fatal(err)
		}
		if len(list.Tools) != 1 || list.Tools[0].Name != "say" || list.Tools[0].Annotations["readOnlyHint"] != true || list.Tools[0].Annotations["destructiveHint"] != false {
			t.Fatalf("%+v", list)
		}
	})
}

const listenRequest = `{"jsonrpc":"2.0","id":%s,"method":"subscriptions/listen","params":{"notifications":{"toolsListChanged":true},%s}}`

func TestListChangedReachesEachEraInItsWay(t *testing.T) {
	d := &stubCaller{tools: []Tool{tool("say")}, call: echo}
	bubble(t, Options{Caller: d}, func(p *peer) {
		p.initialize("")
		p.quiet()
		d.tools = []Tool{tool("say"), tool("sing")}
		if err := p.server.ListChanged(); err != nil {
			t.Fatal(err)
		}
		r := p.recv()
		want(t, r.Method+string(r.Params), "notifications/tools/list_changed")
		p.quiet()

		p.sendf(listenRequest, `"sub"`, modern(""))
		want(t, p.recv().Method, "notifications/subscriptions/acknowledged")
		p.quiet()
		p.addTool()
		want(t, string(p.recv().Params), "")
		want(t, string(p.recv().Params), `{"_meta":{"io.modelcontextprotocol/subscriptionId":"sub"}}`)
		p.quiet()
	})
}

func TestListChangedOfTheNewEraIsOptIn(t *testing.T) {
	bubble(t, Options{}, func(p *peer) {
		p.sendf(`{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{%s}}`, modern(""))
		p.recv()
		p.addTool()
		p.quiet()
		p.sendf(listenRequest, "7", modern(""))
		p.recv()
		p.quiet()
		p.send(`{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":7}}`)
		p.quiet()
		p.addTool()
		p.quiet()
	})
}

// TestTheSameListingIsNoNews, nor are tools that nobody is shown.
func TestTheSameListingIsNoNews(t *testing.T) {
	d := &stubCaller{tools: []Tool{tool("say")}, call: echo}
	bubble(t, Options{Caller: d}, func(p *peer) {
		p.initialize("")
		hidden := tool("hum")
		hidden.Unlisted = true
		for _, tools := range [][]Tool{{tool("say")}, {tool("say"), hidden}, {tool("say")}} {
			d.tools = tools
			if err := p.server.ListChanged(); err != nil {
				t.Fatal(err)
			}
			p.quiet()
		}
		p.sendf(`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"hum"}}`)
		if got := p.result(); !got.IsError || !strings.Contains(got.Content[0].Text, "removed") {
			t.Errorf("%+v", got)
		}
		p.addTool()
		want(t, p.recv().Method, "notifications/tools/list_changed")
		p.quiet()
	})
}

func TestAnEmptySubscriptionEndsAfterItsAcknowledgement(t *testing.T) {
	bubble(t, Options{}, func(p *peer) {
		p.sendf(`{"jsonrpc":"2.0","id":7,"method":"subscriptions/listen","params":{"notifications":{},%s}}`, modern(""))
		want(t, p.recv().Method, "notifications/subscriptions/acknowledged")
		want(t, string(p.recv().ID), "7")
	})
}

func TestSubscriptionsDoNotOutstayTheClient(t *testing.T) {
	bubble(t, Options{}, func(p *peer) {
		p.sendf(listenRequest, "7", modern(""))
		p.recv()
		p.in.Close()
		r := p.recv()
		want(t, string(r.ID), "7")
		if err := <-p.served; err != nil {
			t.Fatal(err)
		}
	})
}

func TestConnectionsOfOneServerAreApart(t *testing.T) {
	ended := make(chan string, 10)
	d := &stubCaller{tools: []Tool{tool("say")}, call: func(ctx context.Context, c call.Request) Result {
		<-ctx.Done()
		ended <- c.Client.Name
		return Result{}
	}}
	bubble(t, Options{Caller: d}, func(p *peer) {
		q := p.another()
		p.initialize("")
		q.sendf(`{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"other","version":"1"}}}`)
		q.recv()
		p.call("1", "")
		q.call("1", "")
		p.quiet()
		q.send(cancelled("1"))
		want(t, <-ended, "other")
		p.quiet()
		if len(ended) != 0 {
			t.Error("a cancellation crossed over")
		}
		p.addTool()
		for _, peer := range []*peer{p, q} {
			want(t, peer.recv().Method, "notifications/tools/list_changed")
		}
		q.end()
	})
}

func TestTheListingIsSwappedWholeUnderLoad(t *testing.T) {
	var mu sync.Mutex
	small, large := []Tool{tool("say")}, []Tool{tool("say"), tool("sing"), tool("shout")}
	tools := small
	d := &changingCaller{stubCaller: stubCaller{call: echo}, mu: &mu, tools: &tools}
	bubble(t, Options{Caller: d}, func(p *peer) {
		p.initialize("")
		const requests, swaps = 500, 50
		go func() {
			for i := range swaps {
				mu.Lock()
				tools = [][]Tool{large, small}[i%2]
				mu.Unlock()
				if err := p.server.ListChanged(); err != nil {
					t.Error(err)
				}
			}
		}()
		go func() {
			for i := range requests {
				if i%2 == 0 {
					p.call(fmt.Sprint(i), "")
				} else {
					p.sendf(`{"jsonrpc":"2.0","id":%d,"method":"tools/list"}`, i)
				}
			}
		}()
		for answered := 0; answered < requests; {
			r := p.recv()
			if r.Method != "" {
				continue // a change; several in a row may be told as one
			}
			answered++
			var got struct {
				IsError bool
				Tools   []struct{ Name string }
			}
			if err := json.Unmarshal(r.Result, &got); err != nil || got.IsError {
				t.Fatalf("%s: %s", r.ID, r.Result)
			}
			if n := len(got.Tools); n != 0 && n != len(small) && n != len(large) {
				t.Fatalf("half a listing: %v", got.Tools)
			}
		}
		for told := true; told; { // the last changes may come behind the last answer
			synctest.Wait()
			select {
			case line := <-p.lines:
				if !strings.Contains(line, "list_changed") {
					t.Fatalf("unexpected: %s", line)
				}
			default:
				told = false
			}
		}
	})
}
