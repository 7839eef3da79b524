//go:build unix

package engine_test

import (
	"context"
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/llm-cli-gateway/gateway/engine"
	"github.com/llm-cli-gateway/gateway/engine/call"
	"github.com/llm-cli-gateway/gateway/engine/lang"
	"github.com/llm-cli-gateway/gateway/engine/lang/diagnostic"
	"github.com/llm-cli-gateway/gateway/engine/lang/load"
	"github.com/llm-cli-gateway/gateway/engine/lang/specfiles"
	"github.com/llm-cli-gateway/gateway/engine/store"
	"github.com/llm-cli-gateway/gateway/engine/store/sqlite"
	"github.com/llm-cli-gateway/gateway/engine/tools"
)

// folder makes a folder of spec files, given as name and text in turn.
func folder(t *testing.T, dir string, files ...string) string {
	t.Helper()
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(files); i += 2 {
		if err := os.WriteFile(filepath.Join(dir, files[i]), []byte(files[i+1]), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// opened is an engine in a home of its own, with settings in the environment.
func opened(t *testing.T, text string, environ ...string) (e *engine.Engine, home string) {
	t.Helper()
	home = t.TempDir()
	t.Setenv("HOME", home)
	dir := folder(t, t.TempDir(), "acme.cue", text)
	e, diags := engine.Open(engine.Options{Specs: []string{dir}, Environ: append([]string{"HOME=" + home, "PATH=" + os.Getenv("PATH")}, environ...), Version: "test"})
	if e == nil {
		t.Fatal(diags)
	}
	t.Cleanup(func() { e.Close() })
	return e, home
}

func TestLayersLieOverOneAnother(t *testing.T) {
	home := t.TempDir()
	t.Setenv("HOME", home)
	builtIn := engine.Load(t.Context(), nil, nil, false).Catalog.CLIs[0]
	over := func(title string) string {
		return fmt.Sprintf("cli: %s: title: %q\ncli: acme: {bin: \"true\", argv: [], title: %q}\n", builtIn.Name, title, title)
	}
	first, second := folder(t, t.TempDir(), "a.cue", over("first")), folder(t, t.TempDir(), "a.yaml", fmt.Sprintf("cli: {%s: {title: second}}", builtIn.Name))
	titles := func(folders ...string) string {
		res := engine.Load(t.Context(), folders, nil, false)
		if res.Catalog == nil {
			t.Fatal(res.Diagnostics)
		}
		out := []string{}
		for _, name := range []string{builtIn.Name, "acme"} {
			if cli, ok := res.Catalog.CLI(name); ok {
				out = append(out, cli.Title)
			}
		}
		return strings.Join(out, " ")
	}
	if got := titles(); got != builtIn.Title {
		t.Errorf("built-in: %q", got)
	}
	folder(t, engine.UserDir(), "mine.cue", over("user"))
	if got := titles(); got != "user user" {
		t.Errorf("user: %q", got)
	}
	if got := titles(first); got != "first first" {
		t.Errorf("a folder over the user's: %q", got)
	}
	if got := titles(first, second); got != "second first" {
		t.Errorf("a second folder: %q", got)
	}
	if got := titles(second, first); got != "first first" {
		t.Errorf("the other way round: %q", got)
	}
}

func TestBrokenSpecsOpenNothing(t *testing.T) {
	for name, c := range map[string]struct{ file, text, want string }{
		"user's": {"bad.cue", "cli: acme: {bin: \"true\", argv: [], sesion: {}}", "bad.cue:1:36: cli.acme.sesion: unknown field"},
		"YAML":   {"bad.yaml", "cli:\n  acme:\n    bin: true\n", "bad.yaml:3:10"},
		"syntax": {"bad.cue", "cli: {", "bad.cue:1:"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Setenv("HOME", t.TempDir())
			folder(t, engine.UserDir(), c.file, c.text)
			e, diags := engine.Open(engine.Options{})
			if e != nil || !diagnostic.Failed(diags) || !strings.Contains(fmt.Sprint(diags), c.want) {
				t.Errorf("engine %v, diagnostics %v", e, diags)
			}
			if _, err := os.Stat(filepath.Join(engine.StateDir(), "logs.db")); err == nil {
				t.Error("a record was made")
			}
		})
	}
	t.Setenv("HOME", t.TempDir())
	if e, diags := engine.Open(engine.Options{Specs: []string{"/no/such/folder"}}); e != nil || len(diags) != 1 || diags[0].Code != specfiles.CodeNoFolder {
		t.Errorf("a folder that is not there: %v, %v", e, diags)
	}
	folder(t, engine.UserDir(), "shared.cue", "")
	if err := os.Chmod(filepath.Join(engine.UserDir(), "shared.cue"), 0o666); err != nil {
		t.Fatal(err)
	}
	if e, diags := engine.Open(engine.Options{}); e != nil || len(diags) != 1 || diags[0].Code != "unsafe-file" {
		t.Errorf("a file that all may write: %v, %v", e, diags)
	}
}

func TestVet(t *testing.T) {
	t.Setenv("HOME", t.TempDir())
	folder(t, engine.UserDir(), "bad.cue", "cli: {")
	good := folder(t, t.TempDir(), "good.cue", `cli: acme: {bin: "true", argv: []}`)
	bad := folder(t, t.TempDir(), "bad.cue", `cli: acme: argv: 3`)
	if res := engine.Vet(t.Context(), []string{good}, nil, []string{"LLM_GATEWAY_OUTPUT_CAP=x"}); res.Catalog == nil || len(res.Diagnostics) > 0 {
		t.Errorf("neither the user's specs nor the environment count: %v", res.Diagnostics)
	}
	if res := engine.Vet(t.Context(), []string{filepath.Join(good, "good.cue")}, nil, nil); res.Catalog == nil || len(res.Diagnostics) > 0 {
		t.Errorf("one file: %v", res.Diagnostics)
	}
	for name, res := range map[string]load.Result{
		"what a gateway loads": engine.Vet(t.Context(), nil, nil, nil),
		"a bad file":           engine.Vet(t.Context(), []string{filepath.Join(bad, "bad.cue")}, []string{good}, nil),
		"a bad folder":         engine.Vet(t.Context(), []string{bad}, []string{good}, nil),
		"no such file":         engine.Vet(t.Context(), []string{filepath.Join(bad, "none.cue")}, nil, nil),
	} {
		if res.Catalog != nil || res.Spec != nil || !diagnostic.Failed(res.Diagnostics) {
			t.Errorf("%s: %v", name, res.Diagnostics)
		}
	}
}

func TestSettingsFromTheEnvironment(t *testing.T) {
	keys := filepath.Join(t.TempDir(), "keys.env")
	if err := os.WriteFile(keys, []byte("ACME_KEY=from the file\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	e, _ := opened(t, fake(t), "LLM_GATEWAY_IDLE_TIMEOUT_MS=4000", "LLM_GATEWAY_WALL_TIMEOUT_MS=5000", "LLM_GATEWAY_ENV_FILE="+keys, "LLM_GATEWAY_LOGS_DB=none")
	explained, err := e.Tools.Explain(t.Context(), "acme_request", steps(t))
	if err != nil || explained.Timeouts != (tools.Timeouts{IdleMs: 4000, WallMs: 5000, GraceMs: 50}) {
		t.Errorf("%+v, %v", explained.Timeouts, err)
	}
	r := e.Tools.Call(t.Context(), call.Request{Tool: "acme_request", Args: steps(t, "getenv=ACME_KEY")})
	if r.Response != "from the file" {
		t.Errorf("%q", r.Text)
	}
	if e, diags := engine.Open(engine.Options{Environ: []string{"LLM_GATEWAY_WALL_TIMEOUT_MS=soon"}}); e != nil || !strings.Contains(fmt.Sprint(diags), "env:LLM_GATEWAY_WALL_TIMEOUT_MS") {
		t.Errorf("%v", diags)
	}
}

func TestRecordIsMadeAtTheFirstCall(t *testing.T) {
	outer := store.NewID()
	e, home := opened(t, fake(t)+"\ncli: acme: {access: read: [], params: do: safe: true}", "LLM_GATEWAY_JOB_ID="+outer)
	state := filepath.Join(home, ".llm-cli-gateway")
	if e.RecordPath() != filepath.Join(state, "logs.db") {
		t.Errorf("path %s", e.RecordPath())
	}
	e.Tools.List()
	if _, err := e.Tools.Explain(t.Context(), "acme_request", steps(t)); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(state); !os.IsNotExist(err) {
		t.Errorf("there is a state before the first call: %v", err)
	}
	if r := e.Tools.Call(t.Context(), call.Request{Tool: "acme_request", Args: steps(t, "out=fine")}); r.IsError {
		t.Fatal(r.Text)
	}
	for path, want := range map[string]os.FileMode{state: 0o700, e.RecordPath(): 0o600, filepath.Join(state, "jobs"): 0o700} {
		if info, err := os.Stat(path); err != nil || info.Mode().Perm() != want {
			t.Errorf("%s: mode %v (%v), want %v", path, info.Mode().Perm(), err, want)
		}
	}
	s, err := e.Record()
	if err != nil {
		t.Fatal(err)
	}
	rows, err := s.Jobs(t.Context(), store.Filter{Principal: store.Local})
	if err != nil || len(rows) != 1 || rows[0].Outcome.Response != "fine" || rows[0].GatewayVersion != "test" || rows[0].ParentID != outer {
		t.Errorf("rows %+v, %v", rows, err)
	}
}

func TestPathOfTheRecord(t *testing.T) {
	here, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Chdir(here)
	for setting, want := range map[string]string{
		"none": "", "": "", "~/x/y.db": "HOME/x/y.db", "/abs/z.db": "/abs/z.db", "rel.db": filepath.Join(here, "rel.db"),
	} {
		e, home := opened(t, fake(t), "LLM_GATEWAY_LOGS_DB="+setting)
		if got := e.RecordPath(); got != strings.Replace(want, "HOME", home, 1) {
			t.Errorf("%q: %q", setting, got)
		}
		if want != "" {
			continue
		}
		if r := e.Tools.Call(t.Context(), call.Request{Tool: "acme_request", Args: steps(t, "out=fine")}); r.Response != "fine" {
			t.Errorf("%q", r.Text)
		}
		if s, err := e.Record(); err != nil || !s.Volatile() {
			t.Errorf("a record after all: %v, %v", s, err)
		}
	}
}

// TestRecordThatCannotBeOpened is tried again: its owner may have repaired it.
func TestRecordThatCannotBeOpened(t *testing.T) {
	file := filepath.Join(t.TempDir(), "logs.db")
	if err := os.WriteFile(file, []byte(strings.Repeat("no database ", 100)), 0o600); err != nil {
		t.Fatal(err)
	}
	e, _ := opened(t, fake(t), "LLM_GATEWAY_LOGS_DB="+file)
	call := call.Request{Tool: "acme_request", Args: steps(t, "out=fine")}
	if r := e.Tools.Call(t.Context(), call); !r.IsError || !strings.Contains(r.Text[0], file) || !strings.Contains(string(r.Structured), `"class":"record"`) {
		t.Errorf("%q", r.Text)
	}
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
	if r := e.Tools.Call(t.Context(), call); r.IsError {
		t.Errorf("%q", r.Text)
	}
}

// TestRecordThatIsOfAnEarlierGateway is put aside, and its calls are rows as the settings have them.
func TestRecordThatIsOfAnEarlierGateway(t *testing.T) {
	e, home := opened(t, fake(t)+"\ngateway: redact: answers: \"drop\"")
	folder(t, filepath.Dir(e.RecordPath()))
	db, err := sql.Open("sqlite", e.RecordPath())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.Exec(`CREATE TABLE _migrations(version INTEGER);
		CREATE TABLE requests(id TEXT PRIMARY KEY, cli TEXT, prompt TEXT, response TEXT, datetime_utc TEXT);
		CREATE TABLE gateway_metadata(request_id TEXT, status TEXT);
		INSERT INTO requests VALUES('c-1', 'acme', 'asked', 'answered', '2026-03-01T10:00:00Z');
		INSERT INTO gateway_metadata VALUES('c-1', 'completed')`); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if r := e.Tools.Call(t.Context(), call.Request{Tool: "acme_request", Args: steps(t, "out=fine")}); r.Response != "fine" {
			t.Fatalf("%q", r.Text)
		}
	}
	s, err := e.Record()
	if err != nil {
		t.Fatal(err)
	}
	rows, err := s.Jobs(t.Context(), store.Filter{Principal: store.Local, CorrelationID: "c-1"})
	if err != nil || len(rows) != 1 || rows[0].Prompt != "asked" || rows[0].Outcome.Response != "" || rows[0].ResponseBytes != 8 || rows[0].Outcome.Ending != store.EndOK {
		t.Errorf("rows %+v, %v", rows, err)
	}
	if _, err := os.Stat(filepath.Join(home, ".llm-cli-gateway", "logs.earlier.db")); err != nil {
		t.Error(err)
	}
}

// TestRecordThatIsDeleted goes on in a new file, and so does one that is replaced.
func TestRecordThatIsDeleted(t *testing.T) {
	e, home := opened(t, fake(t))
	call := call.Request{Tool: "acme_request", Args: steps(t, "out=fine")}
	for name, harm := range map[string]func() error{
		"deleted":        func() error { return os.Remove(e.RecordPath()) },
		"moved away":     func() error { return os.Rename(e.RecordPath(), filepath.Join(home, "old.db")) },
		"folder deleted": func() error { return os.RemoveAll(filepath.Dir(e.RecordPath())) },
	} {
		if r := e.Tools.Call(t.Context(), call); r.IsError {
			t.Fatalf("%s: %q", name, r.Text)
		}
		if err := harm(); err != nil {
			t.Fatal(err)
		}
		if r := e.Tools.Call(t.Context(), call); r.IsError || strings.Contains(string(r.Structured), "warnings") {
			t.Errorf("%s: %q", name, r.Text)
		}
		s, err := e.Record()
		if err != nil {
			t.Fatal(err)
		}
		if rows, err := s.Jobs(t.Context(), store.Filter{Principal: store.Local}); err != nil || len(rows) != 1 {
			t.Errorf("%s: %d rows, %v", name, len(rows), err)
		}
		if err := os.Remove(e.RecordPath()); err != nil {
			t.Fatal(err)
		}
	}
}

// TestFirstCallsAtOnce races for the opening of the record.
func TestFirstCallsAtOnce(t *testing.T) {
	e, _ := opened(t, fake(t))
	var wg sync.WaitGroup
	for i := range 32 {
		args, want := steps(t, fmt.Sprintf("out=answer %d", i)), fmt.Sprintf("answer %d", i)
		wg.Go(func() {
			if r := e.Tools.Call(t.Context(), call.Request{Tool: "acme_request", Args: args}); r.Response != want {
				t.Errorf("%q", r.Text)
			}
		})
	}
	wg.Wait()
	s, err := e.Record()
	if err != nil {
		t.Fatal(err)
	}
	if rows, err := s.Jobs(t.Context(), store.Filter{Principal: store.Local, State: store.Done}); err != nil || len(rows) != 32 {
		t.Errorf("%d rows, %v", len(rows), err)
	}
}

// wish is the cause of a context that ends because a user wished so.
type wish string

func (w wish) Error() string        { return string(w) }
func (w wish) CancelReason() string { return string(w) }

func TestCanceledCallEndsItsProgram(t *testing.T) {
	e, home := opened(t, fake(t))
	child := filepath.Join(home, "child")
	ctx, cancel := context.WithCancelCause(t.Context())
	done := make(chan tools.Result, 1)
	go func() {
		done <- e.Tools.Call(ctx, call.Request{Tool: "acme_request", Args: steps(t, "deaf", "pid="+child, "sleep")})
	}()
	until(t, "the child", func() bool { return pidIn(child) > 0 })
	cancel(wish("enough"))
	if r := <-done; !r.IsError || !strings.Contains(string(r.Structured), `"status":"canceled"`) {
		t.Errorf("%s", r.Structured)
	}
	if err := e.Close(); err != nil {
		t.Error(err)
	}
	if alive(pidIn(child)) {
		t.Error("the child is still there")
	}
	s, err := sqlite.Open(e.RecordPath())
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	rows, err := s.Jobs(t.Context(), store.Filter{Principal: store.Local})
	if err != nil || len(rows) != 1 || rows[0].Outcome.Ending != store.EndCanceled {
		t.Errorf("rows %+v, %v", rows, err)
	}
	if r := e.Tools.Call(t.Context(), call.Request{Tool: "acme_request", Args: steps(t, "out=late")}); !r.IsError || !strings.Contains(r.Text[0], "stopping") {
		t.Errorf("a call after the end: %q", r.Text)
	}
	if err := e.Close(); err != nil {
		t.Errorf("closed twice: %v", err)
	}
}

func TestServe(t *testing.T) {
	e, home := opened(t, fake(t))
	c := connect(t, e, "desk")
	c.send(`{"jsonrpc":"2.0","id":1,"method":"tools/list"}`)
	names := []string{}
	for _, tool := range c.recv().Result.Tools {
		names = append(names, tool.Name)
		if len(tool.InputSchema) == 0 || len(tool.OutputSchema) == 0 {
			t.Errorf("%s has no schemas", tool.Name)
		}
	}
	if len(names) != len(e.Tools.List()) || !slices.Contains(names, "acme_request") {
		t.Errorf("tools: %q", names)
	}

	c.call(2, steps(t, "out=fine"))
	if m := c.recv(); m.Method != "notifications/progress" || m.Params.ProgressToken != "p2" || m.Params.Message != "acme is working" {
		t.Errorf("progress: %+v", m)
	}
	m := c.recv()
	if m.Result.IsError || m.Result.Content[0].Text != "fine" || m.Result.StructuredContent["response"] != "fine" || m.Result.StructuredContent["status"] != "completed" {
		t.Errorf("result: %+v", m)
	}
	c.send(`{"jsonrpc":"2.0","id":3,"method":"tools/call","params":{"name":"acme_request","arguments":{"promt":"x"}}}`)
	if m := c.recv(); !m.Result.IsError || !strings.Contains(m.Result.Content[0].Text, `did you mean "prompt"?`) || m.Result.StructuredContent["response"] != "" {
		t.Errorf("refusal: %+v", m)
	}

	// A cancellation ends the whole tree, and the connection goes on.
	child, grandchild := filepath.Join(home, "child"), filepath.Join(home, "grandchild")
	c.call(4, steps(t, "deaf", "daemon="+grandchild, "pid="+child, "sleep"))
	if m := c.recv(); m.Method != "notifications/progress" {
		t.Errorf("progress: %+v", m)
	}
	until(t, "the tree", func() bool { return pidIn(child) > 0 && pidIn(grandchild) > 0 })
	c.send(`{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":4}}`)
	until(t, "the end of the tree", func() bool { return !alive(pidIn(child)) && !alive(pidIn(grandchild)) })
	s, err := e.Record()
	if err != nil {
		t.Fatal(err)
	}
	until(t, "the end of the row", func() bool {
		rows, err := s.Jobs(t.Context(), store.Filter{Principal: store.Local, State: store.Done, Limit: 1})
		return err == nil && len(rows) == 1 && rows[0].Outcome.Ending == store.EndCanceled && rows[0].Outcome.ErrorClass == lang.ClassCanceled
	})
	rows, err := s.Jobs(t.Context(), store.Filter{Principal: store.Local})
	if err != nil || len(rows) != 2 || rows[0].ClientName != "desk" || rows[0].ClientVersion != "7" {
		t.Errorf("rows %+v, %v", rows, err)
	}

	c.send(`{"jsonrpc":"2.0","id":5,"method":"ping"}`)
	if m := c.recv(); m.ID != 5.0 {
		t.Errorf("ping: %+v", m)
	}
	c.in.Close()
	if err := <-c.served; err != nil {
		t.Error(err)
	}
}

// TestTwoClients holds that the end of one client is no business of the other's.
func TestTwoClients(t *testing.T) {
	e, home := opened(t, fake(t))
	gate, child := filepath.Join(home, "gate"), filepath.Join(home, "child")
	if err := syscall.Mkfifo(gate, 0o600); err != nil {
		t.Fatal(err)
	}
	one, two := connect(t, e, "one"), connect(t, e, "two")
	two.call(1, steps(t, "await="+gate, "out=for two"))
	writer, err := os.OpenFile(gate, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	one.call(1, steps(t, "pid="+child, "out=for one"))
	for m := one.recv(); ; m = one.recv() {
		if m.Method == "" {
			if m.Result.StructuredContent["response"] != "for one" {
				t.Errorf("one: %+v", m)
			}
			break
		}
	}
	one.send(`{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1}}`) // its own 1, which is over
	one.in.Close()
	if err := <-one.served; err != nil {
		t.Error(err)
	}
	writer.Close()
	for m := two.recv(); ; m = two.recv() {
		if m.Method == "" {
			if m.Result.IsError || m.Result.StructuredContent["response"] != "for two" {
				t.Errorf("two: %+v", m)
			}
			break
		}
	}
}
