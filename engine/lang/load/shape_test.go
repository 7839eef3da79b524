package load

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"

	"github.com/llm-cli-gateway/gateway/engine/lang/diagnostic"
	"github.com/llm-cli-gateway/gateway/engine/lang/specfiles"
	"github.com/llm-cli-gateway/gateway/schema"
)

// TestShapesReadTheSchema holds that the walk knows every construct that the schema
// uses. One that it does not know would be left to CUE's own words.
func TestShapesReadTheSchema(t *testing.T) {
	byName, strange := shapes(schema.Text)
	if len(strange) > 0 {
		t.Errorf("not understood: %s", strings.Join(strange, ", "))
	}
	for name, s := range byName {
		if len(s.arms) == 0 {
			t.Errorf("%s accepts nothing", name)
		}
		for _, a := range s.arms {
			if a == nil || a.kinds == 0 {
				t.Errorf("%s has an empty alternative", name)
			}
		}
	}
	if fileShape().arms[0].fields["cli"].shape.arms[0].rest.arms[0].fields["bin"].shape.says == "" {
		t.Error("the words of error() are lost")
	}
}

func TestShapesSayWhatIsStrange(t *testing.T) {
	for _, src := range []string{
		"#A: {for x in y {z: 1}}", "#A: len(5)", `#A: "\(x)"`, "#A: >5.5.5", "#A: int | *5", "#A: =~5", "#A: {[x=string]: 1}", "#A: <5",
	} {
		if _, strange := shapes(src); len(strange) == 0 {
			t.Errorf("%s: understood", src)
		}
	}
}

// TestSchemaHasNoDefaults: data is decoded as it was written, so that a default of
// the schema would be said to readers of the schema and never happen.
func TestSchemaHasNoDefaults(t *testing.T) {
	if strings.Contains(strings.ReplaceAll(schema.Text, "\\*", ""), "| *") || strings.Contains(schema.Text, ": *") {
		t.Error("the schema has a default")
	}
}

// TestEveryFieldFits holds the specs that have every field against the schema, by which
// the types that read them back (engine/lang) have what the schema has, and no more.
func TestEveryFieldFits(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("..", "testdata", "every-field.json"))
	if err != nil {
		t.Fatal(err)
	}
	var specs []json.RawMessage
	if err := json.Unmarshal(text, &specs); err != nil {
		t.Fatal(err)
	}
	for i, spec := range specs {
		r := &report{}
		root := parse(specfiles.File{Name: "spec.yaml", Data: spec}, Evaluation{}, r).root
		checker{r: r, root: root, excused: func([]string) bool { return false }}.check(root, fileShape(), nil)
		verify([][]string{nil}, root, nil, r)
		for _, d := range r.list {
			t.Errorf("spec %d: %v", i, d)
		}
	}
}

// TestWalkAndCUEAgree holds each entry of the zoo against the schema both ways: CUE
// decides, so where it finds nothing the walk must not, and where it does the walk
// should have words. Only what no machine can count is refused by the walk alone.
func TestWalkAndCUEAgree(t *testing.T) {
	zoo, err := filepath.Glob(filepath.Join("testdata", "*", "*.txtar"))
	if err != nil || len(zoo) == 0 {
		t.Fatal(err)
	}
	compared := 0
	for _, name := range zoo {
		a, err := txtar.ParseFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if strings.HasSuffix(name, "number-huge.txtar") {
			continue
		}
		for _, f := range a.Files {
			l := loader{r: &report{}}
			patches := l.layers([]Layer{{Files: []specfiles.File{{Name: f.Name, Data: f.Data}}}}, 0)
			if !specfiles.IsSpec(f.Name) || diagnostic.Failed(l.r.list) {
				continue
			}
			l.root = over(nil, patches[0], nil, l.r)
			walk := &report{}
			checker{r: walk, root: l.root, excused: l.excused}.check(l.root, fileShape(), nil)
			for _, path := range entries(l.root) {
				cue := &report{}
				if n, _ := l.root.lookup(path); !n.whole() {
					continue
				}
				verify([][]string{path}, l.root, nil, cue)
				compared++
				if walk.failed(path) != diagnostic.Failed(cue.list) {
					t.Errorf("%s: %v: the walk says %v, CUE says %v", name, path, walk.list, cue.list)
				}
			}
		}
	}
	if compared < 50 {
		t.Errorf("only %d entries compared", compared)
	}
}

func TestMentions(t *testing.T) {
	for _, c := range []struct {
		text, word string
		want       bool
	}{
		{`unknown name model`, "model", true}, {`model in ['a']`, "model", true}, {"supermodel", "model", false},
		{"models, model", "model", true}, {"models", "model", false}, {"", "model", false}, {"a.model.b", "model", true},
	} {
		if got := mentions(c.text, c.word); got != c.want {
			t.Errorf("%q in %q: %v", c.word, c.text, got)
		}
	}
}
