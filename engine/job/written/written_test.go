package written

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/llm-cli-gateway/gateway/engine/host"
	"github.com/llm-cli-gateway/gateway/engine/lang"
)

var began = time.Now().Add(-time.Minute)

// place is a home with the files of conversations.
type place struct {
	t    *testing.T
	home string
}

func newPlace(t *testing.T) place { return place{t, t.TempDir()} }

// write writes a file that was changed at a time.
func (p place) write(name, text string, at time.Time) string {
	p.t.Helper()
	file := filepath.Join(p.home, name)
	err := os.MkdirAll(filepath.Dir(file), 0o700)
	if err == nil {
		err = os.WriteFile(file, []byte(text), 0o600)
	}
	if err == nil {
		err = os.Chtimes(file, at, at)
	}
	if err != nil {
		p.t.Fatal(err)
	}
	return file
}

// read is what is read for a conversation, or what is wrong.
func (p place) read(spec lang.OutputFileSpec, session string) string {
	p.t.Helper()
	variables := host.Variables{"HOME=" + p.home, "ACME_HOME=" + filepath.Join(p.home, "moved")}
	f, err := Opener(spec, Run{Folder: p.home, Variables: variables, Began: began})(session)
	if err != nil {
		return err.Error()
	}
	defer f.Text.Close()
	text, err := io.ReadAll(f.Text)
	if err != nil {
		p.t.Fatal(err)
	}
	if f.Cut {
		return fmt.Sprintf("the end: %.20q, %d bytes", text, len(text))
	}
	return string(text)
}

func TestFileOfAConversation(t *testing.T) {
	p := newPlace(t)
	now, before := time.Now(), began.Add(-time.Hour)
	p.write(".acme/2026/11/30/run-1-abc.jsonl", "older name", now)
	p.write(".acme/2026/12/01/run-1-abc.jsonl", "newest", now)
	p.write(".acme/2026/12/01/run-2-abcd.jsonl", "of another", now)
	p.write(".acme/2026/12/02/run-1-abc.jsonl", "unchanged", before)
	p.write(".acme/2026/12/02/run-1-old.jsonl", "unchanged", before)
	p.write("moved/abc/log.jsonl", "moved", now)
	p.write(".acme/2026/12/02/run-1-[x]*.jsonl", "odd", now)
	dated := lang.OutputFileSpec{Path: "~/.acme/*/*/*/run-*-{session}.jsonl", Format: "jsonl"}
	for _, c := range []struct {
		spec          lang.OutputFileSpec
		session, want string
	}{
		{dated, "abc", "newest"},
		{dated, "old", "was not changed during the run"},
		{dated, "none", "is not there"},
		{dated, "[x]*", "odd"},
		{dated, "*", "is not there"},
		{dated, "../abc", "cannot be found: the id of its conversation is no name of a file"},
		{dated, "..", "cannot be found: the id of its conversation is no name of a file"},
		{dated, "", "cannot be found: its conversation is unknown"},
		{lang.OutputFileSpec{Path: "{ACME_HOME:~/.acme}/{session}/log.jsonl"}, "abc", "moved"},
		{lang.OutputFileSpec{Path: "{ACME_OTHER:~/moved}/{session}/log.jsonl"}, "abc", "moved"},
		{lang.OutputFileSpec{Path: "~/nowhere/{session}.jsonl"}, "abc", "is not there"},
	} {
		if got := p.read(c.spec, c.session); got != c.want {
			t.Errorf("%s of %q: %q, want %q", c.spec.Path, c.session, got, c.want)
		}
	}
}

func TestWhatIsNoSuchFile(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("links need a right there")
	}
	p := newPlace(t)
	secret := p.write("secret", "secret", time.Now())
	p.write("acme/real/log-in.jsonl", "inside", time.Now())
	link := func(to, name string) {
		t.Helper()
		if err := os.Symlink(to, filepath.Join(p.home, name)); err != nil {
			t.Fatal(err)
		}
	}
	link(secret, "acme/log-out.jsonl")
	link("../secret", "acme/log-up.jsonl")
	link("real/log-in.jsonl", "acme/log-in.jsonl")
	link(secret, "last.txt")
	if err := os.Mkdir(filepath.Join(p.home, "acme/log-dir.jsonl"), 0o700); err != nil {
		t.Fatal(err)
	}
	own := lang.OutputFileSpec{Path: "~/acme/log-{session}.jsonl"}
	for session, want := range map[string]string{"out": "is not there", "up": "is not there", "dir": "is not there", "in": "inside"} {
		if got := p.read(own, session); got != want {
			t.Errorf("%s: %q, want %q", session, got, want)
		}
	}
	if got := p.read(lang.OutputFileSpec{Name: "last.txt"}, ""); got != "is not a regular file" {
		t.Errorf("a link in place of a private file: %q", got)
	}
	if got := p.read(lang.OutputFileSpec{Name: "none.txt"}, ""); got != "is not there" {
		t.Errorf("a missing private file: %q", got)
	}
	if got := p.read(lang.OutputFileSpec{Name: "secret"}, ""); got != "secret" {
		t.Errorf("a private file: %q", got)
	}
}

func TestLongFiles(t *testing.T) {
	p := newPlace(t)
	long := strings.Repeat("x", maxSize) + "\nthe last line\n"
	p.write("a.jsonl", long, time.Now())
	if got, want := p.read(lang.OutputFileSpec{Name: "a.jsonl", Format: "jsonl"}, ""), `the end: "the last line\n", 14 bytes`; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	if got, want := p.read(lang.OutputFileSpec{Name: "a.jsonl", Format: "json"}, ""), fmt.Sprintf("has %d bytes, at most %d are read", len(long), maxSize); got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestTooManyFiles(t *testing.T) {
	p := newPlace(t)
	p.write("acme/a/abc.jsonl", "found", time.Now())
	root, err := os.OpenRoot(filepath.Join(p.home, "acme"))
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	s := search{root: root, began: began, seen: maxEntries - 1}
	if name, err := s.find(".", []string{"*", "abc.jsonl"}); err == nil {
		t.Errorf("found %q", name)
	}
}

func TestChanged(t *testing.T) {
	p := newPlace(t)
	for ms, want := range map[int]bool{-1000: false, -10: true, 0: true, 1000: true} {
		at := began.Add(time.Duration(ms) * time.Millisecond)
		info, err := os.Stat(p.write("f", "x", at))
		if err != nil {
			t.Fatal(err)
		}
		if at.Nanosecond() != 0 && changed(info, began) != want {
			t.Errorf("changed %d ms after the begin: want %t", ms, want)
		}
	}
	whole := began.Truncate(time.Second)
	info, err := os.Stat(p.write("f", "x", whole))
	if err != nil || !changed(info, whole.Add(900*time.Millisecond)) {
		t.Errorf("a clock of seconds: %v", err)
	}
}
