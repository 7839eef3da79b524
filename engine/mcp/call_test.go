package mcp

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"unicode/utf8"

	"github.com/mark3labs/mcp-go/mcp"

	"github.com/llm-cli-gateway/gateway/engine/call"
)

// result is a tools/call result as a client reads it.
type result struct {
	Content           []struct{ Type, Text string }
	StructuredContent json.RawMessage
	IsError           bool
	ResultType        string
	InputRequests     map[string]struct {
		Method string
		Params json.RawMessage
	}
}

func (p *peer) result() result {
	p.t.Helper()
	var got result
	if r := p.recv(); json.Unmarshal(r.Result, &got) != nil {
		p.t.Fatalf("no result: %+v", r)
	}
	return got
}

func TestArgumentsArePassedVerbatim(t *testing.T) {
	bubble(t, Options{}, func(p *peer) {
		for _, args := range []string{`{}`, `{"a":9007199254740993,"b":1.0,"b":2}`, `{ "t" : "\u00e9\/<é😀" }`} {
			p.call("1", `,"arguments":`+args)
			want(t, p.result().Content[0].Text, args)
		}
		p.call("1", "")
		want(t, p.result().Content[0].Text, "{}")
		p.call("1", `,"arguments":null`)
		want(t, p.result().Content[0].Text, "{}")
		for _, args := range []string{`"{}"`, `[1]`, `7`} {
			p.call("1", `,"arguments":`+args)
			if got := p.result(); !got.IsError || !strings.Contains(got.Content[0].Text, "must be a JSON object") {
				t.Errorf("%s: %+v", args, got)
			}
		}
	})
}

func TestAPanicBecomesAResultAndALogLine(t *testing.T) {
	var log bytes.Buffer
	d := &stubCaller{tools: []Tool{tool("say")}, call: func(context.Context, call.Request) Result { panic("secret of the tool") }}
	bubble(t, Options{Caller: d, Log: slog.New(slog.NewTextHandler(&log, nil))}, func(p *peer) {
		p.call("1", "")
		got := p.result()
		if !got.IsError || strings.Contains(got.Content[0].Text, "secret") {
			t.Errorf("%+v", got)
		}
		if !strings.Contains(log.String(), "secret of the tool") || !strings.Contains(log.String(), "call_test.go") {
			t.Errorf("log: %s", log.String())
		}
	})
}

func TestAnUnknownToolIsAnsweredHelpfully(t *testing.T) {
	d := &stubCaller{tools: []Tool{tool("acme_request"), tool("zeta_request"), tool("job_list")}, call: echo}
	bubble(t, Options{Caller: d}, func(p *peer) {
		ask := func(name, expect string) {
			t.Helper()
			p.sendf(`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"%s"}}`, name)
			got := p.result()
			if !got.IsError {
				t.Error("not an error")
			}
			want(t, got.Content[0].Text, expect)
		}
		ask("acme_requets", `There is no tool "acme_requets". The nearest is "acme_request". tools/list has the current ones.`)
		ask("weather", `There is no tool "weather". tools/list has the current ones.`)
		ask("?", `There is no tool "?". tools/list has the current ones.`)
		ask(strings.Repeat("q", 5000), `There is no tool "`+strings.Repeat("q", 127)+`…". tools/list has the current ones.`)
		d.tools = []Tool{tool("acme_request"), {Name: "zeta_request"}}
		if err := p.server.ListChanged(); err == nil {
			t.Error("the broken tool was not reported")
		}
		ask("job_list", `There is no tool "job_list": it was removed since the tools were listed. tools/list has the current ones.`)
		ask("zeta_request", `There is no tool "zeta_request": its definition is broken. The nearest is "acme_request". tools/list has the current ones.`)
		p.sendf(`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"acme_request"}}`)
		if got := p.result(); got.IsError {
			t.Errorf("%+v", got)
		}
	})
}

func TestNoToolsAtAll(t *testing.T) {
	bubble(t, Options{Caller: &stubCaller{}}, func(p *peer) {
		p.send(`{"jsonrpc":"2.0","id":1,"method":"tools/list"}`)
		want(t, string(p.recv().Result), `{"tools":[]}`)
	})
}

