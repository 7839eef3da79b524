package load

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"

	"github.com/llm-cli-gateway/gateway/engine/lang"
	"github.com/llm-cli-gateway/gateway/engine/lang/diagnostic"
	"github.com/llm-cli-gateway/gateway/engine/lang/specfiles"
	"github.com/llm-cli-gateway/gateway/specs"
)

func layer(files ...string) Layer {
	l := Layer{Name: "test"}
	for i := 0; i < len(files); i += 2 {
		l.Files = append(l.Files, specfiles.File{Name: files[i], Data: []byte(files[i+1])})
	}
	return l
}

func mustLoad(t testing.TB, o Options, layers ...Layer) Result {
	t.Helper()
	res := Load(layers, o)
	for _, d := range res.Diagnostics {
		t.Errorf("%s", d)
	}
	if res.Catalog == nil || t.Failed() {
		t.FailNow()
	}
	return res
}

func asJSON(t testing.TB, s *lang.Spec) string {
	t.Helper()
	b, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	return string(b) + "\n"
}

// TestGood loads specs in which nothing is wrong and compares what they come to.
func TestGood(t *testing.T) {
	archives(t, "good", 10, func(t *testing.T, name string, a *txtar.Archive) {
		res := loadArchive(a)
		for _, d := range res.Diagnostics {
			t.Errorf("%s", d)
		}
		if res.Catalog == nil {
			t.Fatal("no catalog")
		}
		golden(t, name, a, []byte(asJSON(t, res.Spec)))
	})
}

const acmeCUE = `cli: acme: {
	title: "Acme"
	bin:   "acme"
	argv: ["run", "{session}", "{params}"]
	params: {
		model: {doc: "Model", flag: "--model"}
		depth: {doc: "Depth", type: "int", flag: "--depth", min: 1, max: 9}
		all: {doc: "All", type: "bool", flag: "--all", danger: true}
	}
	session: {create: ["--id={id}"], resume: ["--resume={id}"], capture: "event.id"}
	output: {format: "json", text: "event.result"}
	risk: [{id: "deep", when: "depth > 5", score: 20}]
}
gateway: path: ["~/bin"]
`

const acmeYAML = `# the same
cli:
  acme:
    title: Acme
    bin: acme
    argv: [run, "{session}", "{params}"]
    params:
      model: {doc: Model, flag: --model}
      depth: {doc: Depth, type: int, flag: --depth, min: 1, max: 9}
      all: {doc: All, type: bool, flag: --all, danger: true}
    session:
      create: ["--id={id}"]
      resume: ["--resume={id}"]
      capture: event.id
    output: {format: json, text: event.result}
    risk:
      - {id: deep, when: depth > 5, score: 20}
gateway:
  path: [~/bin]
`

func TestYAMLMeansTheSame(t *testing.T) {
	a := mustLoad(t, Options{Vet: true}, layer("x.cue", acmeCUE))
	b := mustLoad(t, Options{Vet: true}, layer("x.yaml", acmeYAML))
	if x, y := asJSON(t, a.Spec), asJSON(t, b.Spec); x != y {
		t.Errorf("CUE:\n%s\nYAML:\n%s", x, y)
	}
	if a.Catalog.Digest() != b.Catalog.Digest() {
		t.Error("the digests differ")
	}
}

