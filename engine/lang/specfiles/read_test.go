package specfiles

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/llm-cli-gateway/gateway/engine/lang/diagnostic"
)

func write(t *testing.T, name, text string) string {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return name
}

func listed(files []File) string {
	var s []string
	for _, f := range files {
		s = append(s, f.Name)
	}
	return strings.Join(s, " ")
}

func TestReadDir(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	for _, name := range []string{"b.cue", "a.yaml", "c.YML", "notes.md", ".hidden.cue", "_off.cue", "snapshot.json", "sub/d.cue", "cue.mod/module.cue"} {
		write(t, filepath.Join(dir, "specs", name), "cli: {}\n")
	}
	for _, from := range []string{"specs", filepath.Join(dir, "specs"), "./specs/"} {
		files, diags := ReadDir(from)
		if len(diags) > 0 || listed(files) != "specs/a.yaml specs/b.cue specs/c.YML" {
			t.Errorf("%s: %s %v", from, listed(files), diags)
		}
		if string(files[0].Data) != "cli: {}\n" {
			t.Errorf("%q", files[0].Data)
		}
	}
	t.Chdir(filepath.Join(dir, "specs", "sub"))
	if files, _ := ReadDir(".."); !filepath.IsAbs(files[0].Name) {
		t.Errorf("a name that is not below here is whole: %s", files[0].Name)
	}
}

func TestReadDirTroubles(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	good := write(t, "s/good.cue", "")
	write(t, "s/shared.cue", "")
	for _, err := range []error{
		os.Chmod("s/shared.cue", 0o666),
		os.Mkdir("s/folder.cue", 0o755),
		os.Symlink("nowhere", "s/link.cue"),
		os.Symlink(filepath.Base(good), "s/same.yaml"),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	want := []string{
		"s/folder.cue: a folder with the name of a spec file (rename the folder; spec files are in one folder)",
		"s/link.cue: broken symbolic link: no such file or directory",
		"s/shared.cue: every user can write this file (mode 0666) (chmod o-w s/shared.cue; a spec names programs to run)",
	}
	if os.Geteuid() != 0 { // root reads everything
		write(t, "s/unreadable.cue", "")
		if err := os.Chmod("s/unreadable.cue", 0); err != nil {
			t.Fatal(err)
		}
		want = append(want, "s/unreadable.cue: permission denied")
	}
	files, diags := ReadDir("s")
	var got []string
	for _, d := range diagnostic.Sort(diags) {
		got = append(got, d.String())
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if listed(files) != "s/good.cue s/same.yaml" {
		t.Error(listed(files))
	}
}

// TestForeignFolders: who can write a folder can put another file in the place of one.
func TestForeignFolders(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("there are no modes")
	}
	chmod := func(name string, mode os.FileMode) {
		t.Helper()
		if err := os.Chmod(name, mode); err != nil {
			t.Fatal(err)
		}
	}
	for name, c := range map[string]struct {
		prepare func(top string)
		want    string // where it is reported, below the top; "" if all is well
	}{
		"all is well":        {func(string) {}, ""},
		"the folder":         {func(top string) { chmod(filepath.Join(top, "up", "specs"), 0o777) }, "up/specs"},
		"a folder above":     {func(top string) { chmod(filepath.Join(top, "up"), 0o777) }, "up"},
		"others may add":     {func(top string) { chmod(filepath.Join(top, "up"), 0o777|os.ModeSticky) }, ""},
		"its group":          {func(top string) { chmod(filepath.Join(top, "up"), 0o775) }, ""},
		"where a link leads": {func(top string) { chmod(filepath.Join(top, "else"), 0o777) }, "up/specs/link.cue"},
	} {
		t.Run(name, func(t *testing.T) {
			top := t.TempDir()
			dir := filepath.Join(top, "up", "specs")
			for _, folder := range []string{dir, filepath.Join(top, "else")} {
				if err := os.MkdirAll(folder, 0o700); err != nil {
					t.Fatal(err)
				}
			}
			for _, file := range []string{filepath.Join(dir, "a.cue"), filepath.Join(top, "else", "b.cue")} {
				if err := os.WriteFile(file, []byte("cli: {}\n"), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			if err := os.Symlink(filepath.Join(top, "else", "b.cue"), filepath.Join(dir, "link.cue")); err != nil {
				t.Fatal(err)
			}
			c.prepare(top)
			files, diags := ReadDir(dir)
			if c.want == "" {
				if len(files) != 2 || len(diags) != 0 {
					t.Errorf("%d files, %v", len(files), diags)
				}
				return
			}
			if len(diags) != 1 || diags[0].File != filepath.Join(top, filepath.FromSlash(c.want)) || diags[0].Code != CodeUnsafe || !strings.Contains(diags[0].Hint, "chmod o-w "+top) {
				t.Errorf("%v", diags)
			}
		})
	}
}

func TestReadDirMissing(t *testing.T) {
	t.Chdir(t.TempDir())
	files, diags := ReadDir("nowhere")
	if files != nil || len(diags) != 1 || diags[0].Code != CodeNoFolder || diags[0].String() != "nowhere: no such file or directory" {
		t.Errorf("%v %v", files, diags)
	}
	write(t, "file", "")
	if _, diags := ReadDir("file"); len(diags) != 1 || diags[0].Code == CodeNoFolder {
		t.Errorf("%v", diags)
	}
}

func TestReadFile(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	write(t, "x.cue", "cli: {}")
	if f, ok, diags := ReadFile(filepath.Join(dir, "x.cue")); !ok || f.Name != "x.cue" || string(f.Data) != "cli: {}" {
		t.Errorf("%v %v", f, diags)
	}
	if _, ok, diags := ReadFile("y.cue"); ok || len(diags) != 1 || diags[0].String() != "y.cue: no such file or directory" {
		t.Error(diags)
	}
}

// TestOneForeignFile: what others could have written is refused alone as in its folder.
func TestOneForeignFile(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("there are no modes")
	}
	dir := t.TempDir()
	file := filepath.Join(dir, "x.cue")
	write(t, file, "cli: {}")
	for _, name := range []string{file, dir} {
		if err := os.Chmod(name, 0o777); err != nil {
			t.Fatal(err)
		}
		_, all := ReadDir(dir)
		if _, ok, diags := ReadFile(file); ok || len(diags) != 1 || diags[0].Code != CodeUnsafe || len(all) != 1 || diags[0] != all[0] {
			t.Errorf("%v, and in its folder %v", diags, all)
		}
		if err := os.Chmod(name, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	if _, ok, diags := ReadFile(file); !ok {
		t.Error(diags)
	}
}

func TestReadFS(t *testing.T) {
	files, err := ReadFS(fstest.MapFS{"b.cue": {}, "a.yml": {}, "embed.go": {}, "snapshot.json": {}, "sub/c.cue": {}}, "built-in")
	if err != nil || listed(files) != "built-in/a.yml built-in/b.cue" {
		t.Errorf("%s %v", listed(files), err)
	}
}
