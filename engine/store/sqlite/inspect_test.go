package sqlite

import (
	"context"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"testing"

	"github.com/llm-cli-gateway/gateway/engine/store"
)

// tree is everything below a folder, by path, with size and permissions. The index of a
// log that is in use is its users' own: who reads notes itself there.
func tree(t *testing.T, dir string) map[string]string {
	t.Helper()
	all := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := entry.Info()
		if err != nil {
			return err
		}
		all[path] = info.Mode().String()
		if info.Mode().IsRegular() && filepath.Ext(path) != ".db-shm" {
			text, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			all[path] += string(text)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// makesNothing holds that what is below a folder is afterwards as it was.
func makesNothing(t *testing.T, dir string, do func()) {
	t.Helper()
	before := tree(t, dir)
	do()
	if after := tree(t, dir); !maps.Equal(before, after) {
		t.Errorf("files were made or changed: %d paths, then %d", len(before), len(after))
	}
}

func TestInspect(t *testing.T) {
	begin := func(t *testing.T, s *Store, owner string) string { return mustBegin(t, s, store.Job{Owner: owner}) }
	tests := []struct {
		name string
		make func(t *testing.T, path string) (live []string)
		want Inspection
	}{
		{"nothing", func(*testing.T, string) []string { return nil }, Inspection{}},
		{"empty file", func(t *testing.T, path string) []string { write(t, path, ""); return nil }, Inspection{}},
		{"closed", func(t *testing.T, path string) []string {
			s, err := Open(path)
			if err != nil {
				t.Fatal(err)
			}
			done, live := begin(t, s, ""), begin(t, s, "somebody")
			if err := s.Finish(ctx, done, store.Outcome{Ending: store.EndOK}, nil); err != nil {
				t.Fatal(err)
			}
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			return []string{live}
		}, Inspection{Schema: dotted(newest), Jobs: 2}},
		{"in use", func(t *testing.T, path string) []string {
			s := mustOpen(t, path)
			return []string{begin(t, s, "somebody")}
		}, Inspection{Schema: dotted(newest), Jobs: 1}},
		{"left by a killed process", func(t *testing.T, path string) []string {
			other := filepath.Join(t.TempDir(), "calls.db")
			live := begin(t, mustOpen(t, other), "somebody")
			for _, suffix := range []string{"", "-wal", "-shm"} {
				text, err := os.ReadFile(other + suffix)
				if err != nil {
					t.Fatal(err)
				}
				write(t, path+suffix, string(text))
			}
			return []string{live}
		}, Inspection{Schema: dotted(newest), Jobs: 1}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			dir := t.TempDir()
			path := filepath.Join(dir, "calls.db")
			live := tt.make(t, path)
			var got Inspection
			makesNothing(t, dir, func() {
				var err error
				if got, err = Inspect(ctx, path); err != nil {
					t.Fatal(err)
				}
			})
			if got.Path != path || got.Schema != tt.want.Schema || got.Jobs != tt.want.Jobs || len(got.Live) != len(live) {
				t.Errorf("got %+v, want %+v and %d live", got, tt.want, len(live))
			}
			for i, id := range live {
				if got.Live[i].ID != id || got.Live[i].Owner != "somebody" {
					t.Errorf("live: %+v, want %s", got.Live[i], id)
				}
			}
			if size := len(tree(t, dir)[path]) > 0; size != (got.File != nil) || got.Schema != "" && got.Size < minDatabaseSize {
				t.Errorf("file %v of %d bytes", got.File, got.Size)
			}
		})
	}
}

// TestInspectFollowsLinks: two names of one file are one database.
func TestInspectFollowsLinks(t *testing.T) {
	dir := t.TempDir()
	path, link := filepath.Join(dir, "calls.db"), filepath.Join(dir, "link.db")
	used(t, path, 1)
	if err := os.Symlink(path, link); err != nil {
		t.Skip(err)
	}
	if got, err := Inspect(ctx, link); err != nil || got.Path != path || got.Jobs != 1 {
		t.Errorf("%+v, %v", got, err)
	}
}

// TestInspectIsBounded: a look that is out of time ends, and says so.
func TestInspectIsBounded(t *testing.T) {
	path := filepath.Join(t.TempDir(), "calls.db")
	used(t, path, 1)
	over, cancel := context.WithCancel(ctx)
	cancel()
	if got, err := Inspect(over, path); err == nil {
		t.Errorf("%+v", got)
	}
}

// TestInspectSeesNewFolders: what is missing above the database can be made.
func TestInspectSeesNewFolders(t *testing.T) {
	dir := t.TempDir()
	makesNothing(t, dir, func() {
		if got, err := Inspect(ctx, filepath.Join(dir, "a", "b", "calls.db")); err != nil || got.File != nil {
			t.Errorf("%+v, %v", got, err)
		}
	})
}