// TestEncodings holds what text files look like on other people's machines.
func TestEncodings(t *testing.T) {
	bin := "cli: acme: {\n\tbin: \"acme\"\n\targv: [\"{params}\"]\n\tsesion: {}\n}\n"
	yml := "cli:\n  acme:\n    bin: acme\n    argv: []\n    sesion: {}\n"
	for _, c := range []struct{ name, file, text, want string }{
		{"bom cue", "x.cue", "\ufeff" + bin, "x.cue:4:2: cli.acme.sesion: "},
		{"bom yaml", "x.yaml", "\ufeff" + yml, "x.yaml:5:5: cli.acme.sesion: "},
		{"crlf cue", "x.cue", strings.ReplaceAll(bin, "\n", "\r\n"), "x.cue:4:2: cli.acme.sesion: "},
		{"crlf yaml", "x.yaml", strings.ReplaceAll(yml, "\n", "\r\n"), "x.yaml:5:5: cli.acme.sesion: "},
		{"upper case ending", "X.CUE", bin, "X.CUE:4:2: cli.acme.sesion: "},
		{"no newline at the end", "x.cue", strings.TrimSpace(bin), "x.cue:4:2: cli.acme.sesion: "},
		{"latin-1 cue", "x.cue", "cli: acme: title: \"caf\xe9\"\n", "x.cue:1:23: byte 0xe9 is not UTF-8 (save the file as UTF-8)"},
		{"latin-1 yaml", "x.yaml", "# a\n# caf\xe9\n", "x.yaml:2:6: byte 0xe9 is not UTF-8"},
		{"utf-16", "x.yaml", "\xff\xfec\x00l\x00i\x00", "x.yaml:1:1: byte 0xff is not UTF-8"},
		{"nul", "x.cue", "cli: {}\n\x00", "x.cue:2:1: control character 0x00"},
		{"old Mac", "x.yaml", "---\r\r\r", "x.yaml:1:4: U+000D ends a line in YAML only"},
		{"line separator", "x.yaml", "cli: {}\n# \u2028", "x.yaml:2:3: U+2028 ends a line in YAML only"},
		{"too large", "x.cue", strings.Repeat("// x\n", 300_000), "x.cue:1:1: the file has 1500000 bytes; a spec has at most 1048576"},
		{"wide characters", "x.cue", "cli: acme: {title: \"日本\", x: 1, bin: \"a\", argv: []}", `x.cue:1:30: cli.acme.x: unknown field "x"`},
		{"wide characters yaml", "x.yaml", "cli: {acme: {title: 日本, x: 1, bin: a, argv: []}}", `x.yaml:1:29: cli.acme.x: unknown field "x"`},
		{"forged line", "x.cue", "cli: acme: {\"a\\nx.cue:1:1: b\": 1, bin: \"a\", argv: []}", `x.cue:1:13: cli.acme.a\x0ax.cue:1:1: b: unknown field`},
	} {
		t.Run(c.name, func(t *testing.T) {
			res := Load([]Layer{layer(c.file, c.text)}, Options{})
			if len(res.Diagnostics) != 1 || !strings.HasPrefix(res.Diagnostics[0].String(), c.want) {
				t.Errorf("want %q, got %q", c.want, res.Diagnostics)
			}
		})
	}
}

// TestHugeInput holds that a file within the limit cannot take the process down.
func TestHugeInput(t *testing.T) {
	for name, text := range map[string]string{
		"chain.cue":    strings.Repeat("a:", specfiles.MaxFile/2-8) + "1",
		"brackets.cue": "a: " + strings.Repeat("[", specfiles.MaxFile-8),
		"braces.cue":   "a: " + strings.Repeat("{a:", specfiles.MaxFile/3-8),
		"minus.cue":    "a: " + strings.Repeat("-", specfiles.MaxFile-8) + "1",
		"plus.cue":     "a: 1" + strings.Repeat("+1", specfiles.MaxFile/2-8),
		"list.cue":     "a: [" + strings.Repeat("1,", specfiles.MaxFile/2-8) + "]",
		"flow.yaml":    "a: " + strings.Repeat("[", specfiles.MaxFile-8),
		"deep.yaml":    "a: " + strings.Repeat("[", 200) + strings.Repeat("]", 200),
		"dashes.yaml":  strings.Repeat("- ", specfiles.MaxFile/2-8),
		"keys.yaml":    strings.Repeat("? ", specfiles.MaxFile/2-8),
		"lines.yaml":   strings.Repeat("a: [\n", specfiles.MaxFile/6),
	} {
		t.Run(name, func(t *testing.T) {
			res := Load([]Layer{layer(name, text)}, Options{})
			if !diagnostic.Failed(res.Diagnostics) || len(res.Diagnostics) > 1 {
				t.Errorf("%d diagnostics, first %.200q", len(res.Diagnostics), res.Diagnostics)
			}
		})
	}
}

func TestOrderIsKept(t *testing.T) {
	base := layer("x.cue", `cli: acme: {bin: "a", argv: ["{params}"], params: {
		zoom: {doc: "Z", flag: "--zoom"}
		alpha: {doc: "A", flag: "--alpha"}
		mid: {doc: "M", flag: "--mid"}
	}}`)
	mine := layer("y.yaml", "cli: {acme: {params: {late: {doc: L, flag: --late}, alpha: {doc: B}, early: {doc: E, flag: --early}}}}")
	res := mustLoad(t, Options{}, base, mine)
	cli, _ := res.Spec.CLI.Get("acme")
	if got := fmt.Sprint(cli.Params.Keys()); got != "[zoom alpha mid late early]" {
		t.Error(got)
	}
	if p, _ := cli.Params.Get("alpha"); p.Doc != "B" || p.Flag != "--alpha" {
		t.Errorf("%+v", p)
	}
}

// TestLoadTwice: what a load says does not hang on the order of files.
func TestLoadTwice(t *testing.T) {
	files := layer("a.cue", acmeCUE, "b.cue", `cli: acme: sesion: {}`, "c.yaml", "cli: {zeta: {argv: []}}")
	first := fmt.Sprint(Load([]Layer{files}, Options{}).Diagnostics)
	files.Files[0], files.Files[2] = files.Files[2], files.Files[0]
	if second := fmt.Sprint(Load([]Layer{files}, Options{}).Diagnostics); first != second {
		t.Errorf("%s\n%s", first, second)
	}
}

