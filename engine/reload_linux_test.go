package engine_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/llm-cli-gateway/gateway/engine"
	"github.com/llm-cli-gateway/gateway/engine/call"
	"github.com/llm-cli-gateway/gateway/engine/lang"
	"github.com/llm-cli-gateway/gateway/engine/tools"
)

// specsHome is a gateway over a folder of specs that the test edits.
type specsHome struct {
	*engine.Engine
	t   *testing.T
	dir string
}

func newSpecsHome(t *testing.T, files ...string) *specsHome {
	t.Helper()
	t.Setenv("HOME", t.TempDir())
	h := &specsHome{t: t, dir: t.TempDir()}
	for i := 0; i < len(files); i += 2 {
		h.save(files[i], files[i+1])
	}
	var found any
	h.Engine, found = h.open()
	if h.Engine == nil {
		t.Fatal(found)
	}
	t.Cleanup(func() {
		if err := h.Close(); err != nil {
			t.Error(err)
		}
	})
	return h
}

func (h *specsHome) open() (*engine.Engine, any) {
	return engine.Open(engine.Options{Specs: []string{h.dir}, Environ: append(os.Environ(), "LLM_GATEWAY_DEDUP_WINDOW_MS=0"), Version: "test"})
}

// save replaces a file as most editors do, or takes it away.
func (h *specsHome) save(name, text string) {
	h.t.Helper()
	file, next := filepath.Join(h.dir, name), filepath.Join(h.dir, "."+name+".tmp")
	if text == "" {
		if err := os.Remove(file); err != nil {
			h.t.Fatal(err)
		}
		return
	}
	if err := os.WriteFile(next, []byte(text), 0o600); err != nil {
		h.t.Fatal(err)
	}
	if err := os.Rename(next, file); err != nil {
		h.t.Fatal(err)
	}
}

// says is a CLI that answers with two words.
func (h *specsHome) says(name, first, second string) string {
	self, err := os.Executable()
	if err != nil {
		h.t.Fatal(err)
	}
	return fmt.Sprintf(`cli: %s: {bin: %q, argv: ["out=%s ", "out=%s"], env: set: ACME_FAKE: "1", concurrency: 0}`, name, self, first, second)
}

func (h *specsHome) call(tool string) tools.Result {
	return h.Tools.Call(h.t.Context(), call.Request{Tool: tool, Args: json.RawMessage(`{"prompt":"x"}`)})
}

// next is the next message that is no notification of progress.
func (c *client) next(t *testing.T) message {
	t.Helper()
	for {
		if m := c.recv(); m.Method != "notifications/progress" {
			return m
		}
	}
}

// TestASavedSpecIsLive: a CLI that is added is listed, once, and can be called; so is one
// that is taken away, which says so; what changes no listing is no news.
func TestASavedSpecIsLive(t *testing.T) {
	h := newSpecsHome(t)
	h.save("acme.cue", h.says("acme", "good", "day"))
	h.Reload()
	c := connect(t, h.Engine, "desk")
	list := func() (names string) {
		c.send(`{"jsonrpc":"2.0","id":1,"method":"tools/list"}`)
		for _, tool := range c.next(t).Result.Tools {
			names += " " + tool.Name
		}
		return names + " "
	}
	call := func(tool string) (string, bool) {
		c.send(`{"jsonrpc":"2.0","id":2,"method":"tools/call","params":{"name":%q,"arguments":{"prompt":"x"}}}`, tool)
		m := c.next(t)
		if m.Method != "" {
			t.Fatalf("%s, where an answer was due", m.Method)
		}
		return m.Result.Content[0].Text, m.Result.IsError
	}
	if text, _ := call("acme_request"); text != "good day" {
		t.Fatal(text)
	}
	h.save("zeta.cue", h.says("zeta", "good", "night"))
	if m := c.next(t); m.Method != "notifications/tools/list_changed" {
		t.Fatalf("%+v", m)
	}
	if names := list(); !strings.Contains(names, " zeta_request ") || !strings.Contains(names, " zeta_request_async ") {
		t.Error(names)
	}
	if text, _ := call("zeta_request"); text != "good night" {
		t.Error(text)
	}
	// Another command line needs no other listing.
	h.save("acme.cue", h.says("acme", "better", "day"))
	until(t, "the new command line", func() bool { text, _ := call("acme_request"); return text == "better day" })
	h.save("zeta.cue", "")
	if m := c.next(t); m.Method != "notifications/tools/list_changed" {
		t.Fatalf("%+v", m)
	}
	if names := list(); strings.Contains(names, "zeta") {
		t.Error(names)
	}
	if text, failed := call("zeta_request"); !failed || !strings.Contains(text, `There is no tool "zeta_request": it was removed since the tools were listed`) {
		t.Error(text)
	}
}

