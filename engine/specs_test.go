package engine_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/llm-cli-gateway/gateway/engine/catalog"
	"github.com/llm-cli-gateway/gateway/engine/lang"
	"github.com/llm-cli-gateway/gateway/engine/lang/check"
	"github.com/llm-cli-gateway/gateway/engine/lang/specfiles"
	"github.com/llm-cli-gateway/gateway/engine/tools"
)

// TestToolSnapshots makes every change of what clients can be offered show in a diff.
func TestToolSnapshots(t *testing.T) {
	cat := *builtIn(t).Catalog
	cat.Settings.Tools.List = lang.Shown{lang.Everything}
	for profile, folder := range map[string]string{tools.Full: "tools", tools.Compact: "tools-compact"} {
		offered := tools.Tools{Catalog: func() *catalog.Catalog { return &cat }, Profile: profile}
		snapshots(t, filepath.Join("testdata", folder), offered.List())
	}
}

func snapshots(t *testing.T, folder string, listed []catalog.Tool) {
	t.Helper()
	update := os.Getenv("GATEWAY_UPDATE") != ""
	if update {
		if err := errors.Join(os.RemoveAll(folder), os.MkdirAll(folder, 0o755)); err != nil {
			t.Fatal(err)
		}
	}
	known := []string{}
	for _, tool := range listed {
		for _, wrong := range check.Lint(tool) {
			t.Errorf("%s: %s", tool.Name, wrong)
		}
		var got bytes.Buffer
		if err := json.Indent(&got, tool.Listing(), "", "  "); err != nil {
			t.Fatal(err)
		}
		got.WriteByte('\n')
		name := tool.Name + ".json"
		known = append(known, name)
		file := filepath.Join(folder, name)
		if update {
			if err := os.WriteFile(file, got.Bytes(), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(file)
		if err != nil || !bytes.Equal(want, got.Bytes()) {
			t.Errorf("%s is not what the specs give (%v); GATEWAY_UPDATE=1 rewrites it, review the change\ngot:\n%s", file, err, got.Bytes())
		}
	}
	entries, err := os.ReadDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if !slices.Contains(known, e.Name()) {
			t.Errorf("%s is the snapshot of no tool", filepath.Join(folder, e.Name()))
		}
	}
}

// TestRenamed loads the built-in specs with the name and program of every CLI
// replaced by an invented one. If all that comes of them is the same but for the
// names, nothing in the engine depends on one.
func TestRenamed(t *testing.T) {
	before := builtIn(t)
	pairs := []string{}
	invented := []string{"arbo", "bolda", "cressi", "dorna", "elvo", "fenni", "gorla", "hasko", "ilmo", "jaspi", "kerbo", "lumna", "morvi", "nelda", "osko", "pelvi"}
	for i, cli := range before.Catalog.CLIs {
		for _, name := range []string{cli.Name, filepath.Base(cli.Bin)} {
			to := invented[i%len(invented)]
			for _, form := range []func(string) string{strings.ToLower, strings.ToUpper, titled} {
				pairs = append(pairs, form(name), form(to))
			}
		}
	}
	rename := strings.NewReplacer(pairs...).Replace
	files := []specfiles.File{}
	for _, f := range builtInFiles(t) {
		files = append(files, specfiles.File{Name: rename(f.Name), Data: []byte(rename(string(f.Data)))})
	}

	after := loadSpecs(t, files) // vetted: examples and proofs included
	if len(after.Catalog.CLIs) != len(before.Catalog.CLIs) {
		t.Fatalf("%d CLIs became %d", len(before.Catalog.CLIs), len(after.Catalog.CLIs))
	}
	for _, was := range before.Catalog.CLIs {
		is, ok := after.Catalog.CLI(rename(was.Name))
		if !ok {
			t.Errorf("%s is gone", was.Name)
			continue
		}
		if is.Name == was.Name {
			t.Errorf("%s was not renamed", was.Name)
		}
		if want, got := rename(string(was.Describe().Listing())), string(is.Describe().Listing()); want != got {
			t.Errorf("%s changed with its name\nwant: %s\ngot:  %s", was.Name, want, got)
		}
		if want, got := len(check.Proofs(was)), len(check.Proofs(is)); want != got {
			t.Errorf("%s: %d proofs became %d", was.Name, want, got)
		}
	}
}

func titled(s string) string { return strings.ToUpper(s[:1]) + s[1:] }
