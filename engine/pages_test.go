package engine_test

import (
	"fmt"
	"go/doc"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var packageRows = regexp.MustCompile("(?m)(^\\| [0-9]+ \\| `[^`]+` \\| [^|\n]* ?\\|\n)+")

// TestArchitectureTable holds the table of packages in ARCHITECTURE.md against the layers:
// a row for each package that there is, from the top down, with its layer.
// GATEWAY_UPDATE=1 rewrites it; a package without a row gets the first sentence of its
// comment.
func TestArchitectureTable(t *testing.T) {
	name := filepath.Join("..", "ARCHITECTURE.md")
	page, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	rows := map[string]string{} // what a row says about a package
	for _, row := range regexp.MustCompile("(?m)^\\| [0-9]+ \\| `([^`]+)` \\| ([^|]+) \\|$").FindAllStringSubmatch(string(page), -1) {
		rows[row[1]] = row[2]
	}
	comments := map[string]string{}
	for _, s := range ourSources(t) {
		if s.file.Doc != nil && !s.test {
			sentence := new(doc.Package).Synopsis(s.file.Doc.Text())
			comments[s.pkg] = strings.TrimSuffix(strings.TrimPrefix(sentence, "Package "+path.Base(s.pkg)+" "), ".")
		}
	}
	var want strings.Builder
	for n, packages := range slices.Backward(layers) {
		for _, p := range slices.Sorted(slices.Values(packages)) {
			if _, err := os.Stat(filepath.Join("..", filepath.FromSlash(p))); os.IsNotExist(err) {
				continue
			}
			if rows[p] == "" {
				rows[p] = comments[p]
			}
			fmt.Fprintf(&want, "| %d | `%s` | %s |\n", n, p, rows[p])
		}
	}
	got := packageRows.FindString(string(page))
	if got == want.String() {
		return
	}
	if os.Getenv("GATEWAY_UPDATE") == "" {
		t.Fatalf("the table of packages in ARCHITECTURE.md is stale; GATEWAY_UPDATE=1 go test ./engine -run TestArchitectureTable rewrites it to:\n%s", want.String())
	}
	if err := os.WriteFile(name, []byte(strings.Replace(string(page), got, want.String(), 1)), 0o600); err != nil {
		t.Fatal(err)
	}
}
