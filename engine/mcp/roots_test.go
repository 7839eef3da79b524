package mcp

import (
	"context"
	"fmt"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/llm-cli-gateway/gateway/engine/call"
)

// whereabouts answers with the client's roots.
func whereabouts(ctx context.Context, c call.Request) Result {
	switch {
	case c.ListRoots == nil:
		return Result{Text: []string{"none declared"}}
	case c.RootsNextRound:
		return Result{NeedInput: &call.InputRequired{Roots: true}}
	}
	roots, err := c.ListRoots(ctx)
	if err != nil {
		return failure(err.Error())
	}
	return Result{Text: []string{strings.Join(roots.Dirs, " ") + strings.Join(roots.Strange, "; ")}}
}

func rootsDesk() *stubCaller { return &stubCaller{tools: []Tool{tool("say")}, call: whereabouts} }

// answerRoots expects the server's question and answers it.
func (p *peer) answerRoots(uris ...string) {
	p.t.Helper()
	r := p.recv()
	want(p.t, r.Method, "roots/list")
	var list []string
	for _, uri := range uris {
		list = append(list, fmt.Sprintf(`{"uri":%q}`, uri))
	}
	p.sendf(`{"jsonrpc":"2.0","id":%s,"result":{"roots":[%s]}}`, r.ID, strings.Join(list, ","))
}

func TestRootsAreAskedLazilyAndCached(t *testing.T) {
	bubble(t, Options{Caller: rootsDesk()}, func(p *peer) {
		p.initialize(`"roots":{"listChanged":true}`)
		p.quiet()
		p.call("1", "")
		p.call("2", "")
		p.answerRoots("file:///home/ann/my%20work/", "https://example.com/", "file://localhost/b")
		const told = `/home/ann/my work /b"https://example.com/" does not begin with file://`
		for range 2 {
			want(t, p.result().Content[0].Text, told)
		}
		p.call("3", "")
		want(t, p.result().Content[0].Text, told)
		p.send(`{"jsonrpc":"2.0","method":"notifications/roots/list_changed"}`)
		p.call("4", "")
		p.answerRoots("file:///new")
		want(t, p.result().Content[0].Text, "/new")
	})
}

func TestRootsOfAClientThatDoesNotAnswer(t *testing.T) {
	bubble(t, Options{Caller: rootsDesk()}, func(p *peer) {
		p.initialize(`"roots":{}`)
		began := time.Now()
		p.call("1", "")
		want(t, p.recv().Method, "roots/list")
		want(t, p.recv().Method, "notifications/cancelled")
		if got := p.result(); !got.IsError || !strings.Contains(got.Content[0].Text, "two seconds") || time.Since(began) != rootsTimeout {
			t.Errorf("%+v after %v", got, time.Since(began))
		}
		p.call("2", "") // is not asked again
		if got := p.result(); !got.IsError || time.Since(began) != rootsTimeout {
			t.Errorf("%+v", got)
		}
		p.send(`{"jsonrpc":"2.0","id":1,"result":{"roots":[]}}`) // far too late
		p.quiet()
	})
}

func TestRootsRefusedOrUnreadable(t *testing.T) {
	for answer, expect := range map[string]string{
		`"error":{"code":-32601,"message":"what roots?"}`: "what roots?",
		`"error":7`:             "unreadable",
		`"result":{"roots":7}`:  "cannot unmarshal",
		`"result":{"roots":[]}`: "",
	} {
		bubble(t, Options{Caller: rootsDesk()}, func(p *peer) {
			p.initialize(`"roots":{}`)
			p.call("1", "")
			p.sendf(`{"jsonrpc":"2.0","id":%s,%s}`, p.recv().ID, answer)
			if got := p.result(); !strings.Contains(got.Content[0].Text, expect) || got.IsError != (expect != "") {
				t.Errorf("%s: %+v", answer, got)
			}
		})
	}
}

