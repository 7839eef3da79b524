//go:build unix

package engine_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/llm-cli-gateway/gateway/engine"
	"github.com/llm-cli-gateway/gateway/engine/call"
	"github.com/llm-cli-gateway/gateway/engine/catalog"
	"github.com/llm-cli-gateway/gateway/engine/tools"
)

// bare opens a gateway with the built-in specs on a machine where no programs are but
// those in a folder.
func bare(t *testing.T, profile, programs string) *engine.Engine {
	t.Helper()
	t.Setenv("HOME", t.TempDir())
	specs := t.TempDir()
	if err := os.WriteFile(filepath.Join(specs, "bare.cue"), []byte(`gateway: path: []`), 0o600); err != nil {
		t.Fatal(err)
	}
	e, diags := engine.Open(engine.Options{Specs: []string{specs}, Environ: []string{"PATH=" + programs}, Version: "test", Profile: profile})
	if e == nil {
		t.Fatal(diags)
	}
	t.Cleanup(func() {
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	})
	return e
}

func names(clis []*catalog.CLI) (out []string) {
	for _, cli := range clis {
		out = append(out, cli.Name)
	}
	return out
}

// TestSizesOfTheListing bounds what every conversation of every client pays.
func TestSizesOfTheListing(t *testing.T) {
	for profile, most := range map[string]int{tools.Full: 38 << 10, tools.Compact: 12_000} {
		t.Run(profile, func(t *testing.T) {
			e := bare(t, profile, t.TempDir())
			if got, want := names(e.Tools.Listed()), e.Catalog().Settings.Tools.Fallback; len(want) != 4 || !slices.Equal(got, want) {
				t.Errorf("where none is found %q are listed, want %q", got, want)
			}
			for _, request := range []string{`"params":{}`,
				`"params":{"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientInfo":{"name":"x","version":"1"},"io.modelcontextprotocol/clientCapabilities":{}}}`} {
				c := connect(t, e, "desk")
				c.send(`{"jsonrpc":"2.0","id":1,"method":"tools/list",%s}`, request)
				c.recv()
				var answer struct {
					Result struct{ Tools []json.RawMessage }
				}
				line := c.lines.Bytes()
				if err := json.Unmarshal(line, &answer); err != nil {
					t.Fatal(err)
				}
				listed, sent := 0, 0
				for _, tool := range e.Tools.List() {
					listed += len(tool.Listing())
				}
				for _, tool := range answer.Result.Tools {
					sent += len(tool)
				}
				if len(line) > most || listed != sent || len(answer.Result.Tools) != len(e.Tools.List()) {
					t.Errorf("the listing has %d bytes, of at most %d; its tools have %d, listed are %d", len(line), most, sent, listed)
				}
				t.Logf("%d bytes", len(line))
			}
		})
	}
}

// TestWhatModelsSearchFor: clients with many tools show a model none before it has searched
// for one, and of the instructions their beginning.
func TestWhatModelsSearchFor(t *testing.T) {
	e := bare(t, tools.Full, t.TempDir())
	c := connect(t, e, "desk")
	c.send(`{"jsonrpc":"2.0","id":1,"method":"server/discover","params":{"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientInfo":{"name":"x","version":"1"},"io.modelcontextprotocol/clientCapabilities":{}}}}`)
	c.recv()
	var answer struct {
		Result struct{ Instructions string }
	}
	if err := json.Unmarshal(c.lines.Bytes(), &answer); err != nil {
		t.Fatal(err)
	}
	texts := map[string]string{"the instructions": answer.Result.Instructions[:240]}
	for _, cli := range e.Tools.Listed() {
		texts[cli.Tool()], _, _ = strings.Cut(cli.Describe().Description, ". ")
		texts[cli.Tool()+", in brief,"], _, _ = strings.Cut(cli.Brief().Description, ". ")
	}
	for name, text := range texts {
		for _, word := range []string{"Delegate", "second opinion", "review", "resume", "sessionId"} {
			if !strings.Contains(text, word) {
				t.Errorf("%s do not begin with %q: %s", name, word, text)
			}
		}
	}
	if text := texts["the instructions"]; !strings.Contains(text, tools.JobResult+" with the jobId returns the answer.") {
		t.Errorf("240 characters say %q", text)
	}
}

