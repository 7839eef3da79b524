//go:build unix

package host

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestTheInterpreterBesideAProgram goes before others on its PATH, and nothing else changes
// the PATH.
func TestTheInterpreterBesideAProgram(t *testing.T) {
	d := t.TempDir()
	old, versions, lib := filepath.Join(d, "usr"), filepath.Join(d, "versions", "v22"), filepath.Join(d, "lib")
	put(t, filepath.Join(old, "node"), "", 0o755)
	put(t, filepath.Join(versions, "node"), "", 0o755)
	script := func(dir, name, line string) { put(t, filepath.Join(dir, name), line+"\nmore\n", 0o755) }
	script(versions, "plain", "#!/usr/bin/env node")
	script(versions, "flags", "#! /usr/bin/env -S NODE_OPTIONS=--x node --no-warnings")
	script(versions, "other", "#!/usr/bin/env python3")
	script(versions, "fixed", "#!/opt/node/bin/node")
	script(versions, "path", "#!/usr/bin/env ./node")
	script(versions, "binary", "\x7fELF #!/usr/bin/env node")
	script(versions, "nothing", "#!")
	script(versions, "bare", "#!/usr/bin/env")
	script(old, "here", "#!/usr/bin/env node")
	script(lib, "cli.js", "#!/usr/bin/env node")
	for name, target := range map[string]string{"managed": "../../lib/cli.js", "round": "round2", "round2": "round"} {
		if err := os.Symlink(target, filepath.Join(versions, name)); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink(filepath.Join(versions, "managed"), filepath.Join(lib, "linked")); err != nil {
		t.Fatal(err)
	}
	h := New([]string{"HOME=" + d, "PATH=" + strings.Join([]string{old, lib, versions}, ":")}, nil, "")
	for bin, first := range map[string]bool{
		"plain": true, "flags": true, "managed": true, "linked": true, filepath.Join(versions, "plain"): true,
		"other": false, "fixed": false, "path": false, "binary": false, "nothing": false, "bare": false, "here": false, "round": false, "cli.js": false, "no-such-program": false, "": false,
	} {
		want := []string{old, lib, versions}
		if first {
			want = []string{versions, old, lib}
		}
		env, err := h.Environ(Filter{Bin: bin})
		if err != nil || !slices.Equal(env, []string{"PATH=" + strings.Join(want, ":")}) {
			t.Errorf("%q: %q %v", bin, env, err)
		}
	}
	if env, err := h.Environ(Filter{Bin: "plain", Set: map[string]string{"PATH": "/only"}}); err != nil || !slices.Equal(env, []string{"PATH=/only"}) {
		t.Errorf("a PATH that is set: %q %v", env, err)
	}
}
