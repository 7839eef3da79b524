package real

import (
	"maps"
	"os"
	"path/filepath"
	"testing"
)

// TestPermission lets the model ask for a shell command that writes a file. It is run
// when the arguments allow it, and only then.
func TestPermission(t *testing.T) {
	each(t, func(t *testing.T, c cli) {
		g := start(t, "tool:"+c.shell, c)
		trace := filepath.Join(g.work, "shell-was-here.txt")
		written := func() bool {
			_, err := os.Stat(trace)
			return err == nil
		}

		call := args{"prompt": "run it"}
		refused := g.call(c, call)
		if written() {
			t.Fatalf("a command was run unasked: %s", refused.text())
		}
		maps.Copy(call, c.allow)
		if allowed := g.call(c, call); allowed.IsError || !written() {
			t.Errorf("%v do not allow what they say: %s", c.allow, allowed.text())
		}
	})
}
