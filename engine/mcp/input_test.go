package mcp

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"testing"
	"testing/iotest"
)

func TestBrokenLinesAreAnsweredAndTheServerLives(t *testing.T) {
	deep := strings.Repeat("[", 20_000)
	tests := map[string]struct {
		line string
		code int
		id   string
	}{
		"not JSON":              {`hello`, codeParse, "null"},
		"truncated":             {`{"jsonrpc":"2.0","id":1,"method":"pi`, codeParse, "1"},
		"truncated in the id":   {`{"jsonrpc":"2.0","id":1`, codeParse, "null"},
		"truncated text id":     {`{"jsonrpc":"2.0","id":"a`, codeParse, "null"},
		"two values":            {`{"jsonrpc":"2.0","id":1,"method":"ping"} {}`, codeParse, "1"},
		"not a number":          {`{"method":"tools/call","params":{"n":NaN,"id":3},"jsonrpc":"2.0","id" : "a\"b"}`, codeParse, `"a\"b"`},
		"id elsewhere":          {`{"method":"tools/call","params":{"id":3,}}`, codeParse, "null"},
		"id in a text":          {`{"method":"tools/call","params":"\"id\":3","n":}`, codeParse, "null"},
		"two ids":               {`{"id":1,"method":"ping","id":2,}`, codeParse, "null"},
		"broken answer":         {`{"jsonrpc":"2.0","id":1,"result":{"a":}}`, codeParse, "null"},
		"odd id":                {`{"id":truth,"method":}`, codeParse, "null"},
		"deep":                  {deep, codeParse, "null"},
		"deep params":           {`{"jsonrpc":"2.0","id":1,"method":"ping","params":` + deep, codeParse, "1"},
		"number":                {`5`, codeInvalid, "null"},
		"null":                  {`null`, codeInvalid, "null"},
		"string":                {`"ping"`, codeInvalid, "null"},
		"empty object":          {`{}`, codeInvalid, "null"},
		"no version":            {`{"id":1,"method":"ping"}`, codeInvalid, "1"},
		"wrong version":         {`{"jsonrpc":"1.0","id":"a","method":"ping"}`, codeInvalid, `"a"`},
		"version of wrong type": {`{"jsonrpc":2.0,"id":1,"method":"ping"}`, codeInvalid, "1"},
		"method of wrong type":  {`{"jsonrpc":"2.0","id":1,"method":7}`, codeInvalid, "1"},
		"no method":             {`{"jsonrpc":"2.0","id":1}`, codeInvalid, "1"},
		"request and answer":    {`{"jsonrpc":"2.0","id":1,"method":"ping","result":{}}`, codeInvalid, "1"},
		"null id":               {`{"jsonrpc":"2.0","id":null,"method":"ping"}`, codeInvalid, "null"},
		"object id":             {`{"jsonrpc":"2.0","id":{},"method":"ping"}`, codeInvalid, "null"},
		"boolean id":            {`{"jsonrpc":"2.0","id":true,"method":"ping"}`, codeInvalid, "null"},
		"unknown method":        {`{"jsonrpc":"2.0","id":1,"method":"frobnicate"}`, -32601, "1"},
		"no tool name":          {`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{}}`, codeParams, "1"},
		"no params":             {`{"jsonrpc":"2.0","id":1,"method":"tools/call"}`, codeParams, "1"},
		"params of wrong type":  {`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":[]}`, codeParams, "1"},
		"meta of wrong type":    {`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"say","_meta":3}}`, codeInvalid, "1"},
		"empty batch":           {`[]`, codeInvalid, "null"},
		"broken batch":          {`[{"jsonrpc":"2.0","id":1,"method":"ping"}`, codeParse, "null"},
		"batch too large":       {"[" + strings.Repeat("1,", 200) + "1]", codeInvalid, "null"},
		"batch in a batch":      {`[[]]`, codeInvalid, "null"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			bubble(t, Options{}, func(p *peer) {
				p.send(test.line)
				r := p.recv()
				if r.Error == nil || r.Error.Code != test.code || r.Error.Message == "" {
					t.Errorf("error %+v, want code %d", r.Error, test.code)
				}
				want(t, string(r.ID), test.id)
				p.quiet()
				p.send(`{"jsonrpc":"2.0","id":1,"method":"ping"}`)
				want(t, string(p.recv().Result), "{}")
			})
		})
	}
}

func TestToleratedLines(t *testing.T) {
	bubble(t, Options{}, func(p *peer) {
		p.send("")
		p.send(" \t \r")
		p.send(`{"jsonrpc":"2.0","method":"notifications/unheard-of","params":{"a":1}}`)
		p.send(`{"jsonrpc":"2.0","id":77,"result":{}}`)
		p.send(`{"jsonrpc":"2.0","id":null,"error":{"code":-1,"message":"?"}}`)
		p.quiet()
		p.send("  {\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\"}\r")
		want(t, string(p.recv().ID), "1")
		p.call("2", `,"arguments":{"text":"a`+"\xff\xfe"+`b"}`)
		want(t, string(p.recv().Result), `{"content":[{"type":"text","text":"{\"text\":\"a`+"\ufffd"+`b\"}"}],"structuredContent":{"ok":true}}`)
		p.call("\"\xff\"", "")
		want(t, string(p.recv().ID), "\"\ufffd\"")
	})
}

func TestAByteOrderMarkBeforeTheFirstMessage(t *testing.T) {
	bubble(t, Options{}, func(p *peer) {
		p.send("\ufeff" + `{"jsonrpc":"2.0","id":1,"method":"ping"}`)
		want(t, string(p.recv().Result), "{}")
	})
}

