package describe

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestDescriptionsAreUsed(t *testing.T) {
	columns := map[string]bool{}
	for _, table := range Tables() {
		names := map[string]bool{}
		for _, c := range table.Columns {
			names[c.Name], columns[c.Name] = true, true
			if !strings.HasSuffix(c.About, ".") || strings.Contains(c.About, "|") {
				t.Errorf("%s.%s: %q is no sentence", table.Name, c.Name, c.About)
			}
		}
		if !strings.HasSuffix(table.About, ".") {
			t.Errorf("%s: %q is no sentence", table.Name, table.About)
		}
		for _, s := range sections(recordText) {
			if s.name != table.Name {
				continue
			}
			for _, line := range s.lines[1:] {
				if name, _, _ := strings.Cut(line, ": "); !names[name] {
					t.Errorf("%s has no column for %q", table.Name, line)
				}
			}
		}
	}
	for _, line := range append(sections(recordText)[0].lines, sections(recordText)[0].about) {
		if name, _, _ := strings.Cut(line, ": "); !columns[name] {
			t.Errorf("no table has a column for %q", line)
		}
	}
}

func TestMetadata(t *testing.T) {
	var read struct {
		Databases map[string]struct {
			Tables map[string]struct {
				Columns map[string]string
				FTS     string `json:"fts_table"`
				Hidden  bool
				About   string `json:"description"`
			}
			Queries map[string]struct{ SQL, Title, Description string }
		}
	}
	if err := json.Unmarshal(Metadata("logs"), &read); err != nil {
		t.Fatal(err)
	}
	logs := read.Databases["logs"]
	if calls := logs.Tables["calls"]; calls.Columns["cost_usd"] == "" || calls.FTS != "search" || calls.Hidden || calls.About == "" || !logs.Tables["job"].Hidden {
		t.Errorf("%+v", calls)
	}
	if q := logs.Queries["search"]; !strings.Contains(q.SQL, ":words") || q.Description == "" {
		t.Errorf("%+v", q)
	}
}

// TestFilesOfUsersStay: ours is written where there is none, or an older one of ours.
func TestFilesOfUsersStay(t *testing.T) {
	want := Metadata("calls")
	older := []byte("  \"title\": \"older\"\n}\n")
	older = append([]byte(mark(older)), older...)
	edited := bytes.Replace(want, []byte("Calls of agents"), []byte("My calls"), 1)
	for name, c := range map[string]struct{ there, want []byte }{
		"none":         {nil, want},
		"older":        {older, want},
		"the same":     {want, want},
		"edited":       {edited, edited},
		"the user's":   {[]byte(`{"title": "mine"}`), []byte(`{"title": "mine"}`)},
		"empty":        {[]byte{}, []byte{}},
		"line endings": {bytes.ReplaceAll(want, []byte("\n"), []byte("\r\n")), bytes.ReplaceAll(want, []byte("\n"), []byte("\r\n"))},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			path := filepath.Join(dir, MetadataFile)
			if c.there != nil {
				if err := os.WriteFile(path, c.there, 0o600); err != nil {
					t.Fatal(err)
				}
			}
			for range 2 {
				if err := WriteMetadata(filepath.Join(dir, "calls.db")); err != nil {
					t.Fatal(err)
				}
				got, err := os.ReadFile(path)
				if err != nil || !bytes.Equal(got, c.want) {
					t.Errorf("%.200s, %v", got, err)
				}
			}
			if list, err := os.ReadDir(dir); err != nil || len(list) != 1 {
				t.Errorf("left behind: %v, %v", list, err)
			}
		})
	}
	if err := WriteMetadata(filepath.Join(t.TempDir(), "no", "such", "calls.db")); err == nil {
		t.Error("a folder that is not there is no error")
	}
}
