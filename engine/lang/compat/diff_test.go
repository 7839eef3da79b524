package compat

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/llm-cli-gateway/gateway/engine/catalog"
	"github.com/llm-cli-gateway/gateway/engine/lang"
	"github.com/llm-cli-gateway/gateway/engine/lang/langtest"
	"github.com/llm-cli-gateway/gateway/engine/text"
)

// diffCase is a change of testdata/base.json, and what Diff must report.
type diffCase struct {
	path    string
	was, is string // JSON; "-" for nothing there
	want    string // a line each
}

// diffCases reads testdata/cases.txt: "PATH: OLD => NEW", where OLD is "=" for what
// the base has, and the changes, indented.
func diffCases(t *testing.T) (cases []diffCase) {
	t.Helper()
	text, err := os.ReadFile("testdata/cases.txt")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		switch head, change, ok := strings.Cut(strings.TrimSuffix(line, "\n"), ": "); {
		case strings.HasPrefix(line, "\t"):
			cases[len(cases)-1].want += line
		case ok:
			was, is, _ := strings.Cut(change, " => ")
			cases = append(cases, diffCase{path: head, was: was, is: is})
		}
	}
	return cases
}

func TestDiff(t *testing.T) {
	base, err := os.ReadFile("testdata/base.json")
	if err != nil {
		t.Fatal(err)
	}
	var compact bytes.Buffer // as the loader writes it
	if err := json.Compact(&compact, base); err != nil {
		t.Fatal(err)
	}
	base = compact.Bytes()
	unchanged := with(t, base, "", "=")
	var rewritten strings.Builder
	for i, c := range diffCases(t) {
		var got strings.Builder
		t.Run(fmt.Sprint(i+1), func(t *testing.T) {
			old := unchanged
			if c.was != "=" {
				old = with(t, base, c.path, c.was)
			}
			for _, change := range Diff(old, with(t, base, c.path, c.is)) {
				gone := ""
				if change.Gone {
					gone = " (gone)"
				}
				fmt.Fprintf(&got, "\t%s: %s%s\n", change.Kind, change, gone)
			}
			if got.String() == "" {
				t.Errorf("%s: %s => %s goes unseen", c.path, c.was, c.is)
			}
			if got.String() != c.want && os.Getenv("GATEWAY_UPDATE") == "" {
				t.Errorf("%s: %s => %s\ngot:\n%swant:\n%s", c.path, c.was, c.is, &got, c.want)
			}
		})
		fmt.Fprintf(&rewritten, "%s: %s => %s\n%s", c.path, c.was, c.is, &got)
	}
	if os.Getenv("GATEWAY_UPDATE") != "" {
		if err := os.WriteFile("testdata/cases.txt", []byte(rewritten.String()), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// with compiles the base with another value at a path.
func with(t *testing.T, base []byte, path, value string) *catalog.Catalog {
	t.Helper()
	text := json.RawMessage(base)
	if value != "=" {
		text = put(t, text, strings.Split(path, "|"), value)
	}
	var s lang.Spec
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&s); err != nil {
		t.Fatalf("%s: %s: %v", path, value, err)
	}
	c, problems := compile(&s)
	if c == nil {
		t.Fatalf("%s: %s: %v", path, value, problems)
	}
	return c
}

// compile compiles specs whose expressions are known to be right.
func compile(s *lang.Spec) (*catalog.Catalog, []lang.Problem) {
	return catalog.Recompile(s, catalog.Known{Vetted: func(string, string) bool { return true }})
}

// put writes a value into JSON without touching the order of what else is there.
func put(t *testing.T, body json.RawMessage, path []string, value string) json.RawMessage {
	t.Helper()
	if len(path) == 0 {
		return json.RawMessage(value)
	}
	var object lang.Map[json.RawMessage]
	if len(body) > 0 {
		if err := json.Unmarshal(body, &object); err != nil {
			t.Fatal(err)
		}
	}
	key := path[0]
	if len(path) == 1 && value == "-" {
		object.Delete(key)
		return text.MustJSON(object)
	}
	old, _ := object.Get(key)
	inner := put(t, old, path[1:], value)
	object.Set(key, inner)
	return text.MustJSON(object)
}

// TestDiffOfEveryField holds that every field of the language has a rule what its change
// means, and a case that shows it.
func TestDiffOfEveryField(t *testing.T) {
	seen := map[string]bool{}
	for _, c := range diffCases(t) {
		seen[c.path] = true
	}
	var visit func(pattern string, typ reflect.Type)
	visit = func(pattern string, typ reflect.Type) {
		_, ruled := comparisons()[pattern]
		leaf := comparisons()[pattern].classify != nil
		if m, ok := reflect.Zero(typ).Interface().(lang.Keyed); ok && !leaf {
			if !ruled && pattern != "" {
				t.Errorf("%s: say in table.go what it means if an entry comes or goes", pattern)
			}
			value, _ := reflect.TypeOf(m).MethodByName("Get")
			visit(pattern+".*", value.Type.Out(0))
			return
		}
		if typ.Kind() == reflect.Struct && !leaf {
			for i := range typ.NumField() {
				visit(strings.TrimPrefix(pattern+"."+jsonName(typ.Field(i)), "."), typ.Field(i).Type)
			}
			return
		}
		if !leaf {
			t.Errorf("%s: say in table.go what a change of it means", pattern)
		}
		if pattern != "language" && pattern != "gateway.env.set.*" && !shownBy(seen, pattern) {
			t.Errorf("%s: show in %s what a change of it means", pattern, filepath.Join("testdata", "cases.txt"))
		}
	}
	visit("", reflect.TypeFor[lang.Spec]())
	for pattern := range comparisons() {
		if parts := strings.Split(pattern, "."); parts[0] == "" {
			t.Errorf("pattern %q", pattern)
		}
	}
}

// shownBy reports whether a case changes the field, or something in it.
func shownBy(paths map[string]bool, pattern string) bool {
	want := strings.Split(pattern, ".")
	for path := range paths {
		keys := strings.Split(path, "|")
		if len(keys) >= len(want) && slices.EqualFunc(keys[:len(want)], want, func(k, w string) bool { return w == "*" || k == w }) {
			return true
		}
	}
	return false
}

// TestDiffOfAnything makes specs at random: every difference is reported, twice the same.
func TestDiffOfAnything(t *testing.T) {
	r := rand.New(rand.NewPCG(11, 11))
	var last *catalog.Catalog
	pairs := 0
	for range 1_500 {
		c, _ := compile(&lang.Spec{CLI: lang.MapOf("acme", langtest.RandomCLI(r))})
		if c == nil {
			continue
		}
		if last != nil {
			pairs++
			changes := Diff(last, c)
			same := !slices.ContainsFunc(changes, func(c Change) bool { return len(c.Path) < 3 || c.Path[2] != "examples" && c.Path[2] != "probe" })
			if same != (last.Digest() == c.Digest()) {
				t.Fatalf("%d changes between\n%s\n%s", len(changes), text.MustJSON(specOf(last)), text.MustJSON(specOf(c)))
			}
			if again := Diff(last, c); !reflect.DeepEqual(changes, again) {
				t.Fatalf("once:  %v\nagain: %v", changes, again)
			}
		}
		last = c
	}
	if pairs < 50 {
		t.Errorf("only %d pairs", pairs)
	}
}

func BenchmarkDiff(b *testing.B) {
	base, err := os.ReadFile("testdata/base.json")
	if err != nil {
		b.Fatal(err)
	}
	many := func(title string) *catalog.Catalog {
		var s lang.Spec
		if err := json.Unmarshal(base, &s); err != nil {
			b.Fatal(err)
		}
		acme, _ := s.CLI.Get("acme")
		acme.Models.Prefix = ""
		for i := range 50 {
			acme.Title = title
			s.CLI.Set(fmt.Sprint("acme", i), acme)
			title = "Acme"
		}
		c, problems := compile(&s)
		if c == nil {
			b.Fatal(problems)
		}
		return c
	}
	old, new := many("Acme"), many("Other")
	for b.Loop() {
		if len(Diff(old, new)) == 0 {
			b.Fatal("no change")
		}
	}
}
