package real

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/llm-cli-gateway/gateway/engine/store"
	"github.com/llm-cli-gateway/gateway/engine/store/sqlite"
	"github.com/llm-cli-gateway/gateway/testdata/modelserver"
)

// patience is how long anything may take before it counts as hung.
const patience = 3 * time.Minute

// supervisor is what the system calls a process that was started from /proc/self/exe.
const supervisor = "exe"

// gateway is a running `gateway serve`, and the client that started it.
type gateway struct {
	t          *testing.T
	home, work string // its HOME and its working directory
	models     *modelserver.Server
	cmd        *exec.Cmd
	log        bytes.Buffer // what it printed on standard error; read it after the end

	mu      sync.Mutex
	in      io.WriteCloser
	last    int
	waiting map[int]chan json.RawMessage
	told    []progress
}

// progress is what the gateway reported about a call that has not ended.
type progress struct {
	Token    string `json:"progressToken"`
	Progress float64
	Message  string
}

// start starts a gateway for some CLIs whose vendors all play one scenario. Its own
// environment is almost empty, as clients leave it: PATH and keys come from the
// environment file.
func start(t *testing.T, scenario string, clis ...cli) *gateway {
	t.Helper()
	return startAt(t, newHome(t), t.TempDir(), scenario, clis...)
}

// startAt starts it with a HOME and in a working directory.
func startAt(t *testing.T, home, work, scenario string, clis ...cli) *gateway {
	t.Helper()
	g := &gateway{t: t, home: home, work: work, models: modelserver.New(), waiting: map[int]chan json.RawMessage{}}
	t.Cleanup(g.models.Close)
	g.write("tmp/.keep", "")
	vars := "PATH=" + searchPath + "\nTMPDIR=" + filepath.Join(g.home, "tmp") + "\n"
	for _, c := range clis {
		env, files := c.setup(g.models.Base(scenario))
		for name, v := range env {
			vars += name + "=" + v + "\n"
		}
		for path, text := range files {
			g.write(path, text)
		}
	}
	g.write("gateway.env", vars)
	g.cmd = g.command("serve")
	g.cmd.Stderr = &g.log
	var err error
	if g.in, err = g.cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	out, err := g.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := g.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	read := make(chan struct{})
	go func() {
		defer close(read)
		g.read(out)
	}()
	t.Cleanup(func() { g.close(read) })
	g.await(g.request("initialize", `{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"real","version":"1"}}`))
	g.send(`{"jsonrpc":"2.0","method":"notifications/initialized"}`)
	return g
}

// newHome makes an empty HOME. It is not below the folder for temporary files, where
// one of the programs does without some of its parts.
func newHome(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp(filepath.Join(clisDir, "home"), "test-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			t.Error("something still writes into the home of an ended call:", err)
		}
	})
	return dir
}

func (g *gateway) write(path, text string) {
	g.t.Helper()
	path = filepath.Join(g.home, path)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		g.t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		g.t.Fatal(err)
	}
}

func (g *gateway) command(args ...string) *exec.Cmd {
	cmd := exec.Command(gatewayBin, args...)
	cmd.Dir = g.work
	// A busy machine takes long to load seven programs, and no answer is to become a job.
	cmd.Env = []string{"HOME=" + g.home, "LLM_GATEWAY_ENV_FILE=" + filepath.Join(g.home, "gateway.env"), "LLM_GATEWAY_SYNC_DEADLINE_MS=0"}
	return cmd
}

// close ends the gateway as clients do, by closing its standard input. Nothing that
// it started may be left.
func (g *gateway) close(read <-chan struct{}) {
	g.in.Close()
	hung := time.AfterFunc(patience, func() { g.cmd.Process.Kill() })
	defer hung.Stop()
	<-read
	if err := g.cmd.Wait(); err != nil {
		g.t.Errorf("the gateway did not end well: %v", err)
	}
	// A supervisor reports the end of its job before it cleans up and exits.
	g.until("the end of the supervisors", func() bool {
		return !slices.ContainsFunc(with("HOME", g.home), func(p osProcess) bool { return p.name == supervisor })
	})
	if left := with("HOME", g.home); len(left) > 0 {
		g.t.Errorf("processes outlived their call: %v", left)
	}
	if g.t.Failed() && g.log.Len() > 0 {
		g.t.Logf("the gateway said:\n%s", &g.log)
	}
}

