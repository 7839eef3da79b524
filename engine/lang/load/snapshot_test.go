package load

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/llm-cli-gateway/gateway/engine/lang"
	"github.com/llm-cli-gateway/gateway/engine/lang/diagnostic"
)

// TestSnapshotMeansTheSame holds that a load from the snapshot cannot be told from
// one from text, whatever lies above.
func TestSnapshotMeansTheSame(t *testing.T) {
	base := layer("acme.cue", acmeCUE, "zeta.yaml", "cli:\n  zeta: {bin: zeta, argv: ['{params}'], version: {argv: [-v], match: \"(<&>\\u2028) 'x'\"}, params: {p: {doc: P, flag: --p}}, versions: {'<2': {params: {p: {flag: --q}}}}}\nclient: {desk: {title: Desk, add: 'add {gateway}'}}\n"+
		"policy: {low: {approve: 1, deny: [big]}, high: {approve: 9, ask: 12, includes: low}}\nrisk: {big: {when: 'len(prompt) > 99', score: 5}}\n")
	snap, diags := Snapshot(base)
	if diagnostic.Failed(diags) {
		t.Fatal(diags)
	}
	for name, c := range map[string]struct {
		above []Layer
		env   []string
	}{
		"nothing above":      {},
		"environment":        {env: []string{"LLM_GATEWAY_LOGS_DB=", "DEBUG=x", "OTHER=1"}},
		"policy":             {above: []Layer{layer("m.cue", `policy: {low: human: "deny", mine: {approve: 0, includes: "low"}}`)}},
		"policy, bad":        {above: []Layer{layer("m.cue", `policy: high: approve: 0`)}},
		"policy, gone":       {above: []Layer{layer("m.yaml", "policy: {low: ~}")}},
		"no policies":        {above: []Layer{layer("m.yaml", "policy: ~\nrisk: ~")}},
		"rule":               {above: []Layer{layer("m.cue", `risk: {big: score: 6, small: {when: "prompt == ''", score: 1}}`)}},
		"rule, bad":          {above: []Layer{layer("m.cue", `risk: big: when: "promt == ''"`)}},
		"policy of calls":    {env: []string{"LLM_GATEWAY_APPROVAL_POLICY=high"}},
		"policy, unknown":    {env: []string{"LLM_GATEWAY_APPROVAL_POLICY=hihg"}},
		"bad environment":    {env: []string{"LLM_GATEWAY_OUTPUT_CAP=x"}},
		"alias":              {above: []Layer{layer("m.cue", `cli: acme: models: aliases: fast: "mini"`)}},
		"alias, bad":         {above: []Layer{layer("m.cue", `cli: acme: models: aliases: "a b": "mini"`)}},
		"string over object": {above: []Layer{layer("m.cue", `cli: acme: session: capture: {when: "true", take: "event.x"}`)}},
		"half an object":     {above: []Layer{layer("m.cue", `cli: acme: session: capture: {when: "true"}`)}},
		"delete":             {above: []Layer{layer("m.yaml", "cli: {zeta: ~}\ngateway: ~")}},
		"delete nothing":     {above: []Layer{layer("m.yaml", "cli: {zetta: ~}")}},
		"delete and remake":  {above: []Layer{layer("m.yaml", "cli: {zeta: ~}"), layer("n.yaml", "cli: {zeta: {bin: z, argv: []}}")}},
		"delete all":         {above: []Layer{layer("m.yaml", "cli: ~"), layer("n.yaml", "cli: {acme: {bin: z, argv: []}}")}},
		"unknown null":       {above: []Layer{layer("m.yaml", "clii: ~")}},
		"versions":           {above: []Layer{layer("m.yaml", "cli: {zeta: {params: {p: {style: sep}}, versions: {'<2': {argv: [x, '{params}']}, '>=3': {}}}}")}},
		"bad versions":       {above: []Layer{layer("m.yaml", "cli: {zeta: {versions: {'<2': {params: {p: {flag: q}}}, '>=1': {}}}}")}},
		"add":                {above: []Layer{layer("m.yaml", "cli: {nova: {bin: nova, argv: ['{params}']}}\nclient: {term: {title: T, add: a}}\nlanguage: 1")}},
		"unknown field":      {above: []Layer{layer("m.yaml", "cli: {acme: {sesion: {}}}")}},
		"bad expression":     {above: []Layer{layer("m.yaml", "cli: {acme: {success: 'foo == 1'}}")}},
		"syntax":             {above: []Layer{layer("m.yaml", "cli: [")}},
		"not an object":      {above: []Layer{layer("m.yaml", "cli: 5\ngateway: 6")}},
		"all at once": {above: []Layer{layer("m.cue", `cli: acme: {title: "T", params: depth: null, risk: null}`, "n.yaml", "gateway: {debug: true}")},
			env: []string{"LLM_GATEWAY_WALL_TIMEOUT_MS=5000"}},
	} {
		t.Run(name, func(t *testing.T) {
			layers := append([]Layer{base}, c.above...)
			want := Load(layers, Options{Environ: c.env})
			got := Load(layers, Options{Environ: c.env, Snapshot: snap})
			if w, g := fmt.Sprint(want.Diagnostics), fmt.Sprint(got.Diagnostics); w != g {
				t.Fatalf("want %s\ngot %s", w, g)
			}
			if want.Spec == nil {
				return
			}
			if w, g := asJSON(t, want.Spec), asJSON(t, got.Spec); w != g {
				t.Fatalf("want %s\ngot %s", w, g)
			}
			if want.Catalog.Digest() != got.Catalog.Digest() {
				t.Error("another digest")
			}
		})
	}
}

// TestSnapshotIsUsed holds that a fresh snapshot spares the work: what it says is
// believed.
func TestSnapshotIsUsed(t *testing.T) {
	base := layer("acme.cue", acmeCUE)
	snap, diags := Snapshot(base)
	if diagnostic.Failed(diags) {
		t.Fatal(diags)
	}
	forged := bytes.Replace(snap, []byte(`"Acme"`), []byte(`"Forged"`), 1)
	title := func(s *lang.Spec) string { cli, _ := s.CLI.Get("acme"); return cli.Title }
	if got := title(mustLoad(t, Options{Snapshot: forged}, base).Spec); got != "Forged" {
		t.Errorf("title %q: compiled from text", got)
	}
	for name, stale := range map[string][]byte{
		"key":      bytes.Replace(forged, []byte(`"key":"`), []byte(`"key":"0`), 1),
		"cut":      forged[:len(forged)/2],
		"not JSON": []byte("x"),
	} {
		if got := title(mustLoad(t, Options{Snapshot: stale}, base).Spec); got != "Acme" {
			t.Errorf("%s: title %q: believed", name, got)
		}
	}
	base.Files[0].Data = []byte(strings.Replace(acmeCUE, "Acme", "Edited", 1))
	if got := title(mustLoad(t, Options{Snapshot: forged}, base).Spec); got != "Edited" {
		t.Errorf("title %q after an edit", got)
	}
}

func TestSnapshotOfBrokenLayer(t *testing.T) {
	if snap, diags := Snapshot(layer("x.cue", "cli: acme: {}")); snap != nil || !diagnostic.Failed(diags) {
		t.Errorf("%s %v", snap, diags)
	}
}