func TestBrokenToolsAreLeftOut(t *testing.T) {
	object := json.RawMessage(`{"type":"object"}`)
	header := func(value string) json.RawMessage {
		return json.RawMessage(`{"type":"object","properties":{"a":{"type":"string","x-mcp-header":` + value + `}}}`)
	}
	for disease, broken := range map[string]Tool{
		"no schema":            {Name: "x"},
		"schema not JSON":      {Name: "x", InputSchema: json.RawMessage(`{"type":`)},
		"schema not an object": {Name: "x", InputSchema: json.RawMessage(`true`)},
		"schema not UTF-8":     {Name: "x", InputSchema: json.RawMessage("{\"a\":\"\xff\"}")},
		"output not JSON":      {Name: "x", InputSchema: object, OutputSchema: json.RawMessage(`}`)},
		"output empty":         {Name: "x", InputSchema: object, OutputSchema: json.RawMessage{}},
		"header annotation":    {Name: "x", InputSchema: header(`""`)},
		"name with a space":    {Name: "x y", InputSchema: object},
		"no name":              {InputSchema: object},
		"name of a symbol":     {Name: "?", InputSchema: object},
		"name too long":        {Name: strings.Repeat("x", 129), InputSchema: object},
		"the same name":        {Name: "say", InputSchema: object},
		"meta of no JSON":      {Name: "x", InputSchema: object, Meta: map[string]any{"a": func() {}}},
	} {
		t.Run(disease, func(t *testing.T) {
			d := &stubCaller{tools: []Tool{tool("say"), broken}, call: echo}
			bubble(t, Options{Caller: d}, func(p *peer) {
				if err := p.server.ListChanged(); err == nil {
					t.Error("not reported")
				}
				p.send(`{"jsonrpc":"2.0","id":1,"method":"tools/list"}`)
				var list struct{ Tools []struct{ Name string } }
				if err := json.Unmarshal(p.recv().Result, &list); err != nil || len(list.Tools) != 1 || list.Tools[0].Name != "say" {
					t.Errorf("%+v %v", list, err)
				}
			})
		})
	}
}

func TestListedToolsKeepTheirSchemasAndMeta(t *testing.T) {
	full := Tool{Name: "say", Title: "Say", Description: "a < b & c",
		InputSchema:  json.RawMessage("{\n  \"type\": \"object\",\n  \"z\": 1, \"a\": 2\n}"),
		OutputSchema: json.RawMessage(`{"type":"object","required":["response"]}`),
		OpenWorld:    true,
		Meta:         map[string]any{"acme/alwaysLoad": true}}
	bubble(t, Options{Caller: &stubCaller{tools: []Tool{full}, call: echo}}, func(p *peer) {
		p.send(`{"jsonrpc":"2.0","id":1,"method":"tools/list"}`)
		var list struct {
			Tools []struct {
				Title, Description        string
				InputSchema, OutputSchema json.RawMessage
				Annotations, Meta         json.RawMessage
				Metadata                  map[string]any `json:"_meta"`
			}
		}
		if err := json.Unmarshal(p.recv().Result, &list); err != nil {
			t.Fatal(err)
		}
		got := list.Tools[0]
		want(t, got.Title+": "+got.Description, "Say: a < b & c")
		want(t, string(got.InputSchema), `{"type":"object","z":1,"a":2}`)
		want(t, string(got.OutputSchema), string(full.OutputSchema))
		want(t, string(got.Annotations), `{"title":"Say","readOnlyHint":false,"destructiveHint":false,"idempotentHint":false,"openWorldHint":true}`)
		if got.Metadata["acme/alwaysLoad"] != true {
			t.Errorf("_meta: %v", got.Metadata)
		}
	})
}

func TestUnlistedToolsAnswer(t *testing.T) {
	d := &stubCaller{tools: []Tool{tool("say"), {Name: "whisper", Unlisted: true}, {Name: "a b", Unlisted: true}}, call: echo}
	bubble(t, Options{Caller: d}, func(p *peer) {
		p.send(`{"jsonrpc":"2.0","id":1,"method":"tools/list"}`)
		var list struct{ Tools []struct{ Name string } }
		if err := json.Unmarshal(p.recv().Result, &list); err != nil || len(list.Tools) != 1 || list.Tools[0].Name != "say" {
			t.Errorf("%+v %v", list, err)
		}
		for name, want := range map[string]bool{"whisper": true, "a b": false, "whispe": false} {
			p.sendf(`{"jsonrpc":"2.0","id":2,"method":"tools/call","params":{"name":%q}}`, name)
			got := p.result()
			if got.IsError == want || name == "whispe" && !strings.Contains(got.Content[0].Text, `The nearest is "whisper"`) {
				t.Errorf("%s: %+v", name, got)
			}
		}
	})
}

