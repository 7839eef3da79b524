package lang

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"
)

// everyField reads the specs that together have each field of the language, in every form
// that the schema gives it.
func everyField(t *testing.T) (texts []json.RawMessage) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", "every-field.json"))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &texts); err != nil {
		t.Fatal(err)
	}
	return texts
}

// TestTypesHaveEveryField reads what the schema can say and writes it again. A field that
// the types lacked, or that a short form loses, would be missing in what is written. A
// value that is the same as none may be missing, if another value of the field is not.
func TestTypesHaveEveryField(t *testing.T) {
	kept, lost := map[string]bool{}, map[string]any{}
	for _, text := range everyField(t) {
		var s Spec
		if err := json.Unmarshal(text, &s); err != nil {
			t.Fatal(err)
		}
		written, err := json.Marshal(&s)
		if err != nil {
			t.Fatal(err)
		}
		var want, got any
		for v, text := range map[*any][]byte{&want: text, &got: written} {
			if err := json.Unmarshal(text, v); err != nil {
				t.Fatal(err)
			}
		}
		survives("", want, got, kept, lost)
	}
	for path, value := range lost {
		if !kept[path] {
			t.Errorf("%s: %v is lost", path, value)
		}
	}
	if len(kept) < 200 {
		t.Errorf("only %d fields", len(kept))
	}
}

// survives notes the paths at which two JSON values are the same, and those at which they
// differ. A short form and its long form are the same: a text or list, and an object that
// has it as take or argv.
func survives(path string, want, got any, kept map[string]bool, lost map[string]any) {
	g, isObject := got.(map[string]any)
	switch w := want.(type) {
	case map[string]any:
		for key, value := range w {
			survives(path+"."+key, value, g[key], kept, lost)
		}
		return
	case []any:
		if g, ok := got.([]any); ok && len(g) == len(w) {
			for i := range w {
				survives(path+".#", w[i], g[i], kept, lost)
			}
			return
		}
	}
	if isObject && len(g) == 1 && (reflect.DeepEqual(g["take"], want) || reflect.DeepEqual(g["argv"], want)) || reflect.DeepEqual(got, want) {
		kept[path] = true
		return
	}
	lost[path] = want
}

// TestSchemaHasEveryField fails when the types have a field that the schema lacks.
func TestSchemaHasEveryField(t *testing.T) {
	seen := map[string]bool{}
	var walk func(v reflect.Value)
	walk = func(v reflect.Value) {
		switch v.Kind() {
		case reflect.Pointer, reflect.Interface:
			if !v.IsNil() {
				walk(v.Elem())
			}
		case reflect.Slice:
			for i := range v.Len() {
				walk(v.Index(i))
			}
		case reflect.Map:
			for _, key := range v.MapKeys() {
				walk(v.MapIndex(key))
			}
		case reflect.Struct:
			for i := range v.NumField() {
				name := v.Type().Name() + "." + v.Type().Field(i).Name
				seen[name] = seen[name] || !v.Field(i).IsZero()
				walk(v.Field(i))
			}
		}
	}
	for _, text := range everyField(t) {
		var s Spec
		if err := json.Unmarshal(text, &s); err != nil {
			t.Fatal(err)
		}
		walk(reflect.ValueOf(s))
	}
	for name, set := range seen {
		if !set {
			t.Errorf("%s is never set", name)
		}
	}
}

func TestSpecRoundTrip(t *testing.T) {
	texts := []string{`{}`, `{"cli":{"a":{"bin":"b","argv":[]}}}`}
	for _, text := range everyField(t) {
		texts = append(texts, string(text))
	}
	cases, err := filepath.Glob("check/testdata/problems/*.txtar")
	if err != nil || len(cases) == 0 {
		t.Fatal("no cases", err)
	}
	for _, name := range cases {
		a, err := txtar.ParseFile(name)
		if err != nil {
			t.Fatal(err)
		}
		texts = append(texts, `{"cli":{"a":`+string(a.Files[0].Data)+`}}`)
	}
	for _, list := range []string{`"all"`, `"found"`, `[]`, `["a"]`, `["a","b"]`} {
		texts = append(texts, `{"gateway":{"tools":{"list":`+list+`}}}`)
	}
	for _, text := range texts {
		var first, second Spec
		if err := json.Unmarshal([]byte(text), &first); err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		once, err := json.Marshal(&first)
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(once, &second); err != nil {
			t.Fatalf("%s: %v", once, err)
		}
		twice, _ := json.Marshal(&second)
		if !bytes.Equal(once, twice) {
			t.Errorf("written once: %s\nand twice:   %s", once, twice)
		}
	}
}

func TestMapKeepsOrder(t *testing.T) {
	var m Map[int]
	if err := json.Unmarshal([]byte(`{"z":1,"a":2,"m":3,"z":4}`), &m); err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(m.Keys(), ""); got != "zam" || m.Len() != 3 {
		t.Errorf("keys %q", got)
	}
	if v, ok := m.Get("z"); v != 4 || !ok {
		t.Errorf("z = %d, %v", v, ok)
	}
	if _, ok := m.Get("b"); ok {
		t.Error("b is there")
	}
	text, err := json.Marshal(m)
	if err != nil || string(text) != `{"z":4,"a":2,"m":3}` {
		t.Errorf("%s, %v", text, err)
	}
	for k := range m.All() {
		if k != "z" {
			t.Errorf("went on to %s", k)
		}
		break
	}
	if err := json.Unmarshal([]byte(`{"b":1}`), &m); err != nil || !slices.Equal(m.Keys(), []string{"b"}) {
		t.Errorf("read again: %v, %v", m.Keys(), err)
	}
	for _, bad := range []string{`[]`, `1`, `{"a":"x"}`} {
		if err := json.Unmarshal([]byte(bad), &m); err == nil {
			t.Errorf("%s was read", bad)
		}
	}
}

func TestShapeErrors(t *testing.T) {
	for _, bad := range []string{`{"argv":"x"}`, `{"argv":{"new":1}}`, `{"failure":[{"retry":{"afterMs":1}}]}`, `{"failure":[{"retry":"x"}]}`,
		`{"session":{"capture":1}}`, `{"upgrade":{"latest":"x"}}`, `{"params":{"a":{"danger":"x"}}}`} {
		var cli CLISpec
		if err := json.Unmarshal([]byte(bad), &cli); err == nil {
			t.Errorf("%s was read", bad)
		}
	}
}