func TestABatchIsAnsweredOneByOne(t *testing.T) {
	bubble(t, Options{}, func(p *peer) {
		p.send(`[{"jsonrpc":"2.0","id":1,"method":"ping"}, {"jsonrpc":"2.0","method":"notifications/initialized"}, {"jsonrpc":"2.0","id":"b","method":"tools/call","params":{"name":"say"}}, 5]`)
		ids := map[string]bool{}
		for range 3 {
			ids[string(p.recv().ID)] = true
		}
		if !ids["1"] || !ids[`"b"`] || !ids["null"] {
			t.Errorf("answered: %v", ids)
		}
		p.quiet()
	})
}

func TestAnOverlongLineIsAnsweredWithItsId(t *testing.T) {
	long := strings.Repeat(`x\"id\":1}`, 10_000)
	for name, test := range map[string]struct{ line, id string }{
		"id first":          {`{"jsonrpc":"2.0","id":5,"method":"tools/call","params":{"t":"` + long + `"}}`, "5"},
		"id last":           {`{"method":"tools/call","params":{"t":"` + long + `"},"jsonrpc":"2.0","id":6}`, "6"},
		"string id last":    {`{"method":"tools/call","params":{"t":"` + long + `"},"id" : "a\"b" }  `, `"a\"b"`},
		"id before version": {`{"params":{"t":"` + long + `"},"id":7,"jsonrpc":"2.0","method":"tools/call"}`, "7"},
		"id elsewhere":      {`{"params":{"t":"` + long + `","id":8}}`, "null"},
		"id in the head":    {`{"params":{"id":9,"t":"` + long + `"}}`, "null"},
		"an answer":         {`{"id":10,"result":{"t":"` + long + `"}}`, "null"},
		"not JSON":          {long, "null"},
		"null id":           {`{"params":"` + long + `","id":null}`, "null"},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, Options{MaxLine: 10_000}, func(p *peer) {
				p.send(test.line)
				r := p.recv()
				if r.Error == nil || r.Error.Code != codeInvalid || !strings.Contains(r.Error.Message, "10000 bytes") {
					t.Errorf("%+v", r.Error)
				}
				want(t, string(r.ID), test.id)
				p.send(`{"jsonrpc":"2.0","id":1,"method":"ping"}`)
				want(t, string(p.recv().ID), "1")
			})
		})
	}
}

func TestAFailingInputEndsTheConnection(t *testing.T) {
	broken := errors.New("device gone")
	in := io.MultiReader(strings.NewReader(`{"jsonrpc":"2.0","id":1,"method":"ping"}`+"\n"), iotest.ErrReader(broken))
	var out bytes.Buffer
	err := New(Options{Caller: &stubCaller{}}).Serve(t.Context(), in, &out)
	if !errors.Is(err, ErrClientGone) || !errors.Is(err, broken) {
		t.Errorf("%v", err)
	}
	want(t, out.String(), `{"jsonrpc":"2.0","id":1,"result":{}}`+"\n")
}

// FuzzInput feeds arbitrary bytes between requests of known ids: whatever the
// bytes, the server lives and each of those is answered once.
func FuzzInput(f *testing.F) {
	f.Add([]byte(`{"jsonrpc":"2.0","id":1,"method":"ping"}` + "\n"))
	f.Add([]byte("[[\n{}\nnull\n\xff\xfe\n[1,2]\n"))
	f.Add([]byte(`{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":1}}` + "\r\n"))
	f.Add([]byte(`{"jsonrpc":"2.0","id":"q","method":"subscriptions/listen","params":{"notifications":{"toolsListChanged":true},` + modern("") + "}}\n"))
	f.Add([]byte(`{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1}}` + "\n"))
	f.Add([]byte(`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"say","arguments":{},"_meta":{"progressToken":1}}}` + "\n"))
	f.Add(bytes.Repeat([]byte("A"), 5000))
	d := &stubCaller{tools: []Tool{tool("say")}, call: echo}
	f.Fuzz(func(t *testing.T, data []byte) {
		var in, out bytes.Buffer
		const n = 4
		for i := range n {
			fmt.Fprintf(&in, `{"jsonrpc":"2.0","id":"known-%d","method":"tools/call","params":{"name":"say"}}`+"\n", i)
			in.Write(data)
			in.WriteByte('\n')
		}
		var log bytes.Buffer
		logger := slog.New(slog.NewTextHandler(&log, nil))
		if err := New(Options{Caller: d, MaxLine: 2000, Log: logger}).Serve(t.Context(), &in, &out); err != nil {
			t.Fatal(err)
		}
		if strings.Contains(log.String(), "cut short") || strings.Contains(log.String(), "panic") {
			t.Errorf("log: %s", log.String())
		}
		answers := map[string]int{}
		for line := range bytes.Lines(out.Bytes()) {
			var r reply
			if err := json.Unmarshal(line, &r); err != nil || r.JSONRPC != "2.0" {
				t.Fatalf("not a message: %q: %v", line, err)
			}
			if r.Method == "" {
				answers[string(r.ID)]++
			}
		}
		if bytes.Contains(data, []byte("known")) || bytes.Contains(data, []byte(`\u`)) {
			return // the bytes may themselves name, repeat or cancel ours
		}
		for i := range n {
			if id := fmt.Sprintf(`"known-%d"`, i); answers[id] != 1 {
				t.Errorf("%d answers to %s", answers[id], id)
			}
		}
	})
}
