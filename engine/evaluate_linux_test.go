package engine_test

import (
	"context"
	"encoding/json"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/llm-cli-gateway/gateway/engine"
	"github.com/llm-cli-gateway/gateway/engine/call"
	"github.com/llm-cli-gateway/gateway/engine/lang/diagnostic"
)

// endless is a file whose evaluation takes hours.
const endless = `import "list"

_n: list.Range(0, 1000, 1)
cli: {for a in _n for b in _n for c in _n for d in _n if a+b+c+d < 0 {"x\(a)\(b)\(c)\(d)": bin: "x"}}
`

// With the limits of patient an evaluation goes on until it is ended for another reason;
// with those of hasty, nearly none ends.
const (
	patient = "gateway: specs: {evalMs: 600000, evalMb: 16384}\n"
	hasty   = "gateway: specs: {evalMs: 1}\n"
)

// TestAReloadThatHangs is reported, holds up no call, and ends with the next edit.
func TestAReloadThatHangs(t *testing.T) {
	h := newSpecsHome(t, "a.cue", patient)
	h.save("acme.cue", h.says("acme", "good", "day"))
	h.Reload()
	c := connect(t, h.Engine, "desk")
	h.save("b.cue", endless)
	until(t, "the evaluation", func() bool { return h.Status().Evaluating != nil })
	v := h.Status().Evaluating
	if !strings.HasSuffix(v.File, "b.cue") || v.LimitMs != 600000 || v.LimitMb != 16384 || v.Since.IsZero() {
		t.Errorf("%+v", v)
	}
	r := h.Tools.Call(t.Context(), call.Request{Tool: "gateway_status", Args: json.RawMessage(`{}`)})
	if !strings.Contains(r.Text[0], "b.cue is being evaluated since ") || !strings.Contains(string(r.Structured), `"evaluating":{"file":`) {
		t.Errorf("%+v", r)
	}
	if r := h.call("acme_request"); r.Response != "good day" {
		t.Errorf("%+v", r)
	}
	h.save("b.cue", h.says("zeta", "good", "night"))
	if m := c.next(t); m.Method != "notifications/tools/list_changed" {
		t.Fatalf("%+v", m)
	}
	if r := h.call("zeta_request"); r.Response != "good night" {
		t.Errorf("%+v", r)
	}
	if s := h.Status(); s.Evaluating != nil || s.Failed != nil {
		t.Errorf("%+v", s)
	}
}

// TestAReloadOverALimit is told like any other broken edit.
func TestAReloadOverALimit(t *testing.T) {
	h := newSpecsHome(t, "a.cue", hasty)
	before := h.Status().Digest
	h.save("b.cue", endless)
	if h.Reload() {
		t.Fatal("it is in force")
	}
	s := h.Status()
	if s.Failed == nil || len(s.Failed.Problems) != 1 || s.Digest != before ||
		!strings.HasSuffix(s.Failed.Problems[0], "b.cue:4:7: evaluating this file takes longer than 1 ms (compute less, or raise gateway.specs.evalMs)") {
		t.Errorf("%+v", s.Failed)
	}
	h.save("a.cue", patient)
	h.save("b.cue", "_n: \"zeta\"\ncli: (_n): {bin: _n, argv: []}\n")
	if !h.Reload() || h.Status().Failed != nil {
		t.Error(h.Status())
	}
}

// TestServingEnds while a reload hangs.
func TestServingEnds(t *testing.T) {
	h := newSpecsHome(t, "a.cue", patient)
	c := connect(t, h.Engine, "desk")
	h.save("b.cue", endless)
	until(t, "the evaluation", func() bool { return h.Status().Evaluating != nil })
	c.in.Close()
	if err := <-c.served; err != nil {
		t.Error(err)
	}
	if h.Status().Evaluating != nil {
		t.Error("it goes on")
	}
}

// TestWhoeverEvaluates is bounded: each way to a user's file.
func TestWhoeverEvaluates(t *testing.T) {
	t.Setenv("HOME", t.TempDir())
	dir := t.TempDir()
	for name, text := range map[string]string{"a.cue": hasty, "b.cue": endless} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	_, opened := engine.Open(engine.Options{Specs: []string{dir}})
	_, formatted := engine.Format(t.Context(), []string{dir}, false)
	for way, diags := range map[string][]diagnostic.Diagnostic{
		"load": engine.Load(t.Context(), []string{dir}, nil, false).Diagnostics, "vet": engine.Vet(t.Context(), []string{dir}, nil, nil).Diagnostics,
		"open": opened, "fmt": formatted,
	} {
		if len(diags) != 1 || diags[0].Code != "evaluation-time" {
			t.Errorf("%s: %v", way, diags)
		}
	}
	told := ""
	for _, f := range engine.Doctor(t.Context(), engine.Options{Specs: []string{dir}}, "/gateway", "") {
		told += f.Text
	}
	if !strings.Contains(told, "evaluating this file takes longer than 1 ms") {
		t.Error(told)
	}
	canceled, cancel := context.WithCancel(t.Context())
	cancel()
	if diags := engine.Vet(canceled, []string{dir}, nil, nil).Diagnostics; len(diags) != 1 || diags[0].Code != "interrupted" {
		t.Error(diags)
	}
}

// TestALongEvaluationIsLogged while it goes on.
func TestALongEvaluationIsLogged(t *testing.T) {
	t.Setenv("HOME", t.TempDir())
	dir := t.TempDir()
	for name, text := range map[string]string{"a.cue": patient, "b.cue": endless} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	log := &lineWriter{line: func(string) { cancel() }}
	if e, diags := engine.OpenContext(ctx, engine.Options{Specs: []string{dir}, Log: slog.New(slog.NewTextHandler(log, nil))}); e != nil || len(diags) != 1 || diags[0].Code != "interrupted" {
		t.Error(diags)
	}
	if !strings.Contains(log.text, "the evaluation of a spec file takes long") || !strings.Contains(log.text, "b.cue") {
		t.Error(log.text)
	}
}

// lineWriter keeps what is logged and says when something was.
type lineWriter struct {
	mu   sync.Mutex
	text string
	line func(string)
}

func (w *lineWriter) Write(p []byte) (int, error) {
	w.mu.Lock()
	w.text += string(p)
	w.mu.Unlock()
	w.line(string(p))
	return len(p), nil
}
