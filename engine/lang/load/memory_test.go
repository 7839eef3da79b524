package load

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"strings"
	"sync"
	"testing"

	"github.com/llm-cli-gateway/gateway/engine/lang/diagnostic"
	"github.com/llm-cli-gateway/gateway/engine/lang/specfiles"
)

// edits are states of a user's file: good ones, broken ones, and some that speak of the
// same things in other files.
var edits = []string{
	``,
	`cli: mine: {bin: "mine", argv: ["{params}"], params: model: {doc: "Model", flag: "--model"}}`,
	`cli: mine: {bin: "mine", argv: ["{params}"], params: model: {doc: "Other", flag: "--model"}}`,
	`cli: mine: {bin: "mine", argv: ["{params}"], params: model: {doc: "Model", flag: "model"}}`,
	`cli: mine: {bin: "mine", argv: ["{params}"], versions: "<2": params: model: flag: "--m", params: model: {doc: "Model", flag: "--model"}}`,
	`cli: mine: {bin: "mine", argv: ["{params}"], versions: "<2": params: model: flag: "m", params: model: {doc: "Model", flag: "--model"}}`,
	`cli: mine: null`,
	`cli: mine: params: model: doc: "One word of a patch"`,
	`cli: mine: {`,
	`gateway: jobs: syncMs: 1000`,
	`gateway: jobs: syncMs: "x"`,
	`mcp: docs: {command: "docs", title: "Documents"}`,
	`mcp: docs: {command: "sh"}`,
	`policy: own: {approve: 10}`,
	`policy: null`,
	`risk: own: {when: "promptLength > 3", score: 5}`,
	`risk: own: {when: "nothing > 3", score: 5}`,
	`let n = "computed"
cli: mine: {bin: n, argv: []}`,
}

// TestMemoryChangesNothing walks through states of three files at random, each loaded with
// the memory of all that went before and without any.
func TestMemoryChangesNothing(t *testing.T) {
	memory := &Memory{}
	base := many(2, ".cue")
	base.Files = append(base.Files, specfiles.File{Name: "common.cue", Data: []byte(`policy: strict: {approve: 5}, mcp: files: {command: "files"}`)})
	snapshot := snapshotOf(t, base)
	dice := rand.New(rand.NewPCG(1, 2))
	texts := []string{"", "", ""}
	for step := range 80 {
		texts[dice.IntN(len(texts))] = edits[dice.IntN(len(edits))]
		layers := []Layer{base, layer("a.cue", texts[0]), layer("b.cue", texts[1])}
		layers[2].Files = append(layers[2].Files, specfiles.File{Name: "c.cue", Data: []byte(texts[2])})
		o := Options{Snapshot: snapshot}
		if step%4 == 0 {
			o.Snapshot = nil
		}
		want := Load(layers, o)
		o.Memory = memory
		got := Load(layers, o)
		if !reflect.DeepEqual(got.Diagnostics, want.Diagnostics) {
			t.Fatalf("step %d, %q:\ngot  %v\nwant %v", step, texts, got.Diagnostics, want.Diagnostics)
		}
		if (got.Catalog == nil) != (want.Catalog == nil) {
			t.Fatalf("step %d, %q: a catalog %v, want %v", step, texts, got.Catalog != nil, want.Catalog != nil)
		}
		if got.Catalog == nil {
			continue
		}
		if got.Catalog.Digest() != want.Catalog.Digest() || !reflect.DeepEqual(got.Spec, want.Spec) {
			t.Fatalf("step %d, %q: another spec", step, texts)
		}
		for i, cli := range want.Catalog.CLIs {
			if a, b := string(got.Catalog.CLIs[i].InputSchema()), string(cli.InputSchema()); a != b {
				t.Fatalf("step %d, %q: %s has the schema\n%s\nwant\n%s", step, texts, cli.Name, a, b)
			}
		}
	}
}

// TestMemoryCompilesWhatChanged: the rest of the next catalog is that of the one before.
func TestMemoryCompilesWhatChanged(t *testing.T) {
	for _, snapshot := range [][]byte{nil, snapshotOf(t, many(2, ".cue"))} {
		o := Options{Memory: &Memory{}, Snapshot: snapshot}
		base, user := many(2, ".cue"), many(10, ".cue")
		user.Files = user.Files[2:]
		first := mustLoad(t, o, base, user)
		for _, replace := range []struct {
			old, new string
			same     int // of the user's
		}{{"mini", "midi", 7}, {"midi", "midi", 8}, {"Parameter 3", "Parameter three", 7}, {"cli: c5: {", "cli: {", 8}} {
			user.Files[3].Data = []byte(strings.Replace(string(user.Files[3].Data), replace.old, replace.new, 1))
			broken := replace.new == "cli: {"
			res := Load([]Layer{base, user}, o)
			if broken {
				if res.Catalog != nil {
					t.Fatal("broken text gave a catalog")
				}
				user.Files[3].Data = []byte(strings.Replace(string(user.Files[3].Data), replace.new, replace.old, 1))
				res = mustLoad(t, o, base, user)
			}
			same := 0
			for i, cli := range first.Catalog.CLIs {
				if res.Catalog.CLIs[i] == cli {
					same++
				}
			}
			if want := len(first.Catalog.CLIs) - 8 + replace.same; same != want {
				t.Errorf("%s for %s: %d CLIs are those of before, want %d", replace.new, replace.old, same, want)
			}
			first = res
		}
	}
}

// TestMemoryIsShared: loads at once are one after the other.
func TestMemoryIsShared(t *testing.T) {
	o := Options{Memory: &Memory{}}
	var group sync.WaitGroup
	for i := range 8 {
		group.Go(func() {
			text := fmt.Sprintf(`cli: x%d: {bin: "x", argv: []}`, i%3)
			if res := Load([]Layer{many(3, ".cue"), layer("x.cue", text)}, o); res.Catalog == nil {
				t.Error(res.Diagnostics)
			}
		})
	}
	group.Wait()
}

func snapshotOf(t *testing.T, base Layer) []byte {
	t.Helper()
	text, diags := Snapshot(base)
	if diagnostic.Failed(diags) {
		t.Fatal(diags)
	}
	return text
}