// TestTheUsersFolderComesLater, while a gateway runs.
func TestTheUsersFolderComesLater(t *testing.T) {
	h := newSpecsHome(t)
	c := connect(t, h.Engine, "desk")
	if err := os.MkdirAll(engine.UserDir(), 0o700); err != nil {
		t.Fatal(err)
	}
	h.dir = engine.UserDir()
	h.save("acme.cue", h.says("acme", "good", "day"))
	if m := c.next(t); m.Method != "notifications/tools/list_changed" {
		t.Fatalf("%+v", m)
	}
	if r := h.call("acme_request"); r.Response != "good day" {
		t.Errorf("%+v", r)
	}
}

// TestABrokenEditChangesNothing but what the status says.
func TestABrokenEditChangesNothing(t *testing.T) {
	h := newSpecsHome(t, "a.cue", `cli: zeta: {bin: "zeta", argv: []}`)
	h.save("acme.cue", h.says("acme", "good", "day"))
	if !h.Reload() || h.Reload() {
		t.Fatal("one change, one reload")
	}
	good := h.Status()
	h.save("acme.cue", strings.Replace(h.says("acme", "bad", "day"), "argv", "agrv", 1))
	if h.Reload() {
		t.Fatal("a broken edit is in force")
	}
	if r := h.call("acme_request"); r.Response != "good day" {
		t.Errorf("%+v", r)
	}
	s := h.Status()
	if s.Digest != good.Digest || s.Reloads != good.Reloads || !s.Since.Equal(good.Since) || s.Failed == nil || len(s.Failed.Problems) != 1 ||
		!strings.Contains(s.Failed.Problems[0], `acme.cue:1:`) || !strings.Contains(s.Failed.Problems[0], `did you mean "argv"?`) {
		t.Errorf("%+v %+v", s, s.Failed)
	}
	r := h.call("gateway_status")
	if !r.IsError {
		t.Error("gateway_status takes no prompt")
	}
	r = h.Tools.Call(t.Context(), call.Request{Tool: "gateway_status", Args: json.RawMessage(`{}`)})
	if r.IsError || !strings.Contains(r.Text[0], s.Failed.Problems[0]) || !strings.Contains(r.Text[0], good.Digest) || !json.Valid(r.Structured) {
		t.Errorf("%+v", r)
	}
	if text, err := h.Tools.Read(t.Context(), "gateway://status"); err != nil || string(text) != string(r.Structured) {
		t.Errorf("%s %v", text, err)
	}
	h.save("acme.cue", h.says("acme", "good", "day")+"\n")
	if h.Reload() {
		t.Error("what says the same as before is a change")
	}
	if s := h.Status(); s.Failed != nil || s.Digest != good.Digest {
		t.Errorf("%+v", s)
	}
}

// TestWhatWidensWaits for a person, where the settings in force say so: those of the edit
// itself do not count.
func TestWhatWidensWaits(t *testing.T) {
	h := newSpecsHome(t, "a.cue", `gateway: reload: "hold"`)
	h.save("acme.cue", h.says("acme", "good", "day"))
	h.save("a.cue", `gateway: reload: "all"`)
	for range 2 {
		if h.Reload() {
			t.Fatal("it did not wait")
		}
		held := h.Status().Held
		if held == nil || !strings.Contains(strings.Join(held.Changes, "\n"), "cli.acme: callers can run another program") || !strings.Contains(strings.Join(held.Changes, "\n"), "gateway.reload: ") {
			t.Fatalf("%+v", held)
		}
	}
	if r := h.call("acme_request"); !r.IsError {
		t.Error("it can be called")
	}
	h.Accept()
	if !h.Reload() || h.Status().Held != nil {
		t.Fatal("it was accepted")
	}
	if r := h.call("acme_request"); r.Response != "good day" {
		t.Errorf("%+v", r)
	}
}

// TestWhatDoesNotWidenDoesNotWait.
func TestWhatDoesNotWidenDoesNotWait(t *testing.T) {
	h := newSpecsHome(t, "a.cue", `gateway: reload: "hold"`)
	h.save("b.cue", `gateway: jobs: syncMs: 1000`)
	if !h.Reload() || h.Catalog().Settings.Jobs.SyncMs != 1000 {
		t.Error(h.Status())
	}
}

