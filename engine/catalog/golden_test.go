package catalog

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/rogpeppe/go-internal/txtar"

	"github.com/llm-cli-gateway/gateway/engine/lang"
	"github.com/llm-cli-gateway/gateway/engine/text"
)

// archives runs f over every case of a folder of testdata. What f returns must equal
// the case's file "want"; GATEWAY_UPDATE=1 rewrites that file instead.
func archives(t *testing.T, folder string, f func(t *testing.T, files map[string]string) string) {
	t.Helper()
	names, err := filepath.Glob(filepath.Join("testdata", folder, "*.txtar"))
	if err != nil || len(names) == 0 {
		t.Fatalf("no cases in %s: %v", folder, err)
	}
	for _, name := range names {
		t.Run(strings.TrimSuffix(filepath.Base(name), ".txtar"), func(t *testing.T) {
			a, err := txtar.ParseFile(name)
			if err != nil {
				t.Fatal(err)
			}
			files := map[string]string{}
			for _, file := range a.Files {
				files[file.Name] = string(file.Data)
			}
			got := f(t, files)
			if got == files["want"] {
				return
			}
			if os.Getenv("GATEWAY_UPDATE") == "" {
				t.Fatalf("got:\n%swant:\n%s", got, files["want"])
			}
			a.Files = append(without(a.Files, "want"), txtar.File{Name: "want", Data: []byte(got)})
			if err := os.WriteFile(name, txtar.Format(a), 0o644); err != nil {
				t.Fatal(err)
			}
		})
	}
}

func without(files []txtar.File, name string) (kept []txtar.File) {
	for _, f := range files {
		if f.Name != name {
			kept = append(kept, f)
		}
	}
	return kept
}

// specText is the spec of a case: its own file, or the shared one that it names.
func specText(t testing.TB, files map[string]string) []byte {
	t.Helper()
	if own, ok := files["spec.json"]; ok {
		return []byte(own)
	}
	text, err := os.ReadFile(filepath.Join("testdata", "specs", strings.TrimSpace(files["spec"])+".json"))
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func readSpec(t testing.TB, text []byte) *lang.Spec {
	t.Helper()
	var cli lang.CLISpec
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&cli); err != nil {
		t.Fatalf("spec.json: %v", err)
	}
	return &lang.Spec{Language: 1, CLI: lang.MapOf("acme", cli)}
}

// compiled is the only CLI of a spec that must be without problems.
func compiled(t testing.TB, text []byte) *CLI {
	t.Helper()
	catalog, problems := Compile(readSpec(t, text))
	if catalog == nil {
		t.Fatalf("the spec has problems: %v", problems)
	}
	return catalog.CLIs[0]
}

// shared is the compiled form of testdata/specs/NAME.json.
func shared(t testing.TB, name string) *CLI {
	t.Helper()
	return compiled(t, specText(t, map[string]string{"spec": name}))
}

// ids makes id-1, id-2, ...
func ids() func() string {
	n := 0
	return func() string { n++; return "id-" + strconv.Itoa(n) }
}

// shown is a word as a golden file has it: plain if it can be told apart from its
// neighbours, quoted otherwise, and never long.
func shown(word string) string {
	if n := utf8.RuneCountInString(word); n > 200 {
		return fmt.Sprintf("%s (%d characters)", strconv.Quote(text.Abbreviate(word)), n)
	}
	if quoted := strconv.Quote(word); word == "" || strings.TrimSpace(word) != word || quoted != `"`+word+`"` && strings.ContainsFunc(word, func(r rune) bool { return !strconv.IsPrint(r) }) {
		return quoted
	}
	return word
}