func TestACallCancelledWhileItWaitsForRoots(t *testing.T) {
	bubble(t, Options{Caller: rootsDesk()}, func(p *peer) {
		p.initialize(`"roots":{}`)
		p.call("1", "")
		p.call("2", "")
		id := p.recv().ID
		p.send(cancelled("1"))
		p.quiet()
		p.sendf(`{"jsonrpc":"2.0","id":%s,"result":{"roots":[{"uri":"file:///a"}]}}`, id)
		want(t, string(p.recv().ID), "2")
	})
}

func TestRootsChangedWhileAsked(t *testing.T) {
	bubble(t, Options{Caller: rootsDesk()}, func(p *peer) {
		p.initialize(`"roots":{}`)
		p.call("1", "")
		r := p.recv()
		p.send(`{"jsonrpc":"2.0","method":"notifications/roots/list_changed"}`)
		p.sendf(`{"jsonrpc":"2.0","id":%s,"result":{"roots":[{"uri":"file:///old"}]}}`, r.ID)
		p.answerRoots("file:///new")
		want(t, p.result().Content[0].Text, "/new")
	})
}

func TestNoRootsDeclared(t *testing.T) {
	bubble(t, Options{Caller: rootsDesk()}, func(p *peer) {
		p.call("1", "") // not even a handshake
		want(t, p.result().Content[0].Text, "none declared")
		p.initialize("")
		p.call("2", "")
		want(t, p.result().Content[0].Text, "none declared")
		p.call("3", ","+modern(""))
		want(t, p.result().Content[0].Text, "none declared")
	})
}

func TestRootsOfTheNewEraComeWithASecondRound(t *testing.T) {
	bubble(t, Options{Caller: rootsDesk()}, func(p *peer) {
		p.call("1", ","+modern(`"roots":{}`))
		got := p.result()
		want(t, got.ResultType, "input_required")
		want(t, got.InputRequests["roots"].Method+string(got.InputRequests["roots"].Params), "roots/list{}")
		p.call("2", `,"inputResponses":{"roots":{"roots":[{"uri":"file:///a"}]}},`+modern(`"roots":{}`))
		want(t, p.result().Content[0].Text, "/a")
	})
}

func TestAToolThatNeedsRootsNobodyHas(t *testing.T) {
	d := &stubCaller{tools: []Tool{tool("say")}, call: func(context.Context, call.Request) Result { return Result{NeedInput: &call.InputRequired{Roots: true}} }}
	bubble(t, Options{Caller: d}, func(p *peer) {
		p.call("1", "")
		if got := p.result(); !got.IsError {
			t.Errorf("%+v", got)
		}
	})
}

// TestDirectoriesOfRoots: what is no file URI of this machine is not taken for a directory.
func TestDirectoriesOfRoots(t *testing.T) {
	drive := ""
	if runtime.GOOS == "windows" {
		drive = "/C:"
	}
	for uri, want := range map[string]string{
		"file://" + drive + "/work/": "/work", "FILE://localhost" + drive + "/a%20b": "/a b", "file:" + drive + "/a/../b": "/b", "file://" + drive + "/a%3Fb%23c%25": "/a?b#c%",
		"file://" + drive + "/%E2%82%AC": "/€", "file://" + drive + "/": "/",
		"file://host/share": "on another machine", "file://work": "on another machine", "file:///a%zz": "not a valid URI", "file:///a%2": "not a valid URI", "file:///a%00b": "NUL",
		"file:relative": "not an absolute path", "file://": "not an absolute path", "file:": "not an absolute path", "file:///a?b": "write ?", "file:///a?": "write ?", "file:///a#b": "write ?", "file:///a#": "write ?",
		"": "does not begin", ":": "does not begin", "/work": "does not begin", "work": "does not begin", `C:\work`: "does not begin", "https://example.com/work": "does not begin", "untitled:Untitled-1": "does not begin",
	} {
		dir, problem := directory(uri)
		if strings.HasPrefix(want, "/") {
			if dir != filepath.FromSlash(strings.TrimPrefix(drive, "/")+want) || problem != "" {
				t.Errorf("%q: %q %q", uri, dir, problem)
			}
		} else if dir != "" || !strings.Contains(problem, want) {
			t.Errorf("%q: %q %q, want %q", uri, dir, problem, want)
		}
	}
}
