package mcp

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
)

// TestTranscript holds every byte of the answers to every method of both eras, to
// methods that are not offered, and to requests that are malformed in one place.
func TestTranscript(t *testing.T) {
	var got strings.Builder
	full := func() *stubCaller {
		d := resourceCaller()
		d.tools, d.call = []Tool{tool("say"), described(), {Name: "hum", Unlisted: true}}, askOnce
		return d
	}
	none := func() *stubCaller { return &stubCaller{call: echo} }
	for _, c := range []struct {
		name   string
		caller func() *stubCaller
		eras   []string
	}{
		{"tools and resources", full, []string{"none", "old", "new"}},
		{"nothing", none, []string{"old", "new"}},
	} {
		for _, era := range c.eras {
			fmt.Fprintf(&got, "# %s, era %s\n", c.name, era)
			bubble(t, Options{Caller: c.caller(), Instructions: "Call <say>."}, func(p *peer) {
				if era == "old" {
					p.initialize(`"elicitation":{},"roots":{}`)
				}
				meta := map[string]string{"none": "", "old": `"_meta":{"x":1}`, "new": modern(`"elicitation":{},"roots":{}`)}[era]
				for _, line := range transcriptRequests(meta) {
					fmt.Fprintf(&got, "> %s\n", line)
					p.send(line)
					synctest.Wait()
					for len(p.lines) > 0 {
						answer := <-p.lines
						fmt.Fprintf(&got, "< %s\n", answer)
						if strings.Contains(answer, `"method":"elicitation/create"`) {
							p.send(`{"jsonrpc":"2.0","id":` + idOf(answer) + `,"result":{"action":"decline"}}`)
							synctest.Wait()
						}
					}
				}
			})
		}
	}
	golden := filepath.Join("testdata", "transcript.txt")
	if os.Getenv("GATEWAY_UPDATE") == "1" {
		if err := os.WriteFile(golden, []byte(got.String()), 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	expected, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	gotLines, wantLines := strings.Split(got.String(), "\n"), strings.Split(string(expected), "\n")
	for i := range min(len(gotLines), len(wantLines)) {
		if gotLines[i] != wantLines[i] {
			t.Errorf("line %d, after %s\ngot  %s\nwant %s", i+1, wantLines[max(0, i-1)], gotLines[i], wantLines[i])
		}
	}
	if len(gotLines) != len(wantLines) {
		t.Errorf("%d lines, want %d", len(gotLines), len(wantLines))
	}
}

// idOf is the id of a message whose id is a number.
func idOf(message string) string {
	_, id, _ := strings.Cut(message, `"id":`)
	return id[:strings.IndexAny(id, ",}")]
}

// described is a tool with everything that a tool can have.
func described() Tool {
	t := tool("full.name-1")
	t.Title, t.Description = "A & B", "Does <all>."
	t.OutputSchema = []byte(`{"type":"object","properties":{"ok":{"type":"boolean"}}}`)
	t.Meta = map[string]any{"acme/alwaysLoad": true}
	t.Idempotent, t.OpenWorld, t.ReadOnly, t.Brief = true, true, false, true
	return t
}

// transcriptRequests are lines of a client whose requests carry meta, a member of params.
func transcriptRequests(meta string) []string {
	var lines []string
	id := 0
	add := func(method, params string) {
		id++
		if rest, object := strings.CutPrefix(params, "{"); object && meta != "" {
			params = "{" + strings.TrimSuffix(meta+","+strings.TrimSuffix(rest, "}"), ",") + "}"
		}
		if params != "" {
			params = `,"params":` + params
		}
		lines = append(lines, fmt.Sprintf(`{"jsonrpc":"2.0","id":%d,"method":"%s"%s}`, id, method, params))
	}
	for _, method := range []string{"ping", "server/discover", "initialize", "tools/list", "resources/list", "resources/templates/list",
		"resources/subscribe", "resources/unsubscribe", "prompts/list", "prompts/get", "logging/setLevel", "completion/complete",
		"tasks/get", "tasks/list", "tasks/result", "tasks/cancel", "acme/unknown", "resources/read", "tools/call", "notifications/initialized"} {
		add(method, "{}")
		add(method, "")
		add(method, "7")
		add(method, "[]")
	}
	for _, version := range []string{"2024-11-05", "2025-11-25", "2026-07-28", "2099-01-01", "", "x"} {
		add("initialize", `{"protocolVersion":"`+version+`","capabilities":{"roots":{"listChanged":true},"elicitation":{}},"clientInfo":{"name":"x","version":"1"}}`)
	}
	add("initialize", `{"protocolVersion":7}`)
	add("initialize", `{"capabilities":[]}`)
	for _, method := range []string{"tools/list", "resources/list", "resources/templates/list"} {
		for _, cursor := range []string{`"c2F5"`, `"YQ=="`, `""`, `"%"`, `7`, `null`} {
			add(method, `{"cursor":`+cursor+`}`)
		}
	}
	for _, uri := range []string{"acme://all", "acme://book/x", "book:x", "acme://worn", "", "acme://<&>"} {
		add("resources/read", `{"uri":"`+uri+`"}`)
	}
	add("resources/read", `{"uri":"acme://all","arguments":7}`)
	add("resources/subscribe", `{"uri":"acme://all"}`)
	for _, params := range []string{`{"name":"say"}`, `{"name":"say","arguments":{"text":"<&>"}}`, `{"name":"say","arguments":null}`,
		`{"name":"say","arguments":7}`, `{"name":"sing"}`, `{"name":"?"}`, `{"name":""}`, `{"name":"hum"}`, `{"name":7}`,
		`{"name":"say","task":{}}`, `{"name":"say","task":{"ttl":1}}`, `{"name":"say","inputResponses":7}`, `{"name":"say","inputResponses":{}}`,
		`{"name":"say","inputResponses":{"question":{"action":"accept"}},"requestState":"s-1"}`,
		`{"name":"say","inputResponses":{"question":7},"requestState":"s-1"}`,
		`{"name":"say","inputResponses":{"question":{"action":"accept"},"roots":{"roots":[]}},"requestState":"s-1"}`,
		`{"name":"say","requestState":7}`} {
		add("tools/call", params)
	}
	for _, filter := range []string{`{}`, `7`, `{"promptsListChanged":true,"resourcesListChanged":true,"resourceSubscriptions":["acme://all"]}`} {
		add("subscriptions/listen", `{"notifications":`+filter+`}`)
	}
	add("subscriptions/listen", `{"notifications":{"toolsListChanged":true,"promptsListChanged":true}}`)
	lines = append(lines, fmt.Sprintf(`{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":%d}}`, id))

	metas := []string{`7`, `null`, `{}`, `{"io.modelcontextprotocol/protocolVersion":7}`, `{"io.modelcontextprotocol/protocolVersion":"2025-06-18"}`,
		`{"io.modelcontextprotocol/protocolVersion":"2026-07-28"}`,
		`{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":7}`,
		`{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}}`,
		`{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{},"io.modelcontextprotocol/clientInfo":7}`,
		`{"io.modelcontextprotocol/protocolVersion":"2027-01-01","io.modelcontextprotocol/clientCapabilities":{}}`}
	for _, m := range metas {
		for i, request := range []string{`"tools/list","params":{"_meta":%s}`, `"tools/call","params":{"name":"say","_meta":%s}`, `"acme/unknown","params":{"_meta":%s}`, `"ping","params":{"_meta":%s}`} {
			lines = append(lines, fmt.Sprintf(`{"jsonrpc":"2.0","id":"m%d","method":`+request+`}`, i, m))
		}
	}
	return append(lines,
		`{"jsonrpc":"2.0","id":1.0,"method":"ping"}`,
		`{"jsonrpc":"2.0","id":"a\"b","method":"ping"}`,
		`{"jsonrpc":"2.0","id":900719925474099333,"method":"ping"}`,
		`{"jsonrpc":"2.0","id":null,"method":"ping"}`,
		`{"jsonrpc":"2.0","method":"ping"}`,
		`{"jsonrpc":"2.0","method":"acme/unknown"}`,
		`{"jsonrpc":"2.0","id":1}`,
		`{"jsonrpc":"2.0","id":1,"method":"tools/list","result":{}}`)
}
