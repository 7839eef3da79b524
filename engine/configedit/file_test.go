package configedit

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"strings"
	"testing"
)

func write(t *testing.T, name, text string, mode fs.FileMode) string {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(name, mode); err != nil {
		t.Fatal(err)
	}
	return name
}

func content(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestSettings(t *testing.T) {
	dir := t.TempDir()
	name := write(t, filepath.Join(dir, "a.json"), `{"a": 1}`, 0o640)
	c, err := Settings(name, testEntry(t, "mcpServers"))
	if err != nil {
		t.Fatal(err)
	}
	if content(t, name) != `{"a": 1}` {
		t.Error("it was written before it was asked for")
	}
	backup, err := c.Write()
	if err != nil {
		t.Fatal(err)
	}
	if got := content(t, name); got != string(c.New) || !strings.Contains(got, "gateway") {
		t.Errorf("got %s", got)
	}
	if got := content(t, backup); got != `{"a": 1}` {
		t.Errorf("backup %q holds %s", backup, got)
	}
	if runtime.GOOS != "windows" {
		for _, file := range []string{name, backup} {
			if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o640 {
				t.Errorf("%s: %v, %v", file, info.Mode(), err)
			}
		}
	}
	again, err := Settings(name, testEntry(t, "mcpServers"))
	if err != nil || !again.Same() || again.Diff() != "" {
		t.Errorf("again: %v\n%s", err, again.Diff())
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 2 {
		t.Errorf("left behind: %v, %v", entries, err)
	}
}

func TestSettingsOfALink(t *testing.T) {
	dir := t.TempDir()
	real := write(t, filepath.Join(dir, "dotfiles", "a.json"), "{}\n", 0o600)
	link := filepath.Join(dir, "a.json")
	if err := os.Symlink(real, link); err != nil {
		t.Skip(err)
	}
	c, err := Settings(link, testEntry(t, "mcpServers"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Write(); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Lstat(link); err != nil || info.Mode()&fs.ModeSymlink == 0 {
		t.Errorf("the link is gone: %v, %v", info, err)
	}
	if !strings.Contains(content(t, real), "gateway") {
		t.Error("what it leads to has not changed")
	}
}

func TestSettingsThatCannotBe(t *testing.T) {
	dir := t.TempDir()
	broken := write(t, filepath.Join(dir, "broken.json"), "{", 0o600)
	if err := os.Mkdir(filepath.Join(dir, "folder.json"), 0o700); err != nil {
		t.Fatal(err)
	}
	dangling := filepath.Join(dir, "dangling.json")
	if err := os.Symlink(filepath.Join(dir, "nowhere"), dangling); err != nil {
		t.Skip(err)
	}
	for name, want := range map[string]string{
		broken:                              "is not valid JSON at 1:2",
		filepath.Join(dir, "folder.json"):   "is not a regular file",
		dangling:                            "is a broken symbolic link",
		filepath.Join(broken, "below.json"): "cannot read",
	} {
		if _, err := Settings(name, testEntry(t, "mcpServers")); err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if content(t, broken) != "{" {
		t.Error("a file that is broken was changed")
	}
}

// TestSettingsMeanwhile: who else writes the file between two looks wins.
func TestSettingsMeanwhile(t *testing.T) {
	dir := t.TempDir()
	name := write(t, filepath.Join(dir, "a.json"), "{}\n", 0o600)
	c, err := Settings(name, testEntry(t, "mcpServers"))
	if err != nil {
		t.Fatal(err)
	}
	write(t, name, `{"new": 1}`, 0o600)
	if _, err := c.Write(); err == nil || !strings.Contains(err.Error(), "in the meantime") {
		t.Errorf("got %v", err)
	}
	made := filepath.Join(dir, "b.json")
	if c, err = Settings(made, testEntry(t, "mcpServers")); err != nil {
		t.Fatal(err)
	}
	write(t, made, `{"new": 1}`, 0o600)
	if _, err := c.Write(); err == nil {
		t.Error("a file that came meanwhile was replaced")
	}
	if content(t, name) != `{"new": 1}` || content(t, made) != `{"new": 1}` {
		t.Error("what somebody else wrote is lost")
	}
}

func TestPrepare(t *testing.T) {
	dir := t.TempDir()
	pieces := func(version string) []Piece {
		return []Piece{
			{Path: "x/made.txt", Text: []byte("// " + Seal + "\n" + version + "\n")},
			{Path: "start.txt", Text: []byte("begin " + version), Starter: true},
		}
	}
	prepare := func(version, want string) {
		t.Helper()
		steps, err := Prepare(dir, pieces(version))
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, s := range steps {
			switch {
			case s.Kept:
				got = append(got, "kept")
			case s.Same():
				got = append(got, "same")
			case s.Exists:
				got = append(got, "update")
			default:
				got = append(got, "make")
			}
			if err := s.Write(); err != nil {
				t.Error(err)
			}
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%s: %s, want %s", version, got, want)
		}
	}
	prepare("one", "make make")
	prepare("one", "same same")
	if info, err := os.Stat(filepath.Join(dir, "x")); err != nil || runtime.GOOS != "windows" && info.Mode().Perm() != 0o700 {
		t.Errorf("folder: %v, %v", info, err)
	}
	if info, err := os.Stat(filepath.Join(dir, "x", "made.txt")); err != nil || runtime.GOOS != "windows" && info.Mode().Perm() != 0o600 {
		t.Errorf("file: %v, %v", info, err)
	}
	prepare("two", "update same")
	if got := content(t, filepath.Join(dir, "start.txt")); got != "begin one" {
		t.Errorf("starter: %s", got)
	}
	made := filepath.Join(dir, "x", "made.txt")
	own := content(t, made) + "mine\n"
	write(t, made, own, 0o600)
	prepare("two", "kept same")
	prepare("three", "kept same")
	if content(t, made) != own {
		t.Error("what a person wrote is lost")
	}
	write(t, made, "without a sum\n", 0o600)
	prepare("three", "kept same")
}

func TestDiff(t *testing.T) {
	numbered := func(from, to int, change map[int]string) string {
		var b strings.Builder
		for i := from; i <= to; i++ {
			line := strings.Repeat("x", i)
			if c, ok := change[i]; ok {
				line = c
			}
			if line != "-" {
				b.WriteString(line + "\n")
			}
		}
		return b.String()
	}
	for _, c := range []struct{ name, old, new, want string }{
		{"same", "a\n", "a\n", ""},
		{"new", "", "a\nb\n", "@@ -0,0 +1,2 @@\n+a\n+b\n"},
		{"emptied", "a\n", "", "@@ -1,1 +0,0 @@\n-a\n"},
		{"changed", "a\nb\nc\n", "a\nB\nc\n", "@@ -1,3 +1,3 @@\n a\n-b\n+B\n c\n"},
		{"no line feed", "a", "a\n", "@@ -1,1 +1,1 @@\n-a\n\\ No newline at end of file\n+a\n"},
		{"far apart", numbered(1, 20, nil), numbered(1, 20, map[int]string{2: "two", 19: "-"}),
			"@@ -1,5 +1,5 @@\n x\n-xx\n+two\n xxx\n xxxx\n xxxxx\n@@ -16,5 +16,4 @@\n xxxxxxxxxxxxxxxx\n xxxxxxxxxxxxxxxxx\n xxxxxxxxxxxxxxxxxx\n-xxxxxxxxxxxxxxxxxxx\n xxxxxxxxxxxxxxxxxxxx\n"},
		{"close", "a\nb\nc\nd\ne\n", "A\nb\nc\nd\nE\n", "@@ -1,5 +1,5 @@\n-a\n+A\n b\n c\n d\n-e\n+E\n"},
	} {
		want := c.want
		if want != "" {
			want = "--- f\n+++ f\n" + want
		}
		if got := (Change{Name: "f", Old: []byte(c.old), New: []byte(c.new), Exists: true}).Diff(); got != want {
			t.Errorf("%s:\n%s\nwant:\n%s", c.name, got, want)
		}
	}
}

// FuzzEdit: what comes out can be edited again without a change, and is the same text
// where the entry was there.
func FuzzEdit(f *testing.F) {
	for _, seed := range []string{`{"mcpServers": {"a": 1,},}`, "// x\n{}", `{"mcpServers":{"gateway":{"command":"x"}}}`, "a = 1\n[mcpServers.gateway]\ncommand = 1 # x\n"} {
		f.Add([]byte(seed), true)
		f.Add([]byte(seed), false)
	}
	f.Fuzz(func(t *testing.T, text []byte, asJSON bool) {
		name := "a.toml"
		if asJSON {
			name = "a.json"
		}
		got, err := Edit(name, text, testEntry(t, "mcpServers"))
		if err != nil {
			return
		}
		again, err := Edit(name, got, testEntry(t, "mcpServers"))
		if err != nil || string(again) != string(got) {
			t.Errorf("%q\nbecame %q\nand then %q, %v", text, got, again, err)
		}
		if before, after := others(text), others(got); asJSON && before != nil && !reflect.DeepEqual(before, after) {
			t.Errorf("%q\nbecame %q", text, got)
		}
	})
}

// others is the meaning of a JSON text without the entry, nil if it is no object. What is
// left of an object that held nothing else does not count.
func others(text []byte) map[string]any {
	root, err := parseJSON(bytes.TrimPrefix(text, bom))
	if err != nil {
		return nil
	}
	all, _ := meaning(root).(map[string]any)
	if servers, ok := all["mcpServers"].(map[string]any); ok {
		if delete(servers, "gateway"); len(servers) == 0 {
			delete(all, "mcpServers")
		}
	}
	return all
}