// TestUnlistedToolsAnswer: a client that knows a name can call it, found or not.
func TestUnlistedToolsAnswer(t *testing.T) {
	programs := t.TempDir()
	e := bare(t, tools.Compact, programs)
	found := e.Catalog().CLIs[len(e.Catalog().CLIs)-1]
	if err := os.WriteFile(filepath.Join(programs, found.Bin), []byte("#!/bin/sh\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	if got := names(e.Tools.Listed()); !slices.Equal(got, []string{found.Name}) {
		t.Fatalf("%q are listed, and %s is found", got, found.Name)
	}
	c := connect(t, e, "desk")
	for i, o := range e.Tools.Offers() {
		if _, err := os.Stat(filepath.Join(engine.StateDir(), "jobs")); err == nil {
			t.Error("something was run")
		}
		c.send(`{"jsonrpc":"2.0","id":%d,"method":"tools/call","params":{"name":%q,"arguments":{"nobody":1}}}`, i+1, o.Name)
		if m := c.recv(); !m.Result.IsError || len(m.Result.StructuredContent) == 0 { // the server itself answers in words only
			t.Errorf("%s (%s): %+v", o.Name, o.Why, m)
		}
	}
}

func BenchmarkListed(b *testing.B) {
	b.Setenv("HOME", b.TempDir())
	e, diags := engine.Open(engine.Options{Environ: os.Environ(), Version: "test"})
	if e == nil {
		b.Fatal(diags)
	}
	for b.Loop() {
		e.Tools.Listed()
	}
}

// TestResources reads, in both eras of the protocol, all resources that are listed.
func TestResources(t *testing.T) {
	e, _ := opened(t, fake(t)+"\n"+`cli: zeta: {bin: "echo", argv: ["{session}"], session: {create: ["{id}"], resume: ["{id}"]}}`)
	c := connect(t, e, "desk")
	c.call(1, steps(t, "out=fine"))
	var job string
	for job == "" {
		job, _ = c.recv().Result.StructuredContent["jobId"].(string)
	}
	made := e.Tools.Call(t.Context(), call.Request{Tool: tools.SessionCreate, Args: json.RawMessage(`{"cli":"zeta"}`)})
	session, _, _ := strings.Cut(made.Text[0], " ")
	for era, meta := range map[string]string{"old": `"_meta":{}`, "new": `"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientInfo":{"name":"x","version":"1"},"io.modelcontextprotocol/clientCapabilities":{}}`} {
		uris := []string{}
		for _, method := range []string{"resources/list", "resources/templates/list"} {
			c.send(`{"jsonrpc":"2.0","id":2,"method":%q,"params":{%s}}`, method, meta)
			m := c.recv()
			for _, r := range m.Result.Resources {
				uris = append(uris, r.URI)
			}
			for _, r := range m.Result.ResourceTemplates {
				uris = append(uris, strings.NewReplacer("{cli}", "acme", "jobs/{id}", "jobs/"+job, "sessions/{id}", "sessions/"+session).Replace(r.URITemplate))
			}
		}
		if len(uris) != len(tools.Resources()) {
			t.Errorf("%s: %q", era, uris)
		}
		for _, uri := range uris {
			c.send(`{"jsonrpc":"2.0","id":3,"method":"resources/read","params":{"uri":%q,%s}}`, uri, meta)
			m := c.recv()
			if m.Error != nil || len(m.Result.Contents) != 1 || m.Result.Contents[0].URI != uri || m.Result.Contents[0].MIMEType != "application/json" {
				t.Errorf("%s: %s: %+v", era, uri, m)
				continue
			}
			if text := m.Result.Contents[0].Text; !json.Valid([]byte(text)) || !strings.Contains(text, "acme") && !strings.Contains(text, session) || strings.HasSuffix(uri, job) && !strings.Contains(text, `"response":"fine"`) {
				t.Errorf("%s: %s: %s", era, uri, text)
			}
		}
		c.send(`{"jsonrpc":"2.0","id":4,"method":"resources/read","params":{"uri":"gateway://job/x",%s}}`, meta)
		if m := c.recv(); m.Error == nil || !strings.Contains(m.Error.Message, "gateway://jobs/{id}") {
			t.Errorf("%s: %+v", era, m)
		}
	}
}
