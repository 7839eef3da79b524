package load

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"

	"github.com/llm-cli-gateway/gateway/engine/lang/specfiles"
)

// TestMigrate brings files to the newest version of the language: in.* becomes out.*, in
// its canonical form, or there are diagnostics. What came out stays as it is.
func TestMigrate(t *testing.T) {
	names, err := filepath.Glob(filepath.Join("testdata", "migrate", "*.txtar"))
	if err != nil || len(names) == 0 {
		t.Fatal("no cases", err)
	}
	for _, name := range names {
		t.Run(strings.TrimSuffix(filepath.Base(name), ".txtar"), func(t *testing.T) {
			a, err := txtar.ParseFile(name)
			if err != nil {
				t.Fatal(err)
			}
			in, want := specfiles.File(a.Files[0]), a.Files[1]
			got, diags := Format(in, true, Evaluation{})
			if want.Name == "diagnostics" {
				var lines strings.Builder
				for _, d := range diags {
					fmt.Fprintln(&lines, d)
				}
				if lines.String() != string(want.Data) || got != nil {
					t.Errorf("got %s\nwant %s", &lines, want.Data)
				}
				return
			}
			canonical, wrong := Format(specfiles.File(want), false, Evaluation{})
			if len(diags)+len(wrong) > 0 {
				t.Fatal(diags, wrong)
			}
			if string(got) != string(canonical) {
				t.Errorf("got\n%s\nwant\n%s", got, canonical)
			}
			if again, _ := Format(specfiles.File{Name: in.Name, Data: got}, true, Evaluation{}); string(again) != string(got) {
				t.Errorf("once\n%s\nagain\n%s", got, again)
			}
		})
	}
}

// TestEarlierNamesAreFree: no key has a name now that another had earlier, in the same
// object.
func TestEarlierNamesAreFree(t *testing.T) {
	all := 0
	seen := map[*arm]bool{}
	var visit func(s *shape)
	visit = func(s *shape) {
		for _, a := range s.arms {
			if seen[a] {
				continue
			}
			seen[a] = true
			for earlier, now := range a.now {
				all++
				if _, again := a.fields[earlier]; again || a.fields[now].shape == nil {
					t.Errorf("%s was %s, which is a field as well", now, earlier)
				}
			}
			for _, f := range a.fields {
				visit(f.shape)
			}
			for _, inner := range append(a.first, a.rest) {
				if inner != nil {
					visit(inner)
				}
			}
		}
	}
	visit(fileShape())
	if all < 4 {
		t.Errorf("only %d keys had another name", all)
	}
}
