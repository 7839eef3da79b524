//go:build unix

package sqlite

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/llm-cli-gateway/gateway/engine/store"
)

func permissions(t *testing.T, path string) fs.FileMode {
	t.Helper()
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	return info.Mode().Perm()
}

func TestEverythingIsPrivate(t *testing.T) {
	defer syscall.Umask(syscall.Umask(0))
	dir := filepath.Join(t.TempDir(), "state", "gateway")
	path := filepath.Join(dir, "calls.db")
	s := mustOpen(t, path)
	mustBegin(t, s, store.Job{})
	if _, err := s.Jobs(ctx, store.Filter{Principal: store.Local}); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]fs.FileMode{
		filepath.Dir(dir): 0o700, dir: 0o700, path: 0o600, path + "-wal": 0o600, path + "-shm": 0o600, path + "-lock": 0o600,
	} {
		if got := permissions(t, name); got != want {
			t.Errorf("%s has %v, want %v", name, got, want)
		}
	}
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 4 {
		t.Errorf("%v, %v: more files than are checked here", entries, err)
	}
}

func TestLooseFilesOfOursAreTightened(t *testing.T) {
	path := filepath.Join(t.TempDir(), "calls.db")
	first := mustOpen(t, path)
	mustBegin(t, first, store.Job{})
	for _, name := range []string{path, path + "-wal", path + "-shm"} {
		if err := os.Chmod(name, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	mustOpen(t, path)
	for _, name := range []string{path, path + "-wal", path + "-shm"} {
		if got := permissions(t, name); got != 0o600 {
			t.Errorf("%s has %v", name, got)
		}
	}
}

// The permissions of a file that is not ours are its owner's business.
func TestLooseForeignFileKeepsItsPermissions(t *testing.T) {
	path := filepath.Join(t.TempDir(), "calls.db")
	raw(t, path, "CREATE TABLE t(x)")
	if err := os.Chmod(path, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(path); err == nil {
		t.Fatal("opened")
	}
	if got := permissions(t, path); got != 0o644 {
		t.Errorf("now %v", got)
	}
}

// The errors that a user without rights gets. Root is denied nothing, so that the test
// acts as another user then.
func TestDenied(t *testing.T) {
	binary, as := os.Args[0], (*syscall.SysProcAttr)(nil)
	if os.Geteuid() == 0 {
		// The folder of the test binary is root's alone.
		content, err := os.ReadFile(binary)
		if err != nil {
			t.Fatal(err)
		}
		binary = filepath.Join(openDir(t), "store.test")
		if err := os.WriteFile(binary, content, 0o755); err != nil {
			t.Fatal(err)
		}
		as = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
	}
	own := func(t *testing.T, path string) {
		if as != nil {
			if err := os.Chown(path, 65534, 65534); err != nil {
				t.Fatal(err)
			}
		}
	}
	tests := []struct {
		name    string
		make    func(t *testing.T, path string)
		rights  map[string]fs.FileMode // by suffix of the path; "/" is the folder
		problem string
		rooted  bool // needs files of two users
	}{
		{"read-only file", func(t *testing.T, path string) { used(t, path, 2) }, map[string]fs.FileMode{"": 0o400, "/": 0o700}, "cannot be written", false},
		{"unreadable file", func(t *testing.T, path string) { used(t, path, 2) }, map[string]fs.FileMode{"": 0, "/": 0o700}, "cannot be opened", false},
		{"read-only folder, no file", func(*testing.T, string) {}, map[string]fs.FileMode{"/": 0o500}, "cannot be used here", false},
		{"closed folder", func(*testing.T, string) {}, map[string]fs.FileMode{"/": 0}, "cannot be used here", false},
		{"read-only folder", func(t *testing.T, path string) { used(t, path, 2) }, map[string]fs.FileMode{"": 0o600, "-lock": 0o600, "/": 0o500}, "cannot be written", false},
		{"file of another user", func(t *testing.T, path string) { used(t, path, 2) }, map[string]fs.FileMode{"": 0o666, "/": 0o777}, "cannot be made private", true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if tt.rooted && as == nil {
				t.Skip("needs root")
			}
			dir := filepath.Join(openDir(t), "db")
			if err := os.Mkdir(dir, 0o777); err != nil {
				t.Fatal(err)
			}
			path := filepath.Join(dir, "calls.db")
			tt.make(t, path)
			for _, name := range []string{path, path + "-lock", dir} {
				if _, err := os.Stat(name); err == nil && !(tt.rooted && name == path) {
					own(t, name)
				}
			}
			for suffix, mode := range tt.rights {
				name := path + suffix
				if suffix == "/" {
					name = dir
				}
				if err := os.Chmod(name, mode); err != nil {
					t.Fatal(err)
				}
			}
			t.Cleanup(func() { os.Chmod(dir, 0o700) })

			for _, role := range []string{"inspect", "visit"} {
				if role == "inspect" && tt.rooted {
					continue // what it tells of the file says whose it is
				}
				o := startOther(t, role, binary, path, as)
				o.start.Close()
				said, ok := o.end(t)
				if ok || !strings.Contains(said, tt.problem) || !strings.Contains(said, path) || !strings.Contains(said, "LLM_GATEWAY_LOGS_DB") {
					t.Errorf("%s: success %v, said %q, want %q", role, ok, said, tt.problem)
				}
			}
		})
	}
}

// openDir is a temporary folder that other users may enter.
func openDir(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for _, d := range []string{filepath.Dir(dir), dir} {
		if err := os.Chmod(d, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}
