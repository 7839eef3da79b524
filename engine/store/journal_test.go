package store

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

func TestJournalIsPrivate(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state", "approvals.jsonl")
	j := Journal{Path: path}
	mode := func() os.FileMode {
		t.Helper()
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		return info.Mode().Perm()
	}
	if err := j.Append(Approval{ID: NewID(), Note: "it is <late>"}); err != nil {
		t.Fatal(err)
	}
	if os.PathSeparator == '/' && mode() != 0o600 {
		t.Errorf("mode %v", mode())
	}
	if err := os.Chmod(path, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := j.Append(Approval{Note: "<&>\n"}); err != nil {
		t.Fatal(err)
	}
	if os.PathSeparator == '/' && mode() != 0o600 {
		t.Errorf("mode %v after others could read it", mode())
	}
	text, err := os.ReadFile(path)
	if lines := strings.Split(string(text), "\n"); err != nil || len(lines) != 3 || !strings.Contains(lines[1], `"note":"<&>\n"`) || lines[2] != "" {
		t.Errorf("%s, %v", text, err)
	}
	if err := (Journal{Path: filepath.Join(path, "x")}).Append(1); err == nil {
		t.Error("a folder that is a file")
	}
	if err := j.Append(func() {}); err == nil {
		t.Error("what has no JSON")
	}
}

// TestJournalOfMany holds that lines written at once do not run into each other.
func TestJournalOfMany(t *testing.T) {
	j := Journal{Path: filepath.Join(t.TempDir(), "approvals.jsonl")}
	const writers, each = 8, 50
	var wait sync.WaitGroup
	for w := range writers {
		wait.Go(func() {
			for i := range each {
				if err := j.Append(Approval{Note: fmt.Sprint(w, " ", i, strings.Repeat("x", 3000))}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wait.Wait()
	text, err := os.ReadFile(j.Path)
	if err != nil {
		t.Fatal(err)
	}
	lines := bytes.Split(bytes.TrimSuffix(text, []byte("\n")), []byte("\n"))
	if len(lines) != writers*each {
		t.Errorf("%d lines", len(lines))
	}
	for _, line := range lines {
		if err := json.Unmarshal(line, &Approval{}); err != nil {
			t.Fatalf("%v: %s", err, line)
		}
	}
}

func TestTrimJournal(t *testing.T) {
	now := time.Now().UTC()
	line := func(days int) string {
		return fmt.Sprintf("{\"id\":\"%d\",\"time\":%q}\n", days, now.AddDate(0, 0, -days).Format(time.RFC3339Nano))
	}
	for name, c := range map[string]struct {
		text, want string
		removed    int
	}{
		"old ones":           {line(9) + line(8) + line(2) + line(1), line(2) + line(1), 2},
		"not in their order": {line(1) + line(9) + line(2), line(1) + line(2), 1},
		"none":               {line(1), line(1), 0},
		"all":                {line(9), "", 1},
		"empty":              {"", "", 0},
		"what tells no time": {"{}\nnot JSON\n\n" + line(9) + `{"time":5}` + "\n", "{}\nnot JSON\n\n" + `{"time":5}` + "\n", 1},
		"a torn end":         {line(9) + `{"id":"x","time":"20`, `{"id":"x","time":"20`, 1},
		"a long line":        {strings.Replace(line(9), `"9"`, `"`+strings.Repeat("x", 1<<20)+`"`, 1) + line(1), line(1), 1},
	} {
		t.Run(name, func(t *testing.T) {
			j := Journal{Path: filepath.Join(t.TempDir(), "approvals.jsonl")}
			if err := os.WriteFile(j.Path, []byte(c.text), 0o600); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(j.Path+".new", []byte("left by one that was killed"), 0o600); err != nil {
				t.Fatal(err)
			}
			n, err := j.Trim(now.AddDate(0, 0, -5))
			text, _ := os.ReadFile(j.Path)
			if n != c.removed || err != nil || string(text) != c.want {
				t.Errorf("%d, %v: %q", n, err, text)
			}
		})
	}
}

func TestTrimJournalElsewhere(t *testing.T) {
	dir := t.TempDir()
	j := Journal{Path: filepath.Join(dir, "approvals.jsonl")}
	if n, err := j.Trim(time.Now()); n != 0 || err != nil {
		t.Errorf("without a file: %d, %v", n, err)
	}
	real := Journal{Path: filepath.Join(dir, "real.jsonl")}
	if err := real.Append(Approval{Time: time.Now().AddDate(-1, 0, 0)}); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(real.Path, j.Path); err != nil {
		t.Skip(err)
	}
	if n, err := j.Trim(time.Now()); n != 1 || err != nil {
		t.Errorf("by a link: %d, %v", n, err)
	}
	if info, err := os.Lstat(j.Path); err != nil || info.Mode()&os.ModeSymlink == 0 {
		t.Error("the link became a file")
	}
}

// TestTrimWhileOthersWrite: nothing that is written at the same time is lost.
func TestTrimWhileOthersWrite(t *testing.T) {
	j := Journal{Path: filepath.Join(t.TempDir(), "approvals.jsonl"), lockTimeout: time.Hour}
	const writers, each = 4, 20
	old := time.Now().AddDate(-2, 0, 0)
	var writing, trimming sync.WaitGroup
	wrote := make(chan struct{})
	for w := range writers {
		writing.Go(func() {
			for i := range each {
				at := time.Now()
				if i%2 == 0 {
					at = old
				}
				if err := j.Append(Approval{ID: fmt.Sprint(w, "-", i), Time: at}); err != nil {
					t.Error(err)
				}
				select {
				case wrote <- struct{}{}:
				default:
				}
			}
		})
	}
	for range 2 {
		trimming.Go(func() {
			for range wrote { // each leaves time for a line to be written
				if _, err := j.Trim(old.AddDate(1, 0, 0)); err != nil {
					t.Error(err)
				}
			}
		})
	}
	writing.Wait()
	close(wrote)
	trimming.Wait()
	if _, err := j.Trim(old.AddDate(1, 0, 0)); err != nil {
		t.Error(err)
	}
	text, err := os.ReadFile(j.Path)
	if err != nil {
		t.Fatal(err)
	}
	for w := range writers {
		for i := range each {
			id := fmt.Sprintf("%q", fmt.Sprint(w, "-", i))
			if strings.Contains(string(text), id) != (i%2 == 1) {
				t.Errorf("%s: %t", id, strings.Contains(string(text), id))
			}
		}
	}
}
