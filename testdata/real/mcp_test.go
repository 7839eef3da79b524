package real

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/llm-cli-gateway/gateway/engine/store"
)

// mcp is how the tests meet a program's way of taking MCP servers.
type mcp struct {
	// scenario lets the model call the tool echo of the server that the prompt names.
	scenario string
	args     args // further arguments of a call, so that the model is offered the tool at once
	// own is the file below HOME with the servers that the program knows by itself, and
	// the names lead to them; nil where it has another form.
	own []string
	// takesOwn: they are the only ones that it takes, and their tools run unasked.
	takesOwn bool
	// strict: it can be told to have no other servers.
	strict bool
}

// withServers is the program with servers in its reach: one, two and shy (which is not
// trusted) of the gateway, mine of its own.
func (c cli) withServers(t *testing.T) (cli, func(name string) (trace string)) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	traces := t.TempDir()
	trace := func(name string) string { return filepath.Join(traces, name) }
	server := func(name string) map[string]any {
		return map[string]any{"command": self, "args": []string{serverSwitch, name, trace(name)}}
	}
	defined, own := map[string]any{}, map[string]any{"mine": server("mine")}
	for _, name := range []string{"one", "two", "shy"} {
		if s := server(name); c.mcp.takesOwn {
			own[name] = s
		} else {
			s["env"], s["trust"] = []string{echoKey}, name != "shy"
			defined[name] = s
		}
	}
	defined["gone"] = map[string]any{"command": "no-such-program"}
	spec := map[string]any{"mcp": defined, "cli": map[string]any{
		// It would let the model search for tools first.
		"claude": map[string]any{"env": map[string]any{"set": map[string]any{"ENABLE_TOOL_SEARCH": "false"}}}}}
	setup := c.setup
	c.setup = func(base string) (env, files map[string]string) {
		env, files = setup(base)
		env, files = maps.Clone(env), maps.Clone(files)
		if env == nil {
			env = map[string]string{}
		}
		if files == nil {
			files = map[string]string{}
		}
		env[echoKey] = echoValue
		files[".llm-cli-gateway/specs/mcp.yaml"] = encode(spec)
		if c.mcp.own != nil {
			config := map[string]any{}
			if text := files[c.mcp.own[0]]; text != "" {
				if err := json.Unmarshal([]byte(text), &config); err != nil {
					t.Error(err)
				}
			}
			config[c.mcp.own[1]] = own
			files[c.mcp.own[0]] = encode(config)
		}
		return env, files
	}
	return c, trace
}

// asks is a call whose model calls the tool of a server.
func (c cli) asks(server string, more args) args {
	call := args{"prompt": marked(server)}
	maps.Copy(call, c.mcp.args)
	maps.Copy(call, more)
	return call
}

// TestServers hands each program a server, which it starts and the model calls. It does
// so at once for calls with different servers: none sees that of another.
func TestServers(t *testing.T) {
	each(t, func(t *testing.T, c cli) {
		c, trace := c.withServers(t)
		g := start(t, c.mcp.scenario, c)
		names := []string{"one", "two", "one", "two"}
		var calls []args
		for _, name := range names {
			calls = append(calls, c.asks(name, args{"mcpServers": []string{name}, "forceRefresh": true}))
		}
		for i, r := range g.callAll([]cli{c, c, c, c}, calls) {
			name := names[i]
			if r.IsError || !strings.Contains(r.StructuredContent.Response, said(name, "HI-FROM-MODEL")) {
				t.Errorf("%s was not called: %s", name, r.text())
			}
			if got := encode(r.StructuredContent.MCP); got != fmt.Sprintf(`{"Enabled":["%[1]s"],"Missing":[],"Requested":["%[1]s"]}`, name) {
				t.Errorf("mcp: %s", got)
			}
		}
		for _, name := range []string{"one", "two"} {
			value, err := os.ReadFile(trace(name))
			if err != nil || !c.mcp.takesOwn && string(value) != echoValue {
				t.Errorf("%s found %q in its variable: %v", name, value, err)
			}
		}
		// It offered the model one server, never both.
		for _, seen := range g.models.Requests() {
			tools := strings.Join(seen.Tools, " ")
			if strings.Contains(tools, "one") && strings.Contains(tools, "two") {
				t.Errorf("one call had both servers: %s", tools)
			}
		}
		g.written(echoValue)
		for _, job := range g.jobs() {
			if strings.Contains(encode(job), echoValue) {
				t.Errorf("the value of a variable is in the record: %s", encode(job))
			}
		}
	})
}

