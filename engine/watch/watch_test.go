package watch

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/fsnotify/fsnotify"
)

// ways in which people, editors and machines change a folder. Each finds specs/a.cue with
// "old" in it, and the real folder one level below base, if base/link is one.
var ways = map[string]func(t *testing.T, base string){
	"write in place": func(t *testing.T, base string) { put(t, base+"/specs/a.cue", "new") },
	"atomic rename": func(t *testing.T, base string) {
		put(t, base+"/specs/.a.tmp", "new")
		move(t, base+"/specs/.a.tmp", base+"/specs/a.cue")
	},
	"rename from elsewhere": func(t *testing.T, base string) {
		put(t, base+"/a.tmp", "new")
		move(t, base+"/a.tmp", base+"/specs/a.cue")
	},
	"backup and write, as vim does": func(t *testing.T, base string) {
		move(t, base+"/specs/a.cue", base+"/specs/a.cue~")
		put(t, base+"/specs/a.cue", "new")
		remove(t, base+"/specs/a.cue~")
	},
	"delete and create": func(t *testing.T, base string) {
		remove(t, base+"/specs/a.cue")
		put(t, base+"/specs/a.cue", "new")
	},
	"folder deleted and made again": func(t *testing.T, base string) {
		remove(t, base+"/specs")
		folder(t, base+"/specs")
		put(t, base+"/specs/a.cue", "new")
	},
	"folder moved away and another put there": func(t *testing.T, base string) {
		folder(t, base+"/next")
		put(t, base+"/next/a.cue", "new")
		move(t, base+"/specs", base+"/last")
		move(t, base+"/next", base+"/specs")
	},
	"all deleted and made again, from above": func(t *testing.T, base string) {
		remove(t, base)
		folder(t, base+"/specs")
		put(t, base+"/specs/a.cue", "new")
	},
	"a link in the folder led elsewhere": func(t *testing.T, base string) {
		put(t, base+"/there.cue", "new")
		link(t, base+"/there.cue", base+"/specs/.l")
		move(t, base+"/specs/.l", base+"/specs/a.cue")
	},
	"many writes in a row": func(t *testing.T, base string) {
		for range 200 {
			put(t, base+"/specs/a.cue", "not yet")
		}
		put(t, base+"/specs/a.cue", "new")
	},
}

// TestEveryWayToChangeAFile: each is seen by events alone, twice in a row.
func TestEveryWayToChangeAFile(t *testing.T) {
	for name, change := range ways {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			base := filepath.Join(t.TempDir(), "base")
			folder(t, base+"/specs")
			put(t, base+"/specs/a.cue", "old")
			seen := watching(t, Options{Folders: []string{base + "/specs"}, Poll: time.Hour}, base+"/specs/a.cue")
			seen("old")
			change(t, base)
			seen("new")
			put(t, base+"/specs/a.cue", "newer") // and it goes on being watched
			seen("newer")
		})
	}
}

// TestModes: a change of the mode is seen, of a file, of the folder, and of what a link leads to.
func TestModes(t *testing.T) {
	for name, path := range map[string]string{"file": "/specs/a.cue", "folder": "/specs", "behind a link": "/real/b.cue"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			base := t.TempDir()
			folder(t, base+"/specs")
			folder(t, base+"/real")
			put(t, base+"/specs/a.cue", "a")
			put(t, base+"/real/b.cue", "b")
			link(t, base+"/real/b.cue", base+"/specs/b.cue")
			modes := make(chan os.FileMode, 10000)
			run(t, Options{Folders: []string{base + "/specs"}, Poll: time.Hour, Wake: func() {
				if info, err := os.Stat(base + path); err == nil {
					modes <- info.Mode().Perm()
				}
			}})
			<-modes
			for _, mode := range []os.FileMode{0o777, 0o700} {
				if err := os.Chmod(base+path, mode); err != nil {
					t.Fatal(err)
				}
				for mode != <-modes {
				}
			}
		})
	}
}

