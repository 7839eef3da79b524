//go:build unix

package job

import (
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/llm-cli-gateway/gateway/engine/call"
	"github.com/llm-cli-gateway/gateway/engine/lang"
	"github.com/llm-cli-gateway/gateway/engine/store"
)

func TestOutputCap(t *testing.T) {
	b := newFixture(t, "}\ngateway: outputCap: 4096\nclient: c: {title: \"c\", add: \"c\"")
	out := b.runner.Run(t.Context(), b.request("out=first ", "fill=300000", "out= last"))
	if class(out) != lang.ClassOutputCap {
		t.Fatalf("failure: %+v", out.Answer.Failure)
	}
	text := out.Answer.Text
	if !strings.HasPrefix(text, "first aaa") || !strings.HasSuffix(text, "aaa last") || len(text) > 5000 {
		t.Errorf("%d bytes: %.20q...", len(text), text)
	}
	row := b.row(out)
	if !row.Outcome.Truncated || row.Outcome.OutBytes != 300011 || row.Outcome.ErrorClass != lang.ClassOutputCap {
		t.Errorf("row: %+v", row.Outcome.Ending)
	}
}

func TestLongAnswer(t *testing.T) {
	b := newFixture(t, jsonl)
	const size = 40 << 20
	out := b.runner.Run(t.Context(), b.request(fmt.Sprintf("answer=%d", size)))
	if class(out) != "" || len(out.Answer.Text) != size {
		t.Fatalf("%d bytes, failure %+v", len(out.Answer.Text), out.Answer.Failure)
	}
	row := b.row(out)
	if row.ResponseBytes != size || len(row.Outcome.Response) != store.MaxResponse {
		t.Errorf("row keeps %d of %d bytes", len(row.Outcome.Response), row.ResponseBytes)
	}
}

func TestPromptReachesTheProgram(t *testing.T) {
	prompt := strings.Repeat("日本語 \"$(x)\"\n", 9000)
	want := fmt.Sprintf("%d %x", len(prompt), sha256.Sum256([]byte(prompt)))
	b := newFixture(t, "")
	out := b.runner.Run(t.Context(), call.Request{Principal: store.Local, Catalog: b.catalog, Bound: b.bind(prompt, map[string]any{"do": []string{"sha"}}), Dir: b.dir})
	if out.Answer.Text != want {
		t.Errorf("got %q, want %q", out.Answer.Text, want)
	}
}

func TestPromptFileIsPrivateAndShortLived(t *testing.T) {
	b := newFixture(t, "")
	b.catalog = compile(t, fmt.Sprintf(`cli: acme: {bin: %q, argv: ["{prompt}"], prompt: {via: "file", flag: "--mode"}, env: set: ACME_FAKE: "1"}`, mustSelf(t)))
	out := b.runner.Run(t.Context(), call.Request{Principal: store.Local, Catalog: b.catalog, Bound: b.bind("s3cret words", nil), Dir: b.dir})
	if !strings.HasPrefix(out.Answer.Text, "prompt") || !strings.HasSuffix(out.Answer.Text, ".txt 0600 s3cret words") {
		t.Errorf("%q, %+v", out.Answer.Text, out.Answer.Failure)
	}
	if left := b.spooled(); len(left) > 0 {
		t.Errorf("left in the spool: %q", left)
	}
}

func mustSelf(t *testing.T) string {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return self
}

// noSpool puts a file where the spool's parent should be.
func (b *fixture) noSpool() {
	b.t.Helper()
	file := filepath.Join(b.home, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		b.t.Fatal(err)
	}
	b.runner.Spool = filepath.Join(file, "run")
}

func TestSpoolFallsBackToTheTemporaryFolder(t *testing.T) {
	temp := t.TempDir()
	t.Setenv("TMPDIR", temp)
	b := newFixture(t, "")
	b.noSpool()
	b.runner.Volatile = true
	if out := b.runner.Run(t.Context(), b.request("out=fine")); out.Answer.Text != "fine" {
		t.Errorf("outcome: %+v", out.Answer.Failure)
	}
	b.runner.Close()
	if left, _ := filepath.Glob(filepath.Join(temp, "*", "*")); len(left) > 0 {
		t.Errorf("left: %q", left)
	}
}