// written checks that a text stands in no file below HOME but the environment file.
func (g *gateway) written(text string) {
	g.t.Helper()
	files := 0
	err := filepath.WalkDir(filepath.Join(g.home, ".llm-cli-gateway"), func(path string, e fs.DirEntry, err error) error {
		if err != nil || !e.Type().IsRegular() {
			return err
		}
		data, err := os.ReadFile(path)
		if files++; bytes.Contains(data, []byte(text)) {
			g.t.Errorf("%s holds %q", path, text)
		}
		return err
	})
	if err != nil || files < 4 {
		g.t.Errorf("%d files, %v", files, err)
	}
}

// TestServerPermission: handing a server over allows nothing, unless the definition says
// that it is trusted.
func TestServerPermission(t *testing.T) {
	each(t, func(t *testing.T, c cli) {
		if c.mcp.takesOwn {
			t.Skip("naming a server of its own is its way of allowing it")
		}
		c, trace := c.withServers(t)
		g := start(t, c.mcp.scenario, c)
		r := g.call(c, c.asks("shy", args{"mcpServers": []string{"shy"}}))
		if strings.Contains(r.text(), said("shy", "")) {
			t.Errorf("it was called: %s", r.text())
		}
		if _, err := os.Stat(trace("shy")); err != nil {
			t.Errorf("it was not started: %v", err)
		}
	})
}

// TestMissingServers: a server that cannot be had refuses the call, or is left out.
func TestMissingServers(t *testing.T) {
	each(t, func(t *testing.T, c cli) {
		c, _ = c.withServers(t)
		g := start(t, c.mcp.scenario, c)
		wanted := []string{"one", "gone", "nobody"}
		r := g.call(c, c.asks("one", args{"mcpServers": wanted}))
		failed(t, r, "invalid_call")
		for _, name := range wanted[1:] {
			if !strings.Contains(r.text(), fmt.Sprintf("%q is not available", name)) {
				t.Errorf("%s is not named: %s", name, r.text())
			}
		}
		if n := len(g.models.Requests()) + len(g.jobs()); n > 0 {
			t.Error("something was run")
		}
		r = g.call(c, c.asks("one", args{"mcpServers": wanted, "strictMcpConfig": false}))
		if r.IsError || !strings.Contains(r.StructuredContent.Response, said("one", "HI-FROM-MODEL")) {
			t.Errorf("%s", r.text())
		}
		missing := slices.DeleteFunc(slices.Clone(r.StructuredContent.Warnings), func(w string) bool { return !strings.HasPrefix(w, "the MCP server ") })
		if len(missing) != 2 || !strings.Contains(missing[0], `"gone" is missing`) || !strings.Contains(missing[1], `"nobody" is missing`) {
			t.Errorf("%q", missing)
		}
		if got := encode(r.StructuredContent.MCP); got != `{"Enabled":["one"],"Missing":["gone","nobody"],"Requested":["gone","nobody","one"]}` {
			t.Errorf("mcp: %s", got)
		}
	})
}

// TestOwnServers: a program's own servers are left alone by calls that leave it to its own
// settings, and kept out where a call asks for none.
func TestOwnServers(t *testing.T) {
	each(t, func(t *testing.T, c cli) {
		if c.mcp.own == nil || !c.mcp.strict {
			t.Skip("nothing turns the servers of its own configuration off")
		}
		c, trace := c.withServers(t)
		g := start(t, "ok", c)
		if out, err := g.command("trust", g.work).CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		started := func() bool {
			_, err := os.Stat(trace("mine"))
			os.Remove(trace("mine"))
			return err == nil
		}
		for _, call := range []struct {
			args args
			want bool
		}{{args{"access": "own"}, true}, {args{}, false}, {args{"access": "own", "mcpServers": []string{}}, false}, {args{"access": "own", "strictMcpConfig": true}, false}, {args{"mcpServers": []string{"one"}}, false}} {
			call.args["prompt"], call.args["forceRefresh"] = marked("hi"), true
			if r := g.call(c, call.args); r.IsError || started() != call.want {
				t.Errorf("%v: its own server runs: %v\n%s", call.args, !call.want, r.text())
			}
		}
		if jobs := g.jobs(); len(jobs) != 5 || slices.ContainsFunc(jobs, func(j store.Job) bool { return j.Outcome.Ending != store.EndOK }) {
			t.Errorf("%d rows", len(jobs))
		}
	})
}