// TestLinks: what a link leads to is watched where it is, and the link too.
func TestLinks(t *testing.T) {
	for name, c := range map[string]struct {
		before, change func(t *testing.T, base string)
	}{
		"file behind a link is written": {
			func(t *testing.T, base string) { link(t, base+"/real/a.cue", base+"/specs/a.cue") },
			func(t *testing.T, base string) { put(t, base+"/real/a.cue", "new") }},
		"file behind a link is replaced": {
			func(t *testing.T, base string) { link(t, base+"/real/a.cue", base+"/specs/a.cue") },
			func(t *testing.T, base string) {
				put(t, base+"/real/.tmp", "new")
				move(t, base+"/real/.tmp", base+"/real/a.cue")
			}},
		"the swap of a ConfigMap": {
			func(t *testing.T, base string) {
				folder(t, base+"/specs/..1")
				put(t, base+"/specs/..1/a.cue", "old")
				link(t, "..1", base+"/specs/..data")
				link(t, "..data/a.cue", base+"/specs/a.cue")
			},
			func(t *testing.T, base string) {
				folder(t, base+"/specs/..2")
				put(t, base+"/specs/..2/a.cue", "new")
				link(t, "..2", base+"/specs/..data_tmp")
				move(t, base+"/specs/..data_tmp", base+"/specs/..data")
				remove(t, base+"/specs/..1")
			}},
		"the folder is a link that is led elsewhere": {
			func(t *testing.T, base string) {
				remove(t, base+"/specs")
				link(t, "real", base+"/specs")
			},
			func(t *testing.T, base string) {
				folder(t, base+"/next")
				put(t, base+"/next/a.cue", "new")
				link(t, "next", base+"/l")
				move(t, base+"/l", base+"/specs")
			}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			base := t.TempDir()
			folder(t, base+"/specs")
			folder(t, base+"/real")
			put(t, base+"/real/a.cue", "old")
			c.before(t, base)
			seen := watching(t, Options{Folders: []string{base + "/specs"}, Poll: time.Hour}, base+"/specs/a.cue")
			seen("old")
			c.change(t, base)
			seen("new")
		})
	}
}

// TestAFolderThatComesLater, with the folders above it.
func TestAFolderThatComesLater(t *testing.T) {
	base := t.TempDir()
	file := base + "/a/b/specs/a.cue"
	seen := watching(t, Options{Folders: []string{filepath.Dir(file)}, Poll: time.Hour}, file)
	seen("")
	folder(t, filepath.Dir(file))
	put(t, file, "new")
	seen("new")
	remove(t, base+"/a")
	seen("")
	folder(t, filepath.Dir(file))
	put(t, file, "newer")
	seen("newer")
}

// TestWithoutEvents: where the system has none to give, as when all its watches are in
// use, it is looked for changes.
func TestWithoutEvents(t *testing.T) {
	base := t.TempDir()
	o := Options{Folders: []string{base}, PollUnwatched: time.Millisecond, Poll: time.Hour,
		open: func() (*fsnotify.Watcher, error) { return nil, errors.New("too many open files") }}
	seen := watching(t, o, base+"/a.cue")
	seen("")
	put(t, base+"/a.cue", "new")
	seen("new")
}

// TestNeighboursDoNotWake: the folder above is mostly about other things.
func TestNeighboursDoNotWake(t *testing.T) {
	base := t.TempDir()
	folder(t, base+"/specs")
	wakes := make(chan struct{}, 1000)
	now := make(chan struct{})
	run(t, Options{Folders: []string{base + "/specs"}, Poll: time.Hour, Quiet: time.Millisecond, Now: now, Wake: func() { wakes <- struct{}{} }})
	<-wakes
	for range 50 {
		put(t, base+"/logs.db-wal", "x")
	}
	if err := os.Chmod(base+"/logs.db-wal", 0o640); err != nil {
		t.Fatal(err)
	}
	now <- struct{}{} // whatever came before has been read by then, or will be for nothing
	<-wakes
	put(t, base+"/specs/a.cue", "x")
	<-wakes
	if n := len(wakes); n > 1 { // a write is two events; they may have been taken apart
		t.Errorf("%d wake-ups too many", n)
	}
}

// watching starts a watch; what it returns waits until the file was read as the text. A
// file that is not there reads as "".
func watching(t *testing.T, o Options, file string) func(want string) {
	t.Helper()
	found := make(chan string, 10000)
	o.Wake = func() {
		text, _ := os.ReadFile(file)
		found <- string(text)
	}
	run(t, o)
	return func(want string) {
		t.Helper()
		late := time.After(20 * time.Second)
		for last := "nothing"; ; {
			select {
			case last = <-found:
				if last == want {
					return
				}
			case <-late:
				t.Fatalf("the last that was seen is %q, want %q", last, want)
			}
		}
	}
}

func run(t *testing.T, o Options) {
	t.Helper()
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		Run(ctx, o)
	}()
	t.Cleanup(func() { stop(); <-done })
}

func put(t *testing.T, name, text string) {
	t.Helper()
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func folder(t *testing.T, name string) {
	t.Helper()
	if err := os.MkdirAll(name, 0o700); err != nil {
		t.Fatal(err)
	}
}

func move(t *testing.T, from, to string) {
	t.Helper()
	if err := os.Rename(from, to); err != nil {
		t.Fatal(err)
	}
}

func link(t *testing.T, to, name string) {
	t.Helper()
	if err := os.Symlink(to, name); err != nil {
		t.Fatal(err)
	}
}

func remove(t *testing.T, name string) {
	t.Helper()
	if err := os.RemoveAll(name); err != nil {
		t.Fatal(err)
	}
}
