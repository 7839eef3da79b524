//go:build unix

package engine_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/llm-cli-gateway/gateway/engine"
	"github.com/llm-cli-gateway/gateway/engine/call"
	"github.com/llm-cli-gateway/gateway/engine/store"
)

// FuzzBuiltInOptimizers gives any text to the built-in optimizers. What they make of it
// is not changed by another go, and code and quotations come through whole.
func FuzzBuiltInOptimizers(f *testing.F) {
	catalog := builtIn(f).Catalog
	for _, o := range catalog.Optimizers {
		for _, ex := range o.Examples {
			f.Add(ex.In, "x")
		}
	}
	f.Add("Hi there, could you please explain", "please note that x\n\n\n\ny")
	f.Add("Sure! Here's the code:", "Sure! Here's the code: in order to")
	f.Fuzz(func(t *testing.T, text, passage string) {
		if len(text)+len(passage) > 1<<13 {
			return
		}
		for _, o := range catalog.Optimizers {
			out := o.Apply(text)
			if again := o.Apply(out); again != out {
				t.Errorf("%s: %q became %q, and that %q", o.Name, text, out, again)
			}
			if out != text && (utf8.RuneCountInString(out) >= utf8.RuneCountInString(text) || strings.TrimSpace(out) == "") {
				t.Errorf("%s: %q became %q", o.Name, text, out)
			}
			if strings.ContainsAny(passage, "`~\r") || strings.ContainsAny(text, "`~") {
				continue // they may end the block before, or begin one
			}
			for _, whole := range []string{"\n```\n" + passage + "\n```\n", "\"" + strings.ReplaceAll(passage, "\n", " ") + "\"", "`" + passage + "`"} {
				if out := o.Apply(text + whole + "."); !strings.Contains(out, whole) {
					t.Errorf("%s: %q became %q", o.Name, text+whole+".", out)
				}
			}
		}
	})
}

// savings is what a result says about a call that was to be optimized.
type savings struct {
	Status, JobID string
	Joined        bool
	Warnings      []string
	Optimization  map[string]struct {
		Before, After int
		Note          string
	}
	Response string `json:"-"`
	Text     string `json:"-"`
}

func optimized(t *testing.T, e *engine.Engine, tool string, args map[string]any) (s savings) {
	t.Helper()
	text, err := json.Marshal(args)
	if err != nil {
		t.Fatal(err)
	}
	r := e.Tools.Call(t.Context(), call.Request{Tool: tool, Args: text})
	if err := json.Unmarshal(r.Structured, &s); err != nil {
		t.Fatal(err)
	}
	s.Response, s.Text = r.Response, strings.Join(r.Text, "\n")
	return s
}

const (
	wanted = "Could you please say why it fails?"
	short  = "say why it fails?"
	answer = "Sure! Here's why:\n\n\n\nit fails due to the fact that it is late.\n\nI hope this helps!"
	tidy   = "Here's why:\n\nit fails because it is late."
)

func checkSavings(t *testing.T, s savings, response string) {
	t.Helper()
	if s.Status != "completed" || s.Response != response {
		t.Errorf("%+v", s)
	}
	p, a := s.Optimization["prompt"], s.Optimization["response"]
	if p.Before != len(wanted) || p.After != len(short) {
		t.Errorf("of the prompt: %+v", p)
	}
	if response == tidy && (a.Before != len(answer) || a.After != len(tidy)) {
		t.Errorf("of the answer: %+v", a)
	}
	want := fmt.Sprintf("promptSaved=%d/%d", len(wanted)-len(short), len(wanted))
	if !strings.Contains(s.Text, want) || response == tidy && !strings.Contains(s.Text, fmt.Sprintf("responseSaved=%d/%d", len(answer)-len(tidy), len(answer))) {
		t.Errorf("%s", s.Text)
	}
}

// TestOptimizedCalls: what is sent is short, what is shown is short, what was printed
// stays; later reads return the same.
func TestOptimizedCalls(t *testing.T) {
	e, home := opened(t, fake(t))
	args := map[string]any{"prompt": wanted, "do": []string{"out=" + answer}, "optimizePrompt": true, "optimizeResponse": true}
	first := optimized(t, e, "acme_request", args)
	checkSavings(t, first, tidy)

	joined := optimized(t, e, "acme_request", map[string]any{"prompt": short, "do": args["do"], "optimizeResponse": true})
	if !joined.Joined || joined.JobID != first.JobID || joined.Response != tidy || joined.Optimization["prompt"].Before != 0 {
		t.Errorf("%+v", joined)
	}
	whole := optimized(t, e, "acme_request", map[string]any{"prompt": wanted, "do": args["do"], "optimizePrompt": true})
	if whole.Joined {
		t.Error("a call that wants the whole answer got the short one")
	}
	checkSavings(t, whole, answer)

	args["forceRefresh"] = true
	started := optimized(t, e, "acme_request_async", args)
	specs := folder(t, t.TempDir(), "acme.cue", fake(t))
	for range 2 { // once by this gateway, once by another
		again := optimized(t, e, "llm_job_result", map[string]any{"jobId": started.JobID, "waitMs": 60000, "include": []string{"stdout"}})
		checkSavings(t, again, tidy)
		if !strings.Contains(again.Text, answer) {
			t.Errorf("what it printed is not there: %s", again.Text)
		}
		e.Close()
		if e, _ = engine.Open(engine.Options{Specs: []string{specs}, Environ: []string{"HOME=" + home}}); e == nil {
			t.Fatal("the specs are gone")
		}
		defer e.Close()
	}
	records, err := e.Record()
	if err != nil {
		t.Fatal(err)
	}
	row, err := records.Job(t.Context(), store.Local, started.JobID)
	if err != nil || row.Prompt != short || row.Outcome.Response != answer {
		t.Errorf("%q %q %v", row.Prompt, row.Outcome.Response, err)
	}
}
