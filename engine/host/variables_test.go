package host_test

import (
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/llm-cli-gateway/gateway/engine/host"
)

func TestPlace(t *testing.T) {
	home := t.TempDir()
	v := host.Variables{"HOME=" + home, "MOVED=" + filepath.Join(home, "else"), "RELATIVE=x"}
	for file, want := range map[string]string{
		"~/.acme/key":               filepath.Join(home, ".acme", "key"),
		"{MOVED:~/.acme}/key":       filepath.Join(home, "else", "key"),
		"{UNSET:~/.acme}/key":       filepath.Join(home, ".acme", "key"),
		"{UNSET:~}/.acme.json":      filepath.Join(home, ".acme.json"),
		"{UNSET}/key":               "",
		"{RELATIVE:~/.acme}/key":    "",
		filepath.Join(home, "a..b"): filepath.Join(home, "a..b"),
		home + "/a/../key":          filepath.Join(home, "key"),
	} {
		if got := v.Place(file); got != want {
			t.Errorf("%s: %q, want %q", file, got, want)
		}
	}
}

func TestExposed(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("permissions are not in the mode of a file")
	}
	path := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		mode, forbidden os.FileMode
		want            string
	}{
		{0o600, 0o077, ""}, {0o640, 0o077, "others can read it (mode 0640)"}, {0o622, 0o077, "others can write it (mode 0622)"},
		{0o644, 0o022, ""}, {0o664, 0o022, "others can write it (mode 0664)"}, {0o666, 0, ""},
	} {
		if err := os.Chmod(path, c.mode); err != nil {
			t.Fatal(err)
		}
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		if got := host.Exposed(info, c.forbidden); got != c.want {
			t.Errorf("%o of %o: %q, want %q", c.forbidden, c.mode, got, c.want)
		}
	}
}
