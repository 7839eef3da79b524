package load

import (
	"fmt"
	"slices"
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

// TestNothingWidensWhatIsLocked lays all kinds of layers over a site that locks everything,
// in orders of three.
func TestNothingWidensWhatIsLocked(t *testing.T) {
	base := layer("base.cue", layersCUE)
	site := layer("site.cue", `gateway: {
		locked: ["enforce", "policy", "danger", "reload"]
		approvals: {enforce: true, policy: "mid", danger: "deny"}
		reload: "hold"
	}`)
	site.Site = true
	var above []Layer
	for _, text := range []string{
		`gateway: null`, `gateway: approvals: null`, `gateway: approvals: {policy: "high"}`, `gateway: approvals: policy: null`,
		`gateway: {approvals: {enforce: false, danger: "allow"}, reload: "all"}`, `gateway: {approvals: {policy: "low", danger: null}, reload: null}`,
		`gateway: approvals: policy: "mine"`, `policy: mine: {approve: 1000, includes: "mid"}`,
		`policy: null`, `policy: low: null`, `policy: low: {approve: 1000, ask: 1000, deny: [], human: "ask"}`, `policy: low: {approve: 2, deny: null}`,
		`policy: mid: {human: null, ask: null, includes: null}`, `policy: mid: includes: "high"`, `policy: mid: {approve: 14, ask: 20}`,
		`risk: null`, `risk: night: null`, `risk: night: {when: "false", score: 0}`, `risk: night: score: 90`,
		`cli: null`, `cli: acme: null`, `cli: acme: {bin: "acme", argv: []}`, `cli: acme: {risk: null, env: null}`, `cli: acme: risk: [{id: "wild", when: "kind == 'wild'", score: 0}]`,
		`cli: acme: params: null`, `cli: acme: params: yolo: null`, `cli: acme: params: yolo: {doc: "Y", flag: "--yolo", type: "bool"}`, `cli: acme: params: yolo: danger: false`,
		`cli: acme: params: kind: danger: null`, `cli: acme: params: kind: danger: []`, `cli: acme: versions: null`, `cli: acme: versions: "<2": null`,
		`cli: acme: versions: "<2": {risk: null, params: yolo: danger: false, params: kind: danger: null}`,
	} {
		above = append(above, layer("x.cue", text))
	}
	memory, loaded := &Memory{}, 0
	for i := range above {
		for j := range above {
			for k := (i + j) % 11; k < len(above); k += 11 {
				res := Load([]Layer{base, site, above[i], above[j], above[k]}, Options{Memory: memory})
				if res.Spec == nil {
					continue // no gateway starts
				}
				loaded++
				if wide := wider(res); wide != "" {
					t.Fatalf("%s\n%s\n%s\n%s", wide, above[i].Files[0].Data, above[j].Files[0].Data, above[k].Files[0].Data)
				}
			}
		}
	}
	if loaded < 1500 {
		t.Errorf("only %d were loaded", loaded)
	}
}

// wider says what of it allows more than the site of TestNothingWidensWhatIsLocked; "" if
// nothing does.
func wider(res Result) string {
	a := res.Spec.Gateway.Approvals
	low, _ := res.Catalog.Approval.Policy("low")
	mid, _ := res.Catalog.Approval.Policy("mid")
	night, _ := res.Spec.Risk.Get("night")
	switch {
	case !a.Enforce || a.Danger != "deny" || a.Policy != "mid" && a.Policy != "low" || res.Spec.Gateway.Reload == "all" || res.Spec.Gateway.Reload == "":
		return fmt.Sprintf("settings %+v", res.Spec.Gateway)
	case low == nil || low.Approve > 4 || low.Limit() > 14 || !slices.Contains(low.Deny, "night"):
		return fmt.Sprintf("low %+v", low)
	case mid == nil || mid.Approve > 14 || mid.Limit() > 14 || mid.Covers("high") || mid.Covers("mine"):
		return fmt.Sprintf("mid %+v", mid)
	case night.When != "prompt == 'night'" || night.Score < 5:
		return fmt.Sprintf("night %+v", night)
	}
	cli, ok := res.Catalog.CLI("acme")
	if !ok {
		return ""
	}
	for _, version := range []string{"1.0", "3.0"} {
		v := cli.At(version)
		if len(v.Risk) < 2 || v.Risk[0].Score < 10 {
			return fmt.Sprintf("risk of %s %+v", version, v.Risk)
		}
		for name, p := range v.CLISpec.Params.All() {
			if p.Danger.IsZero() {
				return fmt.Sprintf("%s of %s %+v", name, version, p)
			}
		}
	}
	return ""
}
