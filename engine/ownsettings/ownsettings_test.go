package ownsettings

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/llm-cli-gateway/gateway/engine/catalog"
	"github.com/llm-cli-gateway/gateway/engine/host"
	"github.com/llm-cli-gateway/gateway/engine/lang/langtest"
)

const spec = `{"title": "Acme", "bin": "acme", "argv": [], "access": {"read": ["--read"], "edit": ["--edit"], "full": [], "settings": [
	{"path": "{ACME_HOME:~/.acme}/config.toml", "key": "sandbox.mode", "same": {"read": "none", "edit": ["in", "inside"]}},
	{"path": "{ACME_HOME:~/.acme}/config.toml", "key": "servers", "at": ["read", "edit"]},
	{"path": "~/.acme/settings.json", "key": "allow"},
	{"path": "~/.acme/settings.yaml", "key": "hooks.start"}
]}}`

// home is where a user has set up things.
type home struct {
	t   *testing.T
	dir string
	cli *catalog.CLI
	Reader
}

func newHome(t *testing.T, environ ...string) *home {
	h := &home{t: t, dir: t.TempDir()}
	h.Host = host.New(append([]string{"HOME=" + h.dir}, environ...), nil, "")
	c, problems := catalog.Compile(langtest.Read(t, []byte(spec)))
	if c == nil {
		t.Fatal(problems)
	}
	h.cli, _ = c.CLI("acme")
	return h
}

// write writes a file that is as old as given.
func (h *home) write(name, text string, age time.Duration) {
	h.t.Helper()
	file := filepath.Join(h.dir, name)
	at := time.Now().Add(-age)
	err := os.MkdirAll(filepath.Dir(file), 0o700)
	if err == nil {
		err = os.WriteFile(file, []byte(text), 0o600)
	}
	if err == nil {
		err = os.Chtimes(file, at, at)
	}
	if err != nil {
		h.t.Fatal(err)
	}
}

func (h *home) says(words string, want ...string) {
	h.t.Helper()
	if got := h.Overridden(h.cli, words); !slices.Equal(got, want) {
		h.t.Errorf("at %s: %q\nwant %q", words, got, want)
	}
}

func TestSettingsThatAreOverridden(t *testing.T) {
	h := newHome(t)
	h.says("read")
	h.write(".acme/config.toml", "[sandbox]\nmode = \"inside\"\n[servers.docs]\ncommand = \"docs\"\n", 0)
	h.write(".acme/settings.json", `{"allow": ["Bash"], // all
	}`, 0)
	h.write(".acme/settings.yaml", "hooks:\n  start: run\n", 0)
	hooks, allow := `the setting hooks.start of Acme in ~/.acme/settings.yaml is overridden by access `, `the setting allow of Acme in ~/.acme/settings.json is overridden by access `
	h.says("read", `the settings sandbox.mode, servers of Acme in ~/.acme/config.toml are overridden by access "read"`, allow+`"read"`, hooks+`"read"`)
	h.says("edit", `the setting servers of Acme in ~/.acme/config.toml is overridden by access "edit"`, allow+`"edit"`, hooks+`"edit"`)
	h.says("full", `the setting sandbox.mode of Acme in ~/.acme/config.toml is overridden by access "full"`, allow+`"full"`, hooks+`"full"`)
	h.says("own")
}

func TestWhatIsNotSet(t *testing.T) {
	h := newHome(t)
	for _, text := range []string{``, `{}`, `{"allow": []}`, `{"allow": {}}`, `{"allow": ""}`, `{"allow": false}`, `{"allow": null}`, `{"allow": `, `[]`, `"allow"`} {
		h.write(".acme/settings.json", text, 0)
		if got := h.Overridden(h.cli, "read"); got != nil {
			t.Errorf("%s: %q", text, got)
		}
	}
	h.write(".acme/config.toml", "sandbox = \"none\"", 0)
	h.says("read")
}

func TestVariableMovesTheFolder(t *testing.T) {
	moved := t.TempDir()
	h := newHome(t, "ACME_HOME="+moved)
	h.write(".acme/config.toml", "sandbox.mode = \"all\"", 0)
	h.says("read")
	if err := os.WriteFile(filepath.Join(moved, "config.toml"), []byte("sandbox.mode = \"all\""), 0o600); err != nil {
		t.Fatal(err)
	}
	h.says("read", `the setting sandbox.mode of Acme in `+filepath.Join(moved, "config.toml")+` is overridden by access "read"`)
}

// TestReadAgainAfterAChange: an answer is kept while the file stands as it did.
func TestReadAgainAfterAChange(t *testing.T) {
	h := newHome(t)
	said := `the setting allow of Acme in ~/.acme/settings.json is overridden by access "read"`
	h.write(".acme/settings.json", `{"allow": ["A"]}`, time.Hour)
	h.says("read", said)
	if len(h.places) != 1 {
		t.Errorf("%d answers are kept", len(h.places))
	}
	h.write(".acme/settings.json", `{"allow": [   ]}`, time.Hour/2)
	h.says("read")
	h.write(".acme/settings.json", `{"allow": ["A"]}`, 0)
	h.says("read", said)
	if len(h.places) != 0 {
		t.Error("what was just written may be written again, and is kept")
	}
}
