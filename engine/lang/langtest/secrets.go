package langtest

import (
	"encoding/json"
	"testing"

	"github.com/llm-cli-gateway/gateway/engine/lang"
	builtin "github.com/llm-cli-gateway/gateway/specs"
)

// Secrets are the kinds of secrets that the built-in specs know.
func Secrets(t testing.TB) lang.Map[lang.SecretSpec] {
	t.Helper()
	var built struct {
		Spec struct{ Secret lang.Map[lang.SecretSpec] }
	}
	if err := json.Unmarshal(builtin.Snapshot(), &built); err != nil || built.Spec.Secret.Len() == 0 {
		t.Fatalf("the built-in specs know no secrets: %v", err)
	}
	return built.Spec.Secret
}
