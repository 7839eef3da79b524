package evaluate

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/txtar"

	"github.com/llm-cli-gateway/gateway/engine/lang/diagnostic"
	"github.com/llm-cli-gateway/gateway/engine/lang/load"
	"github.com/llm-cli-gateway/gateway/engine/lang/specfiles"
)

// Files whose evaluation has no bounds of its own.
var bombs = map[string]string{
	"doubling": doubling(40),
	"nested comprehensions": `
import "list"
_n: list.Range(0, 100, 1)
cli: {for a in _n for b in _n for c in _n for d in _n for e in _n {"x\(a)-\(b)-\(c)-\(d)-\(e)": bin: "x"}}
`,
	"a long range": `
import "list"
_n: [for x in list.Range(0, 1e7, 1) {x}]
cli: x: bin: "\(len(_n))"
`,
	"a long string": `
import "strings"
_a: strings.Repeat("0123456789", 100000)
_b: _a + _a + _a + _a + _a + _a + _a + _a + _a + _a
_c: _b + _b + _b + _b + _b + _b + _b + _b + _b + _b
cli: x: bin: _c
`,
}

// doubling is a file in which each of so many lines says the line before twice.
func doubling(lines int) string {
	var b strings.Builder
	b.WriteString("_x0: {a: 1, b: 2}\n")
	for i := range lines {
		fmt.Fprintf(&b, "_x%d: {l: _x%d, r: _x%d}\n", i+1, i, i)
	}
	fmt.Fprintf(&b, "cli: x: _x%d\n", lines)
	return b.String()
}

func file(text string) specfiles.File { return specfiles.File{Name: "x.cue", Data: []byte(text)} }

const fine = `_n: "acme"
cli: (_n): {bin: _n, argv: []}
`

func newProcess(t *testing.T, ctx context.Context) *Process {
	t.Helper()
	p := New(ctx, nil)
	t.Cleanup(p.Close)
	return p
}

// TestBombs: each exceeds what memory it may have, or its time; the next file is evaluated.
func TestBombs(t *testing.T) {
	for name, text := range bombs {
		t.Run(name, func(t *testing.T) {
			p := newProcess(t, t.Context())
			for _, c := range []struct {
				limits load.Limits
				want   error
			}{
				{load.Limits{Time: time.Hour, Memory: 64}, load.ErrMemory},
				{load.Limits{Time: time.Millisecond, Memory: 4096}, load.ErrTime},
			} {
				if _, err := p.Evaluate(file(text), c.limits); !errors.Is(err, c.want) {
					t.Errorf("%v, want %v", err, c.want)
				}
			}
			answer, err := p.Evaluate(file(fine), load.DefaultLimits)
			if err != nil || !bytes.Equal(answer, load.EvaluateFile(file(fine))) {
				t.Errorf("the next file: %v", err)
			}
		})
	}
}

// TestAnswersAreTheSame as those of an evaluation in this process, of every file that the
// language has as an example of something good or bad.
func TestAnswersAreTheSame(t *testing.T) {
	archives, err := filepath.Glob(filepath.Join("..", "load", "testdata", "*", "*.txtar"))
	if err != nil || len(archives) == 0 {
		t.Fatal(archives, err)
	}
	p := newProcess(t, t.Context())
	for _, name := range archives {
		a, err := txtar.ParseFile(name)
		if err != nil {
			t.Fatal(err)
		}
		layers := []load.Layer{}
		for _, f := range a.Files {
			if specfiles.IsSpec(filepath.Base(f.Name)) {
				layers = append(layers, load.Layer{Files: []specfiles.File{{Name: f.Name, Data: f.Data}}})
			}
		}
		here := load.Load(layers, load.Options{Vet: true})
		there := load.Load(layers, load.Options{Vet: true, Evaluator: p.Evaluate})
		if fmt.Sprint(here.Diagnostics) != fmt.Sprint(there.Diagnostics) {
			t.Errorf("%s: %v\nhere %v", name, there.Diagnostics, here.Diagnostics)
		}
		if (here.Catalog == nil) != (there.Catalog == nil) || here.Catalog != nil && here.Catalog.Digest() != there.Catalog.Digest() {
			t.Errorf("%s: another catalog", name)
		}
	}
}

