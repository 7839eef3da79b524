package langtest

import (
	"bytes"
	"embed"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/rogpeppe/go-internal/txtar"

	"github.com/llm-cli-gateway/gateway/engine/lang"
	"github.com/llm-cli-gateway/gateway/engine/text"
)

// Archives runs f over every case of a folder of testdata. What f returns must equal
// the case's file "want"; GATEWAY_UPDATE=1 rewrites that file instead.
func Archives(t *testing.T, folder string, f func(t *testing.T, files map[string]string) string) {
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

// Text is the spec of a case: its own file, or the shared one that it names.
func Text(t testing.TB, files map[string]string) []byte {
	t.Helper()
	if own, ok := files["spec.json"]; ok {
		return []byte(own)
	}
	return Spec(t, strings.TrimSpace(files["spec"]))
}

//go:embed testdata/specs
var specs embed.FS

// Spec is one of the specs that tests of several packages share, as JSON.
func Spec(t testing.TB, name string) []byte {
	t.Helper()
	text, err := specs.ReadFile("testdata/specs/" + name + ".json")
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// Read reads the spec of one CLI, which is called acme.
func Read(t testing.TB, text []byte) *lang.Spec {
	t.Helper()
	var cli lang.CLISpec
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&cli); err != nil {
		t.Fatalf("spec.json: %v", err)
	}
	return &lang.Spec{Language: 1, CLI: lang.MapOf("acme", cli)}
}

// IDs makes id-1, id-2, ...
func IDs() func() string {
	n := 0
	return func() string { n++; return "id-" + strconv.Itoa(n) }
}

// Shown is a word as golden files show it: plain if it is distinct from its
// neighbours, quoted otherwise, and never long.
func Shown(word string) string {
	if n := utf8.RuneCountInString(word); n > 200 {
		return fmt.Sprintf("%s (%d characters)", strconv.Quote(text.Abbreviate(word)), n)
	}
	if quoted := strconv.Quote(word); word == "" || strings.TrimSpace(word) != word || quoted != `"`+word+`"` && strings.ContainsFunc(word, func(r rune) bool { return !strconv.IsPrint(r) }) {
		return quoted
	}
	return word
}

// Lines are problems as a golden file has them.
func Lines(t *testing.T, problems []lang.Problem) string {
	t.Helper()
	var b strings.Builder
	for _, p := range problems {
		if p.Warning {
			b.WriteString("warning ")
		}
		fmt.Fprintf(&b, "%s [%s]", p.Error(), p.Code)
		if len(p.Below) > 0 {
			fmt.Fprintf(&b, " below %s", strings.Join(p.Below, "."))
		}
		if p.Offset > 0 {
			fmt.Fprintf(&b, " at byte %d", p.Offset)
		}
		b.WriteByte('\n')
	}
	if strings.Count(b.String(), "\n") != len(problems) {
		t.Errorf("a problem takes more than a line:\n%s", b.String())
	}
	return b.String()
}

// repeated stands for a text too long to write down: REPEAT(x,3) is xxx.
var repeated = regexp.MustCompile(`REPEAT\(([^,()]+),(\d+)\)`)

// Expand writes out every REPEAT(TEXT,COUNT) of a case.
func Expand(s string) string {
	return repeated.ReplaceAllStringFunc(s, func(s string) string {
		m := repeated.FindStringSubmatch(s)
		n, _ := strconv.Atoi(m[2])
		return strings.Repeat(m[1], n)
	})
}

// ExpandWithin is Expand, unless more than so many bytes would come of it: then the text
// stays as it is.
func ExpandWithin(s string, limit int) string {
	size := len(s)
	for _, m := range repeated.FindAllStringSubmatch(s, -1) {
		n, err := strconv.Atoi(m[2])
		if err != nil || n > limit {
			return s
		}
		if size += n * len(m[1]); size > limit {
			return s
		}
	}
	return Expand(s)
}
