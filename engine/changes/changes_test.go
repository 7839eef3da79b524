package changes

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// tree makes a directory with files whose times lie before since.
func tree(t *testing.T, names ...string) (dir string, since time.Time) {
	t.Helper()
	dir = t.TempDir()
	for _, name := range names {
		write(t, filepath.Join(dir, name), "text")
	}
	return dir, settled(t, dir)
}

// settled is a time after all that was done to a directory so far, and not after anything
// that is done to it later.
func settled(t *testing.T, dir string) time.Time {
	t.Helper()
	probe := t.TempDir()
	write(t, filepath.Join(probe, "a"), "")
	start := modified(t, filepath.Join(probe, "a"))
	for now := start; ; now = modified(t, filepath.Join(probe, "b")) {
		if now.After(start) {
			return now
		}
		write(t, filepath.Join(probe, "b"), "")
	}
}

func modified(t *testing.T, path string) time.Time {
	t.Helper()
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	return info.ModTime()
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func git(t *testing.T, dir string, args ...string) {
	t.Helper()
	cmd := exec.Command("git", append([]string{"-c", "user.name=a", "-c", "user.email=a@example.com"}, args...)...)
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
}

// TestWhatIsAChange makes one change at a time.
func TestWhatIsAChange(t *testing.T) {
	for name, change := range map[string]func(t *testing.T, dir string){
		"a file is written": func(t *testing.T, dir string) { write(t, filepath.Join(dir, "sub/a"), "other") },
		"a file is new":     func(t *testing.T, dir string) { write(t, filepath.Join(dir, "sub/deep/b"), "") },
		"a file is removed": func(t *testing.T, dir string) { must(t, os.Remove(filepath.Join(dir, "sub/a"))) },
		"a file is renamed": func(t *testing.T, dir string) {
			must(t, os.Rename(filepath.Join(dir, "sub/a"), filepath.Join(dir, "sub/b")))
		},
		"its time is set back": func(t *testing.T, dir string) {
			path := filepath.Join(dir, "sub/a")
			write(t, path, "other")
			must(t, os.Chtimes(path, time.Unix(1, 1), time.Unix(1, 1)))
		},
		"hidden": func(t *testing.T, dir string) { write(t, filepath.Join(dir, ".hidden/a"), "") },
	} {
		t.Run(name, func(t *testing.T) {
			dir, since := tree(t, "sub/a", "c", ".hidden/a")
			if path, err := Since(dir, since); path != "" || err != nil {
				t.Fatalf("before: %q %v", path, err)
			}
			change(t, dir)
			if path, err := Since(dir, since); path == "" || err != nil {
				t.Errorf("%q %v", path, err)
			}
		})
	}
}

// TestStateOfGit: what a working tree is compared with counts as well, also where the
// repository begins above it, or is elsewhere.
func TestStateOfGit(t *testing.T) {
	if _, err := exec.LookPath("git"); err != nil {
		t.Skip("no git here")
	}
	for name, change := range map[string]func(t *testing.T, dir string){
		"staged":    func(t *testing.T, dir string) { git(t, dir, "rm", "-q", "--cached", "sub/a") },
		"committed": func(t *testing.T, dir string) { git(t, dir, "commit", "-q", "--allow-empty", "-m", "two") },
		"a branch":  func(t *testing.T, dir string) { git(t, dir, "branch", "other") },
		"HEAD":      func(t *testing.T, dir string) { git(t, dir, "symbolic-ref", "HEAD", "refs/heads/b") },
	} {
		t.Run(name, func(t *testing.T) {
			dir, _ := tree(t, "sub/a", "sub/deep/c")
			git(t, dir, "init", "-q")
			git(t, dir, "add", ".")
			git(t, dir, "commit", "-q", "-m", "one")
			linked := filepath.Join(t.TempDir(), "linked")
			git(t, dir, "worktree", "add", "-q", "-b", "linked", linked)
			since := settled(t, dir)
			places := []string{dir, filepath.Join(dir, "sub/deep")}
			if name == "a branch" || name == "committed" {
				places = append(places, linked)
			}
			for _, place := range append(places, linked) {
				if path, err := Since(place, since); path != "" || err != nil {
					t.Errorf("before: %s: %q %v", place, path, err)
				}
			}
			// Objects, and what git locks for a moment, do not count.
			write(t, filepath.Join(dir, ".git/objects/new"), "")
			write(t, filepath.Join(dir, ".git/index.lock"), "")
			must(t, os.Remove(filepath.Join(dir, ".git/index.lock")))
			if path, err := Since(dir, since); path != "" || err != nil {
				t.Errorf("objects: %q %v", path, err)
			}
			change(t, dir)
			for _, place := range places {
				if path, err := Since(place, since); path == "" || err != nil {
					t.Errorf("%s: %q %v", place, path, err)
				}
			}
		})
	}
}

func TestUndecided(t *testing.T) {
	dir, since := tree(t, "a", "b", "c")
	if _, err := look(dir, since, nil, 4, time.Now().Add(time.Hour)); err != nil {
		t.Errorf("as many as may be: %v", err)
	}
	if _, err := look(dir, since, nil, 3, time.Now().Add(time.Hour)); !errors.Is(err, ErrUndecided) {
		t.Errorf("too many: %v", err)
	}
	for i := range 100 {
		write(t, filepath.Join(dir, "many", string(rune('a'+i%26))+string(rune('a'+i/26))), "")
	}
	if _, err := look(dir, settled(t, dir), nil, MaxEntries, time.Now()); !errors.Is(err, ErrUndecided) {
		t.Errorf("too long: %v", err)
	}
	if _, err := Since(filepath.Join(dir, "none"), since); !errors.Is(err, ErrUndecided) {
		t.Errorf("no directory: %v", err)
	}
}

// TestWholeSeconds: where times are coarse, what was changed shortly before counts.
func TestWholeSeconds(t *testing.T) {
	for name, c := range map[string]struct {
		at   time.Time
		want bool
	}{
		"long before": {time.Unix(1000, 0), false}, "the second before": {time.Unix(1002, 0), true}, "exact": {time.Unix(1002, 1), false},
	} {
		l := looker{left: 10, until: time.Now().Add(time.Hour), since: time.Unix(1002, 500)}
		if err := l.times("a", stamped{at: c.at}); (err != nil) != c.want {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// stamped is a file of which only the time is known.
type stamped struct {
	os.FileInfo
	at time.Time
}

func (s stamped) ModTime() time.Time { return s.at }
func (s stamped) Sys() any           { return nil }

func TestLinks(t *testing.T) {
	dir, _ := tree(t, "real/a")
	other, _ := tree(t, "a", "d/b")
	for name, target := range map[string]string{"inside": filepath.Join(dir, "real"), "none": filepath.Join(other, "none"), "file": filepath.Join(other, "a")} {
		must(t, os.Symlink(target, filepath.Join(dir, name)))
	}
	since := settled(t, dir)
	if path, err := Since(dir, since); path != "" || err != nil {
		t.Errorf("%q %v", path, err)
	}
	write(t, filepath.Join(other, "a"), "other")
	if path, err := Since(dir, since); path != filepath.Join(dir, "file") || err != nil {
		t.Errorf("a file outside: %q %v", path, err)
	}
	must(t, os.Remove(filepath.Join(dir, "file")))
	must(t, os.Symlink(filepath.Join(other, "d"), filepath.Join(dir, "out")))
	if _, err := Since(dir, settled(t, dir)); !errors.Is(err, ErrUndecided) {
		t.Errorf("a directory outside: %v", err)
	}
}

// TestSkipped: what the gateway writes is no change.
func TestSkipped(t *testing.T) {
	dir, since := tree(t, "own/db", "a")
	write(t, filepath.Join(dir, "own/db"), "other")
	if path, err := Since(dir, since, filepath.Join(dir, "own")); path != "" || err != nil {
		t.Errorf("%q %v", path, err)
	}
}

func BenchmarkSince(b *testing.B) {
	dir := b.TempDir()
	for i := range 10_000 {
		if i%100 == 0 {
			must2(b, os.MkdirAll(filepath.Join(dir, string(rune('a'+i/1000)), string(rune('a'+i/100%10))), 0o700))
		}
		must2(b, os.WriteFile(filepath.Join(dir, string(rune('a'+i/1000)), string(rune('a'+i/100%10)), string(rune('A'+i%100/10))+string(rune('a'+i%10))), nil, 0o600))
	}
	for b.Loop() {
		if path, err := Since(dir, time.Now().Add(time.Hour)); path != "" || err != nil {
			b.Fatal(path, err)
		}
	}
}

func must2(b *testing.B, err error) {
	if err != nil {
		b.Fatal(err)
	}
}