// TestReloadsCanBeOff, until a person asks for one.
func TestReloadsCanBeOff(t *testing.T) {
	h := newSpecsHome(t, "a.cue", `gateway: reload: "off"`)
	h.save("b.cue", `gateway: jobs: syncMs: 1000`)
	if h.Reload() {
		t.Fatal("reloaded")
	}
	h.Accept()
	if !h.Reload() || h.Catalog().Settings.Jobs.SyncMs != 1000 {
		t.Error(h.Status())
	}
}

// TestWhatWaitsForTheNextStart is said.
func TestWhatWaitsForTheNextStart(t *testing.T) {
	h := newSpecsHome(t)
	h.save("a.cue", `gateway: {logsDb: "none", path: ["/nowhere"]}`)
	if !h.Reload() || len(h.Status().Restart) != 1 || h.Status().Restart[0] != "gateway.logsDb" {
		t.Errorf("%+v", h.Status())
	}
	h.save("a.cue", `gateway: path: ["/nowhere"]`)
	if !h.Reload() || len(h.Status().Restart) != 0 {
		t.Errorf("%+v", h.Status())
	}
}

// TestCallsKeepWhatTheyBeganWith: callers at once while the specs change under them. Each
// answer is of one state of the specs, none is lost, and nothing is left behind.
func TestCallsKeepWhatTheyBeganWith(t *testing.T) {
	const callers = 32
	reloads := 60
	if os.Getenv("GATEWAY_STRESS") != "" {
		reloads = 1000
	}
	h := newSpecsHome(t)
	h.save("acme.cue", h.says("acme", "0", "0"))
	h.Reload()
	h.call("acme_request")
	runtime.GC()
	before := runtime.NumGoroutine()
	var group sync.WaitGroup
	var stop atomic.Bool
	answered := make(chan struct{}, 1)
	for range callers {
		group.Go(func() {
			for last := 0; !stop.Load(); {
				r := h.call("acme_request")
				var first, second int
				if _, err := fmt.Sscanf(r.Response, "%d %d", &first, &second); err != nil || r.IsError || first != second || first < last {
					t.Errorf("after %d: %+v", last, r)
					return
				}
				last = first
				select {
				case answered <- struct{}{}:
				default:
				}
			}
		})
	}
	for i := range reloads {
		if !t.Failed() {
			<-answered // so that each state has calls
		}
		h.save("acme.cue", h.says("acme", fmt.Sprint(i+1), fmt.Sprint(i+1)))
		if !h.Reload() {
			t.Fatal(h.Status())
		}
	}
	stop.Store(true)
	group.Wait()
	if s := h.Status(); s.Reloads != reloads+1 {
		t.Errorf("%d reloads, want %d", s.Reloads, reloads+1)
	}
	// Supervisors that were warmed for so many callers may stay.
	until(t, "the end of all that was begun", func() bool { return runtime.NumGoroutine() <= before+callers })
}