func TestNothing(t *testing.T) {
	for _, layers := range [][]Layer{nil, {{}}, {{}, {}}} {
		if res := mustLoad(t, Options{}, layers...); len(res.Catalog.CLIs) != 0 {
			t.Error("a CLI out of nothing")
		}
	}
}

// builtin is the layer that ships with the binary.
func builtin(t testing.TB) Layer {
	t.Helper()
	files, err := specfiles.ReadFS(specs.FS, "specs")
	if err != nil {
		t.Fatal(err)
	}
	return Layer{Name: "built-in", Files: files}
}

func TestBuiltinIsClean(t *testing.T) { mustLoad(t, Options{Vet: true}, builtin(t)) }

func TestSnapshotIsFresh(t *testing.T) {
	want, diags := Snapshot(builtin(t))
	if diagnostic.Failed(diags) {
		t.Fatal(diags)
	}
	if string(want) == string(specs.Snapshot()) {
		return
	}
	if os.Getenv("GATEWAY_UPDATE") == "" {
		t.Fatal("specs/snapshot.json is stale: run the tests of this package with GATEWAY_UPDATE=1")
	}
	if err := os.WriteFile(filepath.Join("..", "..", "..", "specs", "snapshot.json"), want, 0o644); err != nil {
		t.Fatal(err)
	}
}

// TestLoadsAtOnce gives the race detector something to see: loads share the shapes
// of the schema and the texts.
func TestLoadsAtOnce(t *testing.T) {
	layers := []Layer{layer("a.cue", acmeCUE), layer("b.cue", `import "gateway.dev/schema"
cli: acme: schema.#CLI & {sesion: {}, title: "x" + "y"}`), layer("c.yaml", "cli: {acme: {title: 5}}")}
	want := fmt.Sprint(Load(layers, Options{}).Diagnostics)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			if got := fmt.Sprint(Load(layers, Options{}).Diagnostics); got != want {
				t.Errorf("want %s, got %s", want, got)
			}
		})
	}
	wg.Wait()
}

// TestNothingIsKept: a CUE context grows with all that was evaluated in it, so that
// a gateway which reloads for weeks must not hold on to one.
func TestNothingIsKept(t *testing.T) {
	heap := func() uint64 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	text := func(i int) Layer {
		return layer("a.cue", acmeCUE, "b.cue", fmt.Sprintf("import \"gateway.dev/schema\"\ncli: zeta%d: schema.#CLI & {bin: \"z\" + \"\", argv: [\"{params}\"]}", i))
	}
	mustLoad(t, Options{}, text(0))
	before := heap()
	for i := range 50 {
		mustLoad(t, Options{}, text(i))
	}
	if after := heap(); after > before+3<<20 {
		t.Errorf("50 loads left %d KB", (after-before)>>10)
	}
}

// TestExamplesAreForVet holds that a start does not carry what only vet reads, and that
// it makes no difference to who compares catalogs.
func TestExamplesAreForVet(t *testing.T) {
	base := layer("a.cue", `cli: acme: {bin: "acme", argv: ["--x"], probe: {help: [["--help"]], ignore: ["--y"]}, examples: [{in: {prompt: "hi"}, argv: ["--x"]}]}`)
	snap, diags := Snapshot(base)
	if diagnostic.Failed(diags) {
		t.Fatal(diags)
	}
	vetted := mustLoad(t, Options{Vet: true}, base)
	if cli := vetted.Catalog.CLIs[0]; len(cli.Examples) != 1 || len(cli.Probe.Help) != 1 {
		t.Errorf("vet reads %+v, %+v", cli.Examples, cli.Probe)
	}
	for name, o := range map[string]Options{"from text": {}, "from the snapshot": {Snapshot: snap}, "with a memory": {Memory: &Memory{}}} {
		started := mustLoad(t, o, base)
		if cli := started.Catalog.CLIs[0]; cli.Examples != nil || cli.Probe.Help != nil || cli.Probe.Ignore != nil {
			t.Errorf("%s: %+v, %+v", name, cli.Examples, cli.Probe)
		}
		if started.Catalog.Digest() != vetted.Catalog.Digest() {
			t.Errorf("%s: another digest", name)
		}
	}
}

func TestReadHugeFile(t *testing.T) {
	t.Chdir(t.TempDir())
	if err := os.WriteFile("x.cue", []byte(strings.Repeat("// much\n", 10<<20/8)), 0o600); err != nil {
		t.Fatal(err)
	}
	files, diags := specfiles.ReadDir(".")
	if len(diags) > 0 || len(files[0].Data) > specfiles.MaxFile+1 {
		t.Fatalf("%d bytes read, %v", len(files[0].Data), diags)
	}
	if got := fmt.Sprint(Load([]Layer{{Files: files}}, Options{}).Diagnostics); !strings.Contains(got, "a spec has at most 1048576") {
		t.Error(got)
	}
}
