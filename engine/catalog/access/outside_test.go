package access

import (
	"path"
	"strings"
	"testing"
)

// matches is a glob as programs read it: ** crosses directories, nothing else does.
func matches(glob, name string) bool {
	glob = strings.ReplaceAll(glob, "[-]", "-") // which only this package does not know
	if whole, ok := strings.CutSuffix(glob, "/**"); ok {
		for i := range name {
			if name[i] != '/' || i == 0 {
				continue
			}
			if ok, _ := path.Match(whole, name[:i]); ok {
				return true
			}
		}
		return false
	}
	ok, err := path.Match(glob, name)
	return err == nil && ok
}

func TestOutside(t *testing.T) {
	for _, dir := range []string{"/home/ann/re.po-1", "/r", "/a/été b"} {
		words, err := outside("--deny=Edit("+slotOutsideCaret+")", dir)
		if err != nil {
			t.Fatal(err)
		}
		refused := func(name string) bool {
			for _, word := range words {
				if matches(strings.TrimSuffix(strings.TrimPrefix(word, "--deny=Edit("), ")"), name) {
					return true
				}
			}
			return false
		}
		for _, name := range []string{dir + "/x", dir + "/x/y", dir + "/.git/config"} {
			if refused(name) {
				t.Errorf("%s is said to be outside of %s", name, dir)
			}
		}
		for _, name := range []string{"/x", "/x/y/z", dir + "x", dir + "x/y", dir[:len(dir)-1], dir[:len(dir)-1] + "x/y", path.Dir(dir) + "/x", "/etc/passwd", "/hom/x", "/tmp/" + dir + "/x"} {
			if name = path.Clean(name); name != "/" && !refused(name) {
				t.Errorf("%s is not said to be outside of %s", name, dir)
			}
		}
	}
}

func TestOutsideOfADirectoryThatGlobsCannotName(t *testing.T) {
	for _, dir := range []string{"/a/[b]", "/a*", "/a!", "/a^", "/a{b}", "/a(b)", "/a/\U0001F600", `C:\a`} {
		if words, err := outside("--deny="+slotOutside, dir); err == nil {
			t.Errorf("%s: %q", dir, words)
		}
	}
	if words, err := outside("--restricted", "/a*"); err != nil || len(words) != 1 {
		t.Errorf("%q, %v", words, err)
	}
}