func TestBriefToolsLeaveOutWhatIsAssumed(t *testing.T) {
	object := json.RawMessage(`{"type":"object"}`)
	d := &stubCaller{tools: []Tool{
		{Name: "wild", InputSchema: object, Brief: true, Destructive: true, OpenWorld: true},
		{Name: "tame", InputSchema: object, Brief: true, ReadOnly: true, Idempotent: true},
	}}
	bubble(t, Options{Caller: d}, func(p *peer) {
		p.send(`{"jsonrpc":"2.0","id":1,"method":"tools/list"}`)
		got := string(p.recv().Result)
		for _, part := range []string{
			`{"annotations":{"readOnlyHint":true,"destructiveHint":false,"idempotentHint":true,"openWorldHint":false},"inputSchema":{"type":"object"},"name":"tame"}`,
			`{"annotations":{},"inputSchema":{"type":"object"},"name":"wild"}`,
		} {
			if !strings.Contains(got, part) {
				t.Errorf("no %s in %s", part, got)
			}
		}
	})
}

func TestResultsOnTheWire(t *testing.T) {
	for name, test := range map[string]struct {
		result Result
		want   string
	}{
		"nothing":      {Result{}, `{"content":[]}`},
		"two texts":    {Result{Text: []string{"a", ""}}, `{"content":[{"type":"text","text":"a"},{"type":"text","text":""}]}`},
		"error":        {failure("no"), `{"isError":true,"content":[{"type":"text","text":"no"}]}`},
		"structured":   {Result{Structured: json.RawMessage(" {\r\n\"b\": \"<\",\n\"a\":1}\n")}, `{"content":[],"structuredContent":{"b": "<","a":1}}`},
		"tail":         {Result{Structured: json.RawMessage("{\"a\":1 \n}"), Tail: Member{"response", "x\ny"}}, `{"content":[],"structuredContent":{"a":1,"response":"x\ny"}}`},
		"tail alone":   {Result{Tail: Member{"response", ""}}, `{"content":[],"structuredContent":{"response":""}}`},
		"tail first":   {Result{Structured: json.RawMessage("{ }"), Tail: Member{"r", "x"}}, `{"content":[],"structuredContent":{"r":"x"}}`},
		"bad encoding": {Result{Text: []string{"a\xff"}, Structured: json.RawMessage("{\"a\":\"\xff\"}")}, `{"content":[{"type":"text","text":"a\ufffd"}],"structuredContent":{"a":"` + "\ufffd" + `"}}`},
	} {
		t.Run(name, func(t *testing.T) {
			d := &stubCaller{tools: []Tool{tool("say")}, call: func(context.Context, call.Request) Result { return test.result }}
			bubble(t, Options{Caller: d}, func(p *peer) {
				p.call("1", "")
				want(t, string(p.recv().Result), test.want)
			})
		})
	}
	for _, broken := range []string{`{"a":`, `[]`, `"x"`, ``, `{}{}`} {
		d := &stubCaller{tools: []Tool{tool("say")}, call: func(context.Context, call.Request) Result { return Result{Structured: json.RawMessage(broken)} }}
		bubble(t, Options{Caller: d}, func(p *peer) {
			p.call("1", "")
			if got := p.result(); !got.IsError || !strings.Contains(got.Content[0].Text, "not a JSON object") {
				t.Errorf("%s: %+v", broken, got)
			}
		})
	}
}

func FuzzWriteString(f *testing.F) {
	for _, s := range []string{"", "a", "\x00\x1f\x7f\"\\\n\r\t<>&", "é😀\u2028\u2029\ufffd", "\xff\xc0a\xe2\x80", "</script>"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		var buf bytes.Buffer
		out := bufio.NewWriter(&buf)
		writeString(out, s)
		out.Flush()
		var got string
		if err := json.Unmarshal(buf.Bytes(), &got); err != nil {
			t.Fatalf("%q: %v", buf.Bytes(), err)
		}
		want(t, got, string([]rune(s)))
		if bytes.ContainsAny(buf.Bytes(), "\n\r\u2028\u2029") || !utf8.Valid(buf.Bytes()) {
			t.Errorf("%q became %q", s, buf.Bytes())
		}
	})
}

func TestAHeadThatCannotBeEncoded(t *testing.T) {
	if _, err := toolResult(mcp.Result{Meta: mcp.NewMetaFromMap(map[string]any{"f": func() {}})}, Result{}); err == nil {
		t.Error("a head that cannot be encoded passed")
	}
}

func TestAListingThatPanicsChangesNothing(t *testing.T) {
	d := &changingCaller{stubCaller: stubCaller{call: echo}, mu: &sync.Mutex{}, tools: &[]Tool{tool("say")}}
	bubble(t, Options{Caller: d}, func(p *peer) {
		d.tools = nil
		if err := p.server.ListChanged(); err == nil || !strings.Contains(err.Error(), "the old tools stay") {
			t.Errorf("%v", err)
		}
		p.call("1", "")
		if got := p.result(); got.IsError {
			t.Errorf("%+v", got)
		}
	})
}
