package worktree

import (
	"os"
	"path/filepath"
	"testing"
)

func TestOf(t *testing.T) {
	root := t.TempDir()
	sub, marked := filepath.Join(root, "a", "b"), filepath.Join(root, "linked")
	for _, dir := range []string{sub, filepath.Join(root, "a", ".git"), marked} {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(marked, ".git"), []byte("gitdir: elsewhere\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for dir, want := range map[string]string{sub: filepath.Join(root, "a"), marked: marked, filepath.Join(marked, "new"): marked} {
		if got := Of(dir); got != want {
			t.Errorf("%s: %s, want %s", dir, got, want)
		}
	}
}

func TestOverlap(t *testing.T) {
	root := t.TempDir()
	a, ab, other := filepath.Join(root, "a"), filepath.Join(root, "a", "b"), filepath.Join(root, "ab")
	for _, c := range []struct {
		a, b string
		want bool
	}{{a, a, true}, {a, ab, true}, {ab, a, true}, {a, other, false}, {ab, other, false}} {
		if got := Overlap(c.a, c.b); got != c.want {
			t.Errorf("%s %s: %v", c.a, c.b, got)
		}
	}
}
