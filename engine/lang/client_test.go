package lang_test

import (
	"testing"

	"github.com/llm-cli-gateway/gateway/engine/lang"
)

func TestClientLine(t *testing.T) {
	for _, c := range []struct{ add, path, want string }{
		{"acme mcp add gateway -- {gateway} serve", "/opt/gateway", "acme mcp add gateway -- /opt/gateway serve"},
		{"acme mcp add gateway -- {gateway} serve", "/my tools/gateway", "acme mcp add gateway -- '/my tools/gateway' serve"},
		{`{"command": "{gateway}", "args": ["serve"]}`, "/my tools/gateway", `{"command": "/my tools/gateway", "args": ["serve"]}`},
		{`{"command": "{gateway}"}`, `C:\tools\gateway.exe`, `{"command": "C:\\tools\\gateway.exe"}`},
		{"nothing to fill", "/opt/gateway", "nothing to fill"},
	} {
		if got := (lang.ClientSpec{Add: c.add}).Line(c.path); got != c.want {
			t.Errorf("%q with %q = %q, want %q", c.add, c.path, got, c.want)
		}
	}
}

func TestShellWord(t *testing.T) {
	for word, want := range map[string]string{
		"plain": "plain", "--flag=a": "--flag=a", "": "''", "two words": "'two words'", "it's": `'it'\''s'`, "a;b": "'a;b'", "a\nb": "'a\nb'", "$HOME": "'$HOME'",
	} {
		if got := lang.ShellWord(word); got != want {
			t.Errorf("ShellWord(%q) = %s, want %s", word, got, want)
		}
	}
}
