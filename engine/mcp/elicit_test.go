package mcp

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/mark3labs/mcp-go/client"
	"github.com/mark3labs/mcp-go/client/transport"
	"github.com/mark3labs/mcp-go/mcp"

	"github.com/llm-cli-gateway/gateway/engine/call"
)

// askOnce asks once, and answers with what was said.
func askOnce(ctx context.Context, c call.Request) Result {
	switch {
	case c.Ask != nil:
		ctx, stop := context.WithTimeout(ctx, 5*time.Second)
		defer stop()
		reply, err := c.Ask(ctx, "May it?\n- \"yes\" <b>")
		if err != nil {
			return failure(err.Error())
		}
		return Result{Text: []string{string(reply)}}
	case !c.AskNextRound:
		return Result{Text: []string{"cannot ask"}}
	case c.Answer == nil:
		return Result{NeedInput: &call.InputRequired{Question: &call.Question{Text: "May it?", State: "s-1"}}}
	}
	return Result{Text: []string{string(c.Answer.Reply) + " " + c.Answer.State}}
}

func askingCaller() *stubCaller { return &stubCaller{tools: []Tool{tool("say")}, call: askOnce} }

// The forms of both eras have one required choice, and no default.
const (
	legacyForm = `{"properties":{"decision":{"description":"Whether the call may run.","enum":["deny","approve"],"enumNames":["Deny: nothing is run","Approve: run it as it is"],"title":"Decision","type":"string"}},"required":["decision"],"type":"object"}`
	modernForm = `{"properties":{"decision":{"description":"Whether the call may run.","enum":["deny","approve"],"oneOf":[{"const":"deny","title":"Deny: nothing is run"},{"const":"approve","title":"Approve: run it as it is"}],"title":"Decision","type":"string"}},"required":["decision"],"type":"object"}`
)

func TestAQuestionOfTheOldEraIsARequest(t *testing.T) {
	for answer, expect := range map[string]string{
		`"result":{"action":"accept","content":{"decision":"approve"}}`:   "approve",
		`"result":{"action":"accept","content":{"decision":"deny"}}`:      "deny",
		`"result":{"action":"accept","content":{"decision":"yes"}}`:       "no_choice",
		`"result":{"action":"accept","content":{"decision":true}}`:        "no_choice",
		`"result":{"action":"accept","content":{"decision":["approve"]}}`: "no_choice",
		`"result":{"action":"accept","content":{"approve":true}}`:         "no_choice",
		`"result":{"action":"accept","content":"approve"}`:                "no_choice",
		`"result":{"action":"accept","content":{}}`:                       "no_choice",
		`"result":{"action":"accept","content":null}`:                     "no_choice",
		`"result":{"action":"accept"}`:                                    "no_choice",
		`"result":{"action":"decline","content":{"decision":"approve"}}`:  "decline",
		`"result":{"action":"decline"}`:                                   "decline",
		`"result":{"action":"cancel"}`:                                    "cancel",
		`"result":{"action":"maybe"}`:                                     `unknown action "maybe"`,
		`"result":{}`:                                                     `unknown action ""`,
		`"result":7`:                                                      "cannot be read",
		`"error":{"code":-32601,"message":"no forms"}`:                    "no forms",
	} {
		bubble(t, Options{Caller: askingCaller()}, func(p *peer) {
			p.initialize(`"elicitation":{}`)
			p.call("1", "")
			r := p.recv()
			want(t, r.Method+string(r.Params), `elicitation/create{"message":"May it?\n- \"yes\" <b>","requestedSchema":`+legacyForm+`}`)
			p.sendf(`{"jsonrpc":"2.0","id":%s,%s}`, r.ID, answer)
			if got := p.result(); !strings.Contains(got.Content[0].Text, expect) || got.IsError != (strings.Contains(expect, " ")) {
				t.Errorf("%s: %+v", answer, got)
			}
		})
	}
}

