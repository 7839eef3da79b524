package load

import (
	"fmt"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"

	"github.com/llm-cli-gateway/gateway/engine/lang/specfiles"
)

const layersCUE = `
cli: acme: {
	bin: "acme"
	argv: ["{params}"]
	params: kind: {doc: "Kind", flag: "--kind", enum: ["safe", "fast", "wild"], danger: ["wild"]}
	params: yolo: {doc: "Yolo", flag: "--yolo", type: "bool", danger: true}
	env: drop: ["IN_A"]
	prompt: expands: ["@path"]
	risk: [{id: "wild", when: "kind == 'wild'", score: 10, reason: "wild"}, {when: "yolo", score: 5}]
	version: {argv: ["--version"]}
	versions: "<2": timeouts: idleMs: 5000
}
risk: night: {when: "prompt == 'night'", score: 5}
policy: {
	low: {approve: 4, ask: 14, deny: ["night"]}
	mid: {approve: 14, ask: 20, includes: "low", human: "deny"}
	high: {approve: 100, includes: "mid"}
}
gateway: {env: drop: ["IN_B"], approvals: {policy: "mid", danger: "allow", enforce: false}}
`

// TestLayers lays files over one another: each begins with a line that says in which layer
// it is ("site", or any other name), and all come after layersCUE. The result is what is
// wrong, and what the settings and the entries under "show" come to. It is the same with a
// snapshot of the lowest layer.
func TestLayers(t *testing.T) {
	base := layer("base.cue", layersCUE)
	snapshot, diags := Snapshot(base)
	if diags != nil {
		t.Fatal(diags)
	}
	archives(t, "layers", 10, func(t *testing.T, name string, a *txtar.Archive) {
		given, o, show := []Layer{base}, Options{Memory: &Memory{}}, []string{}
		for _, f := range a.Files {
			switch {
			case f.Name == "want":
			case f.Name == "show":
				show = strings.Fields(string(f.Data))
			case f.Name == "env":
				o.Environ = strings.Fields(string(f.Data))
			default:
				given = append(given, Layer{Site: strings.HasPrefix(f.Name, "site"), Files: []specfiles.File{{Name: f.Name, Data: f.Data}}})
			}
		}
		res := Load(given, o)
		var b strings.Builder
		for _, d := range res.Diagnostics {
			fmt.Fprintln(&b, d)
		}
		if res.Spec != nil {
			root := mustParse(t, asJSON(t, res.Spec))
			for _, path := range show {
				fmt.Fprintf(&b, "%s = ", path)
				if n, depth := root.lookup(strings.Split(path, ".")); depth == strings.Count(path, ".")+1 {
					b.Write(alone(nil, n))
				}
				b.WriteByte('\n')
			}
		}
		golden(t, name, a, []byte(b.String()))
		o.Memory, o.Snapshot = nil, snapshot
		fast := Load(given, o)
		if fmt.Sprint(fast.Diagnostics) != fmt.Sprint(res.Diagnostics) || res.Spec != nil && asJSON(t, fast.Spec) != asJSON(t, res.Spec) {
			t.Errorf("with a snapshot: %v\n%s", fast.Diagnostics, asJSON(t, fast.Spec))
		}
	})
}

func mustParse(t *testing.T, text string) *node {
	t.Helper()
	r := &report{}
	tree := parse(specfiles.File{Name: "x.cue", Data: []byte(text)}, Evaluation{}, r)
	if len(r.list) > 0 {
		t.Fatal(r.list)
	}
	return tree.root
}
