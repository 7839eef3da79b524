package load

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"

	"github.com/llm-cli-gateway/gateway/engine/lang/diagnostic"
	"github.com/llm-cli-gateway/gateway/engine/lang/specfiles"
)

// FuzzLoad lays any text over a good layer. Whatever it is, nothing panics, what is
// wrong has a place and takes one line, and the snapshot makes no difference.
func FuzzLoad(f *testing.F) {
	zoo, err := filepath.Glob(filepath.Join("testdata", "*", "*.txtar"))
	if err != nil || len(zoo) == 0 {
		f.Fatal(err)
	}
	for _, name := range zoo {
		data, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		for _, file := range txtar.Parse(data).Files {
			if specfiles.IsSpec(file.Name) {
				f.Add(file.Data, filepath.Ext(file.Name) != ".cue")
			}
		}
	}
	base := layer("base.cue", acmeCUE)
	snap, diags := Snapshot(base)
	if diagnostic.Failed(diags) {
		f.Fatal(diags)
	}
	f.Fuzz(func(t *testing.T, data []byte, yaml bool) {
		if strings.Contains(string(data), "import") {
			t.Skip("an endless computation needs a package of CUE, and cannot be ended")
		}
		name := "x.cue"
		if yaml {
			name = "x.yaml"
		}
		layers := []Layer{base, {Name: "fuzz", Files: []specfiles.File{{Name: name, Data: data}}}}
		res := Load(layers, Options{Vet: true})
		for _, d := range res.Diagnostics {
			if d.File == "" || d.Line < 1 || d.Col < 1 || d.Code == "" || d.Message == "" {
				t.Errorf("no place or no words: %+v", d)
			}
			if d.Code == "internal" || d.Code == "schema" {
				t.Errorf("not explained: %s", d)
			}
			if strings.ContainsAny(d.String(), "\r\n") {
				t.Errorf("more than a line: %q", d)
			}
		}
		if diagnostic.Failed(res.Diagnostics) != (res.Catalog == nil) || (res.Spec == nil) != (res.Catalog == nil) {
			t.Errorf("a catalog comes with no error, and only then: %v", res.Diagnostics)
		}
		slow := Load(layers, Options{})
		fast := Load(layers, Options{Snapshot: snap})
		if fmt.Sprint(slow.Diagnostics) != fmt.Sprint(fast.Diagnostics) {
			t.Errorf("from text: %v\nfrom the snapshot: %v", slow.Diagnostics, fast.Diagnostics)
		}
		if slow.Spec != nil && fast.Spec != nil && asJSON(t, slow.Spec) != asJSON(t, fast.Spec) {
			t.Errorf("from text: %s\nfrom the snapshot: %s", asJSON(t, slow.Spec), asJSON(t, fast.Spec))
		}
	})
}