func TestAQuestionThatNobodyAnswers(t *testing.T) {
	bubble(t, Options{Caller: askingCaller()}, func(p *peer) {
		p.initialize(`"elicitation":{"form":{}}`)
		began := time.Now()
		p.call("1", "")
		id := p.recv().ID
		r := p.recv()
		want(t, r.Method, "notifications/cancelled")
		if got := p.result(); !got.IsError || time.Since(began) != 5*time.Second {
			t.Errorf("%+v after %v", got, time.Since(began))
		}
		p.sendf(`{"jsonrpc":"2.0","id":%s,"result":{"action":"accept"}}`, id) // too late for anything
		p.quiet()
	})
}

func TestACallCancelledWhileItAsks(t *testing.T) {
	bubble(t, Options{Caller: askingCaller()}, func(p *peer) {
		p.initialize(`"elicitation":{}`)
		p.call("1", "")
		want(t, p.recv().Method, "elicitation/create")
		p.send(cancelled("1"))
		want(t, p.recv().Method, "notifications/cancelled")
		p.quiet()
	})
}

func TestClientsThatCannotAsk(t *testing.T) {
	for _, capabilities := range []string{"", `"elicitation":{"url":{}}`, `"roots":{}`} {
		bubble(t, Options{Caller: askingCaller()}, func(p *peer) {
			p.initialize(capabilities)
			p.call("1", "")
			want(t, p.result().Content[0].Text, "cannot ask")
			p.call("2", ","+modern(capabilities))
			want(t, p.result().Content[0].Text, "cannot ask")
			p.call("3", `,"inputResponses":{"question":{"action":"accept"}},"requestState":"s-1",`+modern(capabilities))
			want(t, p.result().Content[0].Text, "cannot ask")
		})
	}
}

// asked is what a client of the new era is to find out before it calls again.
type asked struct {
	ResultType    string
	RequestState  string
	InputRequests map[string]struct {
		Method string
		Params json.RawMessage
	}
}

func TestAQuestionOfTheNewEraComesBackWithTheCall(t *testing.T) {
	for _, capabilities := range []string{`"elicitation":{}`, `"elicitation":{"form":{},"url":{}}`} {
		bubble(t, Options{Caller: askingCaller()}, func(p *peer) {
			p.call("1", ","+modern(capabilities))
			var got asked
			if err := json.Unmarshal(p.recv().Result, &got); err != nil {
				t.Fatal(err)
			}
			want(t, got.ResultType+" "+got.RequestState, "input_required s-1")
			want(t, fmt.Sprint(len(got.InputRequests)), "1")
			q := got.InputRequests["question"]
			want(t, q.Method+string(q.Params), `elicitation/create{"message":"May it?","requestedSchema":`+modernForm+`}`)
			for answer, reply := range map[string]string{
				`"accept","content":{"decision":"approve"}`:    "approve",
				`"accept","content":{"decision":"deny"}`:       "deny",
				`"accept","content":{"decision":"approve it"}`: "no_choice",
				`"accept","content":[]`:                        "no_choice",
				`"accept","content":{}`:                        "no_choice",
				`"accept"`:                                     "no_choice",
				`"decline"`:                                    "decline",
				`"cancel"`:                                     "cancel",
			} {
				p.call("2", `,"inputResponses":{"question":{"action":`+answer+`}},"requestState":"s-1",`+modern(capabilities))
				want(t, p.result().Content[0].Text, reply+" s-1")
			}
			// What is no answer leaves the question open.
			for _, answer := range []string{`{"action":"maybe"}`, `{}`, `7`} {
				p.call("3", `,"inputResponses":{"question":`+answer+`},"requestState":"s-1",`+modern(capabilities))
				if r := p.recv(); r.Error == nil && !strings.Contains(string(r.Result), "input_required") {
					t.Errorf("%s: %s", answer, r.Result)
				}
			}
		})
	}
}