// TestJobsOutliveTheirSpec: one that has ended, and one that runs when its CLI is taken away.
func TestJobsOutliveTheirSpec(t *testing.T) {
	h := newSpecsHome(t)
	h.save("acme.cue", fake(t))
	h.Reload()
	gate := filepath.Join(t.TempDir(), "gate")
	if err := syscall.Mkfifo(gate, 0o600); err != nil {
		t.Fatal(err)
	}
	var ids []string
	for _, do := range [][]string{{"out=done"}, {"await=" + gate, "out=done later"}} {
		r := h.Tools.Call(t.Context(), call.Request{Tool: "acme_request_async", Args: steps(t, do...)})
		var told struct{ JobID string }
		if err := json.Unmarshal(r.Structured, &told); err != nil || told.JobID == "" {
			t.Fatalf("%+v", r)
		}
		ids = append(ids, told.JobID)
	}
	result := func(id string) string {
		r := h.Tools.Call(t.Context(), call.Request{Tool: "llm_job_result", Args: json.RawMessage(fmt.Sprintf(`{"jobId":%q,"waitMs":20000}`, id))})
		return r.Response
	}
	if got := result(ids[0]); got != "done" {
		t.Error(got)
	}
	h.save("acme.cue", "")
	if !h.Reload() {
		t.Fatal(h.Status())
	}
	open, err := os.OpenFile(gate, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	open.Close()
	for i, want := range []string{"done", "done later"} {
		if got := result(ids[i]); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

// manners are ways to save a file, of which events come in different kinds and orders.
var manners = map[string]func(h *specsHome, file, text string){
	"in place": func(h *specsHome, file, text string) { h.write(file, text) },
	"by renaming": func(h *specsHome, file, text string) {
		h.write(file+".tmp~", text)
		h.rename(file+".tmp~", file)
	},
	"with a backup": func(h *specsHome, file, text string) {
		h.rename(file, file+"~")
		h.write(file, text)
	},
	"in pieces": func(h *specsHome, file, text string) {
		h.write(file, "")
		h.write(file, text[:len(text)/2])
		h.write(file, text)
	},
	"by a link": func(h *specsHome, file, text string) {
		target := filepath.Join(filepath.Dir(h.dir), "target")
		h.write(target, text)
		if err := os.Symlink(target, file+".l~"); err != nil {
			h.t.Fatal(err)
		}
		h.rename(file+".l~", file)
	},
	"with the whole folder": func(h *specsHome, file, text string) {
		h.rename(h.dir, h.dir+".old")
		if err := os.Mkdir(h.dir, 0o700); err != nil {
			h.t.Fatal(err)
		}
		h.write(file, text)
		if err := os.RemoveAll(h.dir + ".old"); err != nil {
			h.t.Fatal(err)
		}
	},
}

func (h *specsHome) write(file, text string) {
	h.t.Helper()
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		h.t.Fatal(err)
	}
}

func (h *specsHome) rename(from, to string) {
	h.t.Helper()
	if err := os.Rename(from, to); err != nil {
		h.t.Fatal(err)
	}
}

// TestEditsOfEveryMannerUnderLoad: each edit of a file that is watched comes to be in force,
// and whatever is there meanwhile, no call is answered by half of one.
func TestEditsOfEveryMannerUnderLoad(t *testing.T) {
	h := newSpecsHome(t)
	file := filepath.Join(h.dir, "acme.cue")
	h.write(file, h.says("acme", "0", "0"))
	h.Reload()
	drained := make(chan struct{})
	t.Cleanup(func() { <-drained })
	c := connect(t, h.Engine, "desk") // it watches once somebody is served
	go func() {
		defer close(drained)
		for c.lines.Scan() { // what it notifies
		}
	}()

	var group sync.WaitGroup
	var stop atomic.Bool
	var newest atomic.Int64
	t.Cleanup(func() { stop.Store(true); group.Wait() })
	for range 32 {
		group.Go(func() {
			for !stop.Load() {
				r := h.call("acme_request")
				var first, second int64
				if r.IsError || t.Context().Err() != nil { // the file was away for longer than is waited for it
					continue
				}
				if _, err := fmt.Sscanf(r.Response, "%d %d", &first, &second); err != nil || first != second {
					t.Errorf("%+v", r)
					return
				}
				for seen := newest.Load(); first > seen && !newest.CompareAndSwap(seen, first); seen = newest.Load() {
				}
			}
		})
	}
	n := int64(0)
	for name, save := range manners {
		n++
		save(h, file, h.says("acme", fmt.Sprint(n), fmt.Sprint(n)))
		until(t, "what was saved "+name, func() bool { return newest.Load() == n || t.Failed() })
	}
	stop.Store(true)
	group.Wait()
}

// TestSettingsAreReloadedToo: a folder where programs are looked for, and what the log says.
func TestSettingsAreReloadedToo(t *testing.T) {
	t.Setenv("HOME", t.TempDir())
	h := &specsHome{t: t, dir: t.TempDir()}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	programs := t.TempDir()
	if err := os.Symlink(self, filepath.Join(programs, "acme-program")); err != nil {
		t.Fatal(err)
	}
	h.save("acme.cue", strings.Replace(h.says("acme", "good", "day"), fmt.Sprintf("%q", self), `"acme-program"`, 1))
	said := []bool{}
	e, diags := engine.Open(engine.Options{Specs: []string{h.dir}, Environ: os.Environ(), Version: "test", Applied: func(s lang.Settings) { said = append(said, s.Debug) }})
	if e == nil {
		t.Fatal(diags)
	}
	t.Cleanup(func() { e.Close() })
	h.Engine = e
	if r := h.call("acme_request"); !r.IsError || !strings.Contains(r.Text[0], "acme-program") {
		t.Fatalf("%+v", r)
	}
	h.save("a.cue", fmt.Sprintf(`gateway: {path: [%q], debug: true}`, programs))
	if !h.Reload() {
		t.Fatal(h.Status())
	}
	if r := h.call("acme_request"); r.Response != "good day" {
		t.Errorf("%+v", r)
	}
	if len(said) != 1 || !said[0] {
		t.Errorf("debug: %v", said)
	}
}
