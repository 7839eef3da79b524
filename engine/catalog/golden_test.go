package catalog

import (
	"testing"

	"github.com/llm-cli-gateway/gateway/engine/lang/langtest"
)

// compiled is the only CLI of a spec that must be without problems.
func compiled(t testing.TB, text []byte) *CLI {
	t.Helper()
	catalog, problems := Compile(langtest.Read(t, text))
	if catalog == nil {
		t.Fatalf("the spec has problems: %v", problems)
	}
	return catalog.CLIs[0]
}

// shared is the compiled form of langtest.Spec.
func shared(t testing.TB, name string) *CLI {
	t.Helper()
	return compiled(t, langtest.Text(t, map[string]string{"spec": name}))
}