// TestAQuestionAfterTheRoots: a client answers what the last round asked. So the roots
// are asked for again beside the question, or the tool would ask for one, then for the
// other, without end.
func TestAQuestionAfterTheRoots(t *testing.T) {
	d := &stubCaller{tools: []Tool{tool("say")}, call: func(ctx context.Context, c call.Request) Result {
		where := whereabouts(ctx, c)
		if where.NeedInput != nil {
			return where
		}
		r := askOnce(ctx, c)
		r.Text = append(r.Text, where.Text...)
		return r
	}}
	bubble(t, Options{Caller: d}, func(p *peer) {
		both := modern(`"roots":{},"elicitation":{}`)
		roots := `"roots":{"roots":[{"uri":"file:///a"}]}`
		rounds := []struct{ extra, keys string }{
			{"", "[roots]"},
			{`,"inputResponses":{` + roots + `}`, "[question roots]"},
			{`,"inputResponses":{"question":{"action":"accept","content":{"decision":"approve"}},` + roots + `},"requestState":"s-1"`, ""},
		}
		for _, round := range rounds {
			p.call("1", round.extra+","+both)
			raw := p.recv().Result
			var got asked
			if err := json.Unmarshal(raw, &got); err != nil {
				t.Fatal(err)
			}
			keys := []string{}
			for _, key := range []string{"question", "roots"} {
				if _, ok := got.InputRequests[key]; ok {
					keys = append(keys, key)
				}
			}
			if round.keys != "" {
				want(t, fmt.Sprint(keys), round.keys)
				continue
			}
			if !strings.Contains(string(raw), `"text":"approve s-1"`) || !strings.Contains(string(raw), `"text":"/a"`) {
				t.Errorf("%s", raw)
			}
		}
	})
}

func TestAToolWithAQuestionForNobody(t *testing.T) {
	d := &stubCaller{tools: []Tool{tool("say")}, call: func(context.Context, call.Request) Result {
		return Result{NeedInput: &call.InputRequired{Question: &call.Question{Text: "?"}}}
	}}
	bubble(t, Options{Caller: d}, func(p *peer) {
		p.initialize(`"elicitation":{}`) // asks by requests, not by rounds
		p.call("1", "")
		if got := p.result(); !got.IsError || got.ResultType == "input_required" {
			t.Errorf("%+v", got)
		}
		p.call("2", ","+modern(""))
		if got := p.result(); !got.IsError {
			t.Errorf("%+v", got)
		}
	})
}

// person answers questions in front of mcp-go's client.
type person struct{ heard chan string }

func (p person) Elicit(_ context.Context, r mcp.ElicitationRequest) (*mcp.ElicitationResult, error) {
	p.heard <- r.Params.Message
	return &mcp.ElicitationResult{ElicitationResponse: mcp.ElicitationResponse{Action: mcp.ElicitationResponseActionAccept, Content: map[string]any{"decision": "approve"}}}, nil
}

// TestARealClientOfEachEraAsks puts a question through mcp-go's client.
func TestARealClientOfEachEraAsks(t *testing.T) {
	for version, options := range map[string][]client.ClientOption{
		"2025-06-18": {client.WithLegacyProtocolOnly()},
		"2025-11-25": {client.WithLegacyProtocolOnly()},
		"2026-07-28": {},
	} {
		t.Run(version, func(t *testing.T) {
			serverIn, in := io.Pipe()
			out, serverOut := io.Pipe()
			s := New(Options{Name: "gateway", Version: "1", Caller: askingCaller()})
			served := make(chan error, 1)
			go func() {
				served <- s.Serve(context.Background(), serverIn, serverOut)
				serverOut.Close()
			}()
			asked := person{make(chan string, 1)}
			c := client.NewClient(transport.NewIO(out, in, io.NopCloser(strings.NewReader(""))), append(options, client.WithElicitationHandler(asked))...)
			if err := c.Start(t.Context()); err != nil {
				t.Fatal(err)
			}
			var hello mcp.InitializeRequest
			hello.Params.ClientInfo = mcp.Implementation{Name: "inspector", Version: "1"}
			hello.Params.ProtocolVersion = version
			if _, err := c.Initialize(t.Context(), hello); err != nil {
				t.Fatal(err)
			}
			call := mcp.CallToolRequest{}
			call.Params.Name = "say"
			got, err := c.CallTool(t.Context(), call)
			if err != nil {
				t.Fatal(err)
			}
			if text := got.Content[0].(mcp.TextContent).Text; !strings.HasPrefix(text, "approve") || !strings.HasPrefix(<-asked.heard, "May it?") {
				t.Errorf("%q", text)
			}
			in.Close()
			if err := <-served; err != nil {
				t.Fatal(err)
			}
			c.Close()
		})
	}
}
