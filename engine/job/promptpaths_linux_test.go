package job

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/llm-cli-gateway/gateway/engine/call"
	"github.com/llm-cli-gateway/gateway/engine/lang"
	"github.com/llm-cli-gateway/gateway/engine/store"
)

func TestPromptPathIsRefusedBeforeAnythingHappens(t *testing.T) {
	b := newFixture(t, `prompt: expands: ["@path"]`)
	touched := filepath.Join(b.dir, "touched")
	bound := b.bind("read @/etc/hosts", map[string]any{"do": []string{"pid=" + touched}})
	out := b.runner.Run(t.Context(), call.Request{Principal: store.Local, Catalog: b.catalog, Bound: bound, Dir: b.dir})
	if class(out) != lang.ClassUsage || !strings.Contains(out.Answer.Failure.Message, "@/etc/hosts") || pidIn(touched) != 0 {
		t.Errorf("failure: %+v", out.Answer.Failure)
	}
	out = b.runner.Run(t.Context(), call.Request{Principal: store.Local, Catalog: b.catalog, Bound: bound, Dir: b.dir, Roots: []string{"/etc"}})
	if class(out) == lang.ClassUsage {
		t.Errorf("in a root: %+v", out.Answer.Failure)
	}
}
