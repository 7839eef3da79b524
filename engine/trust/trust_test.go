package trust

import (
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"testing"
)

func TestList(t *testing.T) {
	l := List{File: filepath.Join(t.TempDir(), "state", "trusted")}
	dirs := func(want ...string) {
		t.Helper()
		got, err := l.Dirs()
		if err != nil || !slices.Equal(got, want) {
			t.Errorf("%q, %v; want %q", got, err, want)
		}
	}
	dirs()
	for _, dir := range []string{"/b", "/a", "/b"} {
		if err := l.Add(dir); err != nil {
			t.Fatal(err)
		}
	}
	dirs("/a", "/b")
	for _, dir := range []string{"a", "", "/a\n/etc", "/a\x00"} {
		if err := l.Add(dir); err == nil {
			t.Errorf("%q is on the list", dir)
		}
	}
	if was, err := l.Remove("/c"); was || err != nil {
		t.Error(was, err)
	}
	if was, err := l.Remove("/a"); !was || err != nil {
		t.Error(was, err)
	}
	dirs("/b")
	if info, err := os.Stat(l.File); err != nil || runtime.GOOS != "windows" && info.Mode().Perm() != 0o600 {
		t.Error(info, err)
	}
	if left, err := os.ReadDir(filepath.Dir(l.File)); err != nil || len(left) != 1 {
		t.Error(left, err)
	}
}

// TestListOfOthers: a list that somebody else could have written counts for nothing, and is
// not written to.
func TestListOfOthers(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("permissions are not in the mode of a file")
	}
	l := List{File: filepath.Join(t.TempDir(), "trusted")}
	if err := l.Add("/a"); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(l.File, 0o622); err != nil {
		t.Fatal(err)
	}
	if dirs, err := l.Dirs(); err == nil || dirs != nil {
		t.Errorf("%q", dirs)
	}
	if err := l.Add("/b"); err == nil {
		t.Error("it was written to")
	}
	link := List{File: filepath.Join(t.TempDir(), "link")}
	if err := os.Symlink(l.File, link.File); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(l.File, 0o600); err != nil {
		t.Fatal(err)
	}
	if dirs, err := link.Dirs(); err == nil {
		t.Errorf("a link: %q", dirs)
	}
}

func TestBelow(t *testing.T) {
	root := t.TempDir()
	real, err := filepath.EvalSymlinks(root)
	if err != nil {
		t.Fatal(err)
	}
	link := filepath.Join(t.TempDir(), "link")
	if err := os.Symlink(root, link); err != nil {
		t.Skip(err)
	}
	for _, c := range []struct {
		dir, other string
		want       bool
	}{
		{real, real, true}, {filepath.Join(real, "a", "b"), real, true}, {filepath.Join(real, "a"), link, true}, {real + "x", real, false},
		{filepath.Dir(real), real, false}, {filepath.Join(real, "..x"), real, true}, {real, filepath.Join(real, "gone"), false},
	} {
		if got := Below(c.dir, []string{"/nowhere", c.other}); got != c.want {
			t.Errorf("%s below %s: %t", c.dir, c.other, got)
		}
	}
	if Below(real, nil) {
		t.Error("below nothing")
	}
}
