//go:build unix

package host

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestKeys(t *testing.T) {
	d := t.TempDir()
	home, work := filepath.Join(d, "home*"), filepath.Join(d, "work") // what stands in its name is no pattern
	h := New([]string{"HOME=" + home}, nil, "")
	put(t, filepath.Join(home, "a.json"), `{"servers": {"b": {}, "a": 1}, "other": {"x": 1}, "list": [1]}`, 0o600)
	put(t, filepath.Join(home, "x", "1", "e.json"), `{"servers": {"one": {}}}`, 0o600)
	put(t, filepath.Join(home, "x", "2", "e.json"), "// of the second\n{/* \" */ \"servers\": {\"two\": {\"url\": \"http://x\"}, // }\n\"one\":{}}}", 0o600)
	put(t, filepath.Join(work, ".own", "a.json"), `{"servers": {"here": {}}}`, 0o600)
	put(t, filepath.Join(home, "empty.json"), " \n", 0o600)
	put(t, filepath.Join(home, "torn.json"), `{"servers": {`, 0o600)
	put(t, filepath.Join(home, "comment.json"), `{"servers": {"a": 1}} /* never ends`, 0o600)
	if err := os.Mkdir(filepath.Join(home, "folder.json"), 0o700); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ path, key, want, wrong string }{
		{"~/a.json", "servers", "a b", ""},
		{"~/a.json", "none", "", ""},
		{"~/a.json", "list", "", "a.json cannot be read: list is no object"},
		{"~/x/*/e.json", "servers", "one two", ""},
		{"~/none.json", "servers", "", ""},
		{"~/empty.json", "servers", "", ""},
		{"~/torn.json", "servers", "", "torn.json cannot be read: unexpected end"},
		{"~/comment.json", "servers", "", "comment.json cannot be read: invalid character"},
		{"~/folder.json", "servers", "", "folder.json cannot be read: not a regular file"},
		{".own/a.json", "servers", "here", ""},
		{filepath.Join(home, "a.json"), "other", "x", ""},
	} {
		keys, err := h.Keys(c.path, c.key, work)
		if got := strings.Join(keys, " "); got != c.want || (err == nil) != (c.wrong == "") || err != nil && !strings.Contains(err.Error(), c.wrong) {
			t.Errorf("%s %s: %q, %v; want %q, %q", c.path, c.key, got, err, c.want, c.wrong)
		}
	}
	if _, err := New([]string{"HOME=" + home}, nil, "~/none.env").Keys("~/a.json", "servers", work); err == nil {
		t.Error("an environment file that is not there does no harm")
	}
}
