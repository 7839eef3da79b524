package engine_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/llm-cli-gateway/gateway/engine"
)

// TestDocs holds the reference of the built-in specs against the copy beside them.
// GATEWAY_UPDATE=1 rewrites it.
func TestDocs(t *testing.T) {
	name := filepath.Join("..", "specs", "README.md")
	got := engine.Docs(builtIn(t).Catalog)
	if os.Getenv("GATEWAY_UPDATE") != "" {
		if err := os.WriteFile(name, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s is not what the specs say; GATEWAY_UPDATE=1 go test ./engine -run TestDocs rewrites it", name)
	}
}
