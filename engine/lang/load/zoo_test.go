package load

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"sort"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"

	"github.com/llm-cli-gateway/gateway/engine/lang/diagnostic"
	"github.com/llm-cli-gateway/gateway/engine/lang/specfiles"
)

// loadArchive runs an archive: its files are one layer, or, where they stand in folders, a
// layer for each folder in the order of their names. "env" holds the environment.
func loadArchive(a *txtar.Archive) Result {
	var o Options
	layers := map[string]*Layer{}
	for _, f := range a.Files {
		switch f.Name {
		case "want":
		case "env":
			o.Environ = strings.Fields(string(f.Data))
		default:
			name := filepath.Dir(f.Name)
			if layers[name] == nil {
				layers[name] = &Layer{Name: name}
			}
			layers[name].Files = append(layers[name].Files, specfiles.File{Name: f.Name, Data: f.Data})
		}
	}
	var ordered []Layer
	for _, l := range layers {
		ordered = append(ordered, *l)
	}
	sort.Slice(ordered, func(i, j int) bool { return ordered[i].Name < ordered[j].Name })
	o.Vet = true
	return Load(ordered, o)
}

// golden compares got with the archive's file "want", or rewrites it.
func golden(t *testing.T, name string, a *txtar.Archive, got []byte) {
	t.Helper()
	for i, f := range a.Files {
		if f.Name != "want" {
			continue
		}
		if bytes.Equal(f.Data, got) {
			return
		}
		if os.Getenv("GATEWAY_UPDATE") == "" {
			t.Fatalf("got:\n%swant:\n%s", got, f.Data)
		}
		a.Files[i].Data = got
		if err := os.WriteFile(name, txtar.Format(a), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	t.Fatal(`no file "want"`)
}

func archives(t *testing.T, dir string, atLeast int, run func(t *testing.T, name string, a *txtar.Archive)) {
	names, err := filepath.Glob(filepath.Join("testdata", dir, "*.txtar"))
	if err != nil || len(names) < atLeast {
		t.Fatalf("%d archives: %v", len(names), err)
	}
	for _, name := range names {
		t.Run(strings.TrimSuffix(filepath.Base(name), ".txtar"), func(t *testing.T) {
			a, err := txtar.ParseFile(name)
			if err != nil {
				t.Fatal(err)
			}
			run(t, name, a)
		})
	}
}

// TestZoo loads broken specs, each named by its disease, and compares every line.
func TestZoo(t *testing.T) {
	archives(t, "zoo", 45, func(t *testing.T, name string, a *txtar.Archive) {
		res := loadArchive(a)
		if len(res.Diagnostics) == 0 {
			t.Error("nothing is wrong with it")
		}
		if diagnostic.Failed(res.Diagnostics) != (res.Catalog == nil) || (res.Catalog == nil) != (res.Spec == nil) {
			t.Error("a catalog and a spec come with no error, and only then")
		}
		for _, d := range res.Diagnostics {
			if d.Line == 0 && !strings.HasPrefix(d.File, "env:") {
				t.Errorf("no place: %s", d)
			}
		}
		var got bytes.Buffer
		for _, d := range res.Diagnostics {
			fmt.Fprintln(&got, d)
		}
		golden(t, name, a, got.Bytes())
	})
}