// read delivers each response to the goroutine that waits for it.
func (g *gateway) read(out io.Reader) {
	defer func() { // whoever still waits, waits in vain
		g.mu.Lock()
		defer g.mu.Unlock()
		for _, waiting := range g.waiting {
			close(waiting)
		}
		g.waiting = nil
	}()
	lines := bufio.NewReader(out)
	for {
		line, err := lines.ReadBytes('\n')
		if err != nil {
			if len(line) > 0 || !errors.Is(err, io.EOF) {
				g.t.Errorf("the gateway's output ends with %q: %v", line, err)
			}
			return
		}
		var m struct {
			ID     *int
			Method string
			Params json.RawMessage
			Result json.RawMessage
			Error  json.RawMessage
		}
		if err := json.Unmarshal(line, &m); err != nil {
			g.t.Errorf("the gateway printed %.200q: %v", line, err)
			continue
		}
		if m.Method == "notifications/progress" {
			var p progress
			if err := json.Unmarshal(m.Params, &p); err != nil {
				g.t.Errorf("the gateway tells %s: %v", line, err)
			}
			g.mu.Lock()
			g.told = append(g.told, p)
			g.mu.Unlock()
		}
		if m.ID == nil || m.Method != "" {
			continue
		}
		g.mu.Lock()
		waiting := g.waiting[*m.ID]
		delete(g.waiting, *m.ID)
		g.mu.Unlock()
		switch {
		case waiting == nil:
			g.t.Errorf("a response that nobody waits for: %.200s", line)
		case m.Error != nil:
			g.t.Errorf("the gateway answers with an error: %s", m.Error)
			close(waiting)
		default:
			waiting <- m.Result
		}
	}
}

func (g *gateway) send(line string) {
	g.t.Helper()
	g.mu.Lock()
	defer g.mu.Unlock()
	if _, err := io.WriteString(g.in, line+"\n"); err != nil {
		g.t.Errorf("the gateway does not listen: %v", err)
	}
}

func (g *gateway) request(method, params string) (id int, response <-chan json.RawMessage) {
	g.t.Helper()
	c := make(chan json.RawMessage, 1)
	g.mu.Lock()
	g.last++
	id = g.last
	if g.waiting == nil {
		close(c) // the gateway has ended
	} else {
		g.waiting[id] = c
	}
	g.mu.Unlock()
	g.send(fmt.Sprintf(`{"jsonrpc":"2.0","id":%d,"method":%q,"params":%s}`, id, method, params))
	return id, c
}

func (g *gateway) await(_ int, response <-chan json.RawMessage) json.RawMessage {
	g.t.Helper()
	select {
	case r, ok := <-response:
		if !ok {
			g.t.Fatal("there is no response")
		}
		return r
	case <-time.After(patience):
		g.t.Fatal("no response")
		return nil
	}
}

// args are the arguments of a call.
type args = map[string]any

// result is the result of a call as its two kinds of readers see it.
type result struct {
	Content           []struct{ Type, Text string }
	IsError           bool
	StructuredContent struct {
		Status, CLI, Model, SessionID, CorrelationID string

		ExitCode   *int
		DurationMs *int64
		Usage      map[string]int64
		CostUSD    *float64
		CostScope  string
		UsageScope string
		Warnings   []string
		Response   string
		MCP        *struct{ Enabled, Missing, Requested []string } `json:"mcpServers"`
		Error      struct{ Class, Message, Hint string }
	}
}

// text is what a client shows that does not know structured results.
func (r result) text() string {
	var b strings.Builder
	for _, block := range r.Content {
		b.WriteString(block.Text + "\n")
	}
	return b.String()
}

func (g *gateway) begin(c cli, a args) (id int, response <-chan json.RawMessage) {
	g.t.Helper()
	return g.request("tools/call", encode(map[string]any{"name": c.tool(), "arguments": a}))
}

// call calls the tool of a CLI and waits for the result.
func (g *gateway) call(c cli, a args) result {
	g.t.Helper()
	var r result
	if raw := g.await(g.begin(c, a)); json.Unmarshal(raw, &r) != nil {
		g.t.Fatalf("not a result: %s", raw)
	}
	return r
}

// callAll makes calls at once. One that collided with another is made again.
func (g *gateway) callAll(clis []cli, calls []args) (results []result) {
	g.t.Helper()
	var responses []<-chan json.RawMessage
	for i, c := range clis {
		_, response := g.begin(c, calls[i])
		responses = append(responses, response)
	}
	for _, response := range responses {
		var r result
		if raw := g.await(0, response); json.Unmarshal(raw, &r) != nil {
			g.t.Fatalf("not a result: %s", raw)
		}
		results = append(results, r)
	}
	for i, c := range clis { // one by one, when all are over
		if c.collides && results[i].StructuredContent.Error.Class == "transient" {
			results[i] = g.call(c, calls[i])
		}
	}
	return results
}

func encode(v any) string {
	data, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return string(data)
}

// jobs are the recorded calls, newest first and whole.
func (g *gateway) jobs() []store.Job {
	g.t.Helper()
	s, err := sqlite.Open(filepath.Join(g.home, ".llm-cli-gateway", "logs.db"))
	if err != nil {
		g.t.Fatal(err)
	}
	defer s.Close()
	list, err := s.Jobs(g.t.Context(), store.Filter{Principal: store.Local})
	if err != nil {
		g.t.Fatal(err)
	}
	for i := range list {
		if list[i], err = s.Job(g.t.Context(), store.Local, list[i].ID); err != nil {
			g.t.Fatal(err)
		}
	}
	return list
}

// until waits for a condition.
func (g *gateway) until(what string, holds func() bool) {
	g.t.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	late := time.After(patience)
	for !holds() {
		select {
		case <-tick.C:
		case <-late:
			g.t.Fatalf("waited in vain: %s", what)
		}
	}
}