// TestANeighbourIsChecked: what is wrong in one file is told beside what another exceeds.
func TestANeighbourIsChecked(t *testing.T) {
	limits := specfiles.File{Name: "a.yaml", Data: []byte("gateway: {specs: {evalMs: 600000, evalMb: 64}}\n")}
	bomb := specfiles.File{Name: "b.cue", Data: []byte(bombs["nested comprehensions"])}
	good := specfiles.File{Name: "c.cue", Data: []byte("_n: \"acme\"\ncli: (_n): {bin: _n, argv: [], sesion: {}}\n")}
	p := newProcess(t, t.Context())
	var got []string
	for _, d := range load.Load([]load.Layer{{Files: []specfiles.File{limits, bomb, good}}}, load.Options{Evaluator: p.Evaluate}).Diagnostics {
		got = append(got, d.String())
	}
	want := []string{
		"b.cue:4:7: evaluating this file needs more than 64 MB of memory (compute less, or raise gateway.specs.evalMb)",
		`c.cue:2:32: cli.acme.sesion: unknown field "sesion" (did you mean "session"?)`,
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("%q", got)
	}
}

// TestRefused: what is no bomb but has no end, or says too much, is refused in words.
func TestRefused(t *testing.T) {
	p := newProcess(t, t.Context())
	for text, want := range map[string]string{
		"_a: {b: _a}\ncli: x: _a\n":                                    "x.cue:1:6: _a.b: structural cycle",
		"#F: {n: int, x: #F & {\"n\": n - 1}}\ncli: x: #F & {n: 60}\n": "structural cycle",
		bombs["a long string"]:                                         "x.cue:3:5: evaluated, the file has more than 4194304 bytes",
		"_n: 50\ngateway: specs: evalMs: 2 * _n\n":                     "x.cue:2:25: gateway.specs.evalMs: must be a plain value: it bounds the evaluation of what is computed",
	} {
		diags := load.Load([]load.Layer{{Files: []specfiles.File{file(text)}}}, load.Options{Evaluator: p.Evaluate}).Diagnostics
		if !diagnostic.Failed(diags) || !strings.Contains(fmt.Sprint(diags), want) {
			t.Errorf("%.60q: %v", text, diags)
		}
	}
}

// TestCanceled: an evaluation that would not end does when its context ends, before it has
// begun and after.
func TestCanceled(t *testing.T) {
	for _, before := range []bool{true, false} {
		ctx, cancel := context.WithCancel(t.Context())
		began := func(string, load.Limits) func() { cancel(); return func() {} }
		p := New(ctx, began)
		if before {
			cancel()
		}
		if _, err := p.Evaluate(file(bombs["nested comprehensions"]), load.Limits{Time: time.Hour, Memory: 4096}); !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
		p.Close()
		cancel()
	}
}

// TestKilled: a process that somebody else kills in the middle gives no answer, and the
// next file gets another process.
func TestKilled(t *testing.T) {
	c, err := start(t.Context(), 1024)
	if err != nil {
		t.Fatal(err)
	}
	p := newProcess(t, t.Context())
	p.child = c
	if err := c.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	if _, err := p.Evaluate(file(fine), load.DefaultLimits); err == nil || errors.Is(err, load.ErrTime) || errors.Is(err, load.ErrMemory) {
		t.Error(err)
	}
	if _, err := p.Evaluate(file(fine), load.DefaultLimits); err != nil {
		t.Error(err)
	}
}

// TestItEndsWithItsAsker: when standard input ends, also in the middle of an evaluation.
func TestItEndsWithItsAsker(t *testing.T) {
	c, err := start(t.Context(), 4096)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(writeFrame(c.in, []byte("x.cue")), writeFrame(c.in, []byte(bombs["nested comprehensions"]))); err != nil {
		t.Fatal(err)
	}
	if err := c.in.Close(); err != nil {
		t.Fatal(err)
	}
	if n, err := io.Copy(io.Discard, c.out); n > 0 || err != nil {
		t.Error(n, err)
	}
	if err := c.cmd.Wait(); err != nil {
		t.Error(err)
	}
}
