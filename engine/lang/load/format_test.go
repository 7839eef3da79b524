package load

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"

	"github.com/llm-cli-gateway/gateway/engine/lang/specfiles"
)

func TestFormat(t *testing.T) {
	for _, c := range []struct{ name, text, want, fixed string }{
		{"a.cue", "cli: acme: {bin:\"a\",argv: [ \"b\" ]}", "cli: acme: {bin: \"a\", argv: [\"b\"]}\n", "language: 1\n\ncli: acme: {bin: \"a\", argv: [\"b\"]}\n"},
		{"a.cue", "// Of the file.\npackage gateway\n\nimport \"gateway.dev/schema\"\n\n// Of acme.\ncli: acme: schema.#CLI & {bin: \"a\", argv: []} // behind\n", "",
			"// Of the file.\npackage gateway\n\nimport \"gateway.dev/schema\"\n\nlanguage: 1\n\n// Of acme.\ncli: acme: schema.#CLI & {bin: \"a\", argv: []} // behind\n"},
		{"a.cue", "// Of acme.\ncli: acme: bin: \"a\"\n", "", "language: 1\n\n// Of acme.\ncli: acme: bin: \"a\"\n"},
		{"a.cue", "// Of the file.\n\n// Of acme.\ncli: acme: bin: \"a\"\n", "", ""},
		{"a.cue", "// Nothing yet.\n", "", ""},
		{"a.cue", "", "", "language: 1\n"},
		{"a.cue", "package p,cli: {}", "package p\n\ncli: {}\n", "package p\n\nlanguage: 1\n\ncli: {}\n"},
		{"a.cue", "language: 1\ncli: {}\n", "", "language: 1\ncli: {}\n"},
		{"a.cue", "cli: {if 1 > 0 {acme: bin: \"a\"}}\n", "", "language: 1\n\ncli: {if 1 > 0 {acme: bin: \"a\"}}\n"},
		{"a.yaml", "# mine\n\ncli:\n    acme: {bin: a}   # x\n", "", "# mine\n\nlanguage: 1\ncli:\n    acme: {bin: a}   # x\n"},
		{"a.yaml", "cli: {acme: {bin: a}}\r\n", "", "language: 1\r\ncli: {acme: {bin: a}}\r\n"},
		{"a.yaml", "---\n{cli: {acme: {bin: a}}}\n", "", "---\n{language: 1, cli: {acme: {bin: a}}}\n"},
		{"a.yaml", "{}\n", "", "{language: 1}\n"},
		{"a.yaml", "# nothing", "", "# nothing\nlanguage: 1\n"},
		{"a.yaml", "language: 1\n", "", "language: 1\n"},
	} {
		want := c.want
		if want == "" {
			want = c.text
		}
		for _, fix := range []bool{false, true} {
			if fix {
				want = c.fixed
			}
			got, diags := Format(specfiles.File{Name: c.name, Data: []byte(c.text)}, fix, Evaluation{})
			if len(diags) > 0 {
				t.Errorf("%q: %v", c.text, diags)
				continue
			}
			if want == "" && fix { // only that it comes to rest, and says the version
				want = string(got)
			}
			if string(got) != want || fix && !strings.Contains(want, "language: 1") {
				t.Errorf("%q, fix %v\ngot  %q\nwant %q", c.text, fix, got, want)
			}
			if again, _ := Format(specfiles.File{Name: c.name, Data: got}, fix, Evaluation{}); string(again) != string(got) {
				t.Errorf("%q, fix %v\nonce  %q\ntwice %q", c.text, fix, got, again)
			}
		}
	}
	for text, want := range map[string]string{"cli: {\n": "a.cue:2:1", "a: b: [1,, 2]": "a.cue:1:10"} {
		got, diags := Format(specfiles.File{Name: "a.cue", Data: []byte(text)}, false, Evaluation{})
		if got != nil || len(diags) != 1 || !strings.HasPrefix(diags[0].String(), want) {
			t.Errorf("%q: %q, %v", text, got, diags)
		}
	}
}

// TestFormatAnything: whatever can be read comes to rest at once, and says the same.
func TestFormatAnything(t *testing.T) {
	names, err := filepath.Glob(filepath.Join("testdata", "*", "*.txtar"))
	if err != nil || len(names) == 0 {
		t.Fatal(err)
	}
	files := builtin(t).Files
	for _, f := range files {
		if got, _ := Format(f, false, Evaluation{}); string(got) != string(f.Data) {
			t.Errorf("%s is not in canonical form; gateway fmt brings it there", f.Name)
		}
	}
	for _, name := range names {
		a, err := txtar.ParseFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range a.Files {
			if specfiles.IsSpec(f.Name) {
				files = append(files, specfiles.File(f))
			}
		}
	}
	formed := 0
	for _, f := range files {
		for _, fix := range []bool{false, true} {
			got, diags := Format(f, fix, Evaluation{})
			for _, d := range diags {
				if d.Code == "internal" {
					t.Errorf("%s: %v\n%s", f.Name, d, f.Data)
				}
			}
			if got == nil {
				continue
			}
			formed++
			if again, _ := Format(specfiles.File{Name: f.Name, Data: got}, fix, Evaluation{}); string(again) != string(got) {
				t.Errorf("%s, fix %v\nonce  %q\ntwice %q", f.Name, fix, got, again)
			}
		}
	}
	if formed < 100 {
		t.Errorf("only %d files were brought into form", formed)
	}
}
