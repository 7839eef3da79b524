package load

import (
	"fmt"
	"strings"
	"testing"

	"github.com/llm-cli-gateway/gateway/engine/lang/diagnostic"
	"github.com/llm-cli-gateway/gateway/engine/lang/specfiles"
	"github.com/llm-cli-gateway/gateway/specs"
)

// many is a layer of n CLIs with 21 parameters each.
func many(n int, ending string) Layer {
	l := Layer{Name: "bench"}
	for i := range n {
		var b strings.Builder
		fmt.Fprintf(&b, "cli: c%d: {bin: \"c%d\", argv: [\"run\", \"{session}\", \"{params}\"], session: {create: [\"--id={id}\"], resume: [\"--resume={id}\"]}, models: aliases: {fast: \"mini\", smart: \"maxi\"}\n", i, i)
		b.WriteString("output: {format: \"jsonl\", text: {when: \"event.type == 'x'\", take: \"event.text\"}, usage: {input: \"event.in\", output: \"event.out\"}}, params: {\n")
		for p := range 20 {
			fmt.Fprintf(&b, "p%d: {doc: \"Parameter %d of the tool\", flag: \"--p-%d\"}\n", p, p, p)
		}
		b.WriteString("model: {doc: \"Model\", flag: \"--model\"}}\nrisk: [{id: \"a\", when: \"p1 == 'x'\", score: 25}]}\n")
		l.Files = append(l.Files, specfiles.File{Name: fmt.Sprintf("c%d%s", i, ending), Data: []byte(b.String())})
	}
	return l
}

// BenchmarkLoad is a load from text, for n files.
func BenchmarkLoad(b *testing.B) {
	for _, n := range []int{1, 4, 20, 100} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			layers := []Layer{many(n, ".cue")}
			for b.Loop() {
				mustLoad(b, Options{}, layers...)
			}
		})
	}
}

// BenchmarkSnapshot is a load of which nothing, or one alias, is new.
func BenchmarkSnapshot(b *testing.B) {
	for _, n := range []int{5, 100} {
		base := many(n, ".cue")
		snap, diags := Snapshot(base)
		if diagnostic.Failed(diags) {
			b.Fatal(diags)
		}
		for name, above := range map[string]Layer{
			"untouched": {},
			"alias":     layer("x.cue", `cli: c0: models: aliases: mine: "x"`),
		} {
			b.Run(fmt.Sprintf("%d/%s", n, name), func(b *testing.B) {
				for b.Loop() {
					mustLoad(b, Options{Snapshot: snap}, base, above)
				}
			})
		}
	}
}

// BenchmarkUser is what n files of a user cost over the built-in specs: when a gateway
// starts, and when one of them was changed under it.
func BenchmarkUser(b *testing.B) {
	for _, n := range []int{4, 20, 50, 200, 1000} {
		user := many(n, ".cue")
		layers := []Layer{builtin(b), user}
		o := Options{Snapshot: specs.Snapshot()}
		b.Run(fmt.Sprintf("%d/start", n), func(b *testing.B) {
			for b.Loop() {
				mustLoad(b, o, layers...)
			}
		})
		b.Run(fmt.Sprintf("%d/reload", n), func(b *testing.B) {
			o := o
			o.Memory = &Memory{}
			mustLoad(b, o, layers...)
			changed := string(user.Files[n/2].Data)
			for i := 0; b.Loop(); i++ {
				user.Files[n/2].Data = []byte(strings.Replace(changed, "mini", fmt.Sprintf("mini%d", i), 1))
				mustLoad(b, o, layers...)
			}
		})
	}
}

// BenchmarkBuiltin is the load of a start: the built-in specs and one setting.
func BenchmarkBuiltin(b *testing.B) {
	layers := []Layer{builtin(b)}
	for name, o := range map[string]Options{
		"text":     {},
		"snapshot": {Snapshot: specs.Snapshot()},
		"setting":  {Snapshot: specs.Snapshot(), Environ: []string{"LLM_GATEWAY_LOGS_DB=none"}},
	} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				mustLoad(b, o, layers...)
			}
		})
	}
}
