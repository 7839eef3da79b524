package engine_test

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"testing"
)

// TestArchitectureTable holds the table of packages in ARCHITECTURE.md against the floors:
// each package that there is has a row, with its floor, and no other has one.
func TestArchitectureTable(t *testing.T) {
	page, err := os.ReadFile(filepath.Join("..", "ARCHITECTURE.md"))
	if err != nil {
		t.Fatal(err)
	}
	told := map[string]string{} // what the page says about a package: its layer
	for _, row := range regexp.MustCompile("(?m)^\\| ([0-9]+) \\| `([^`]+)` \\| [^|]{20,} \\|$").FindAllSubmatch(page, -1) {
		told[string(row[2])] = string(row[1])
	}
	for n, packages := range slices.All(floors) {
		for _, name := range packages {
			if _, err := os.Stat(filepath.Join("..", filepath.FromSlash(name))); os.IsNotExist(err) {
				continue
			}
			if told[name] != strconv.Itoa(n) {
				t.Errorf("ARCHITECTURE.md must have a row for %s, in layer %d; it says %q", name, n, told[name])
			}
			delete(told, name)
		}
	}
	for name := range told {
		t.Errorf("ARCHITECTURE.md has a row for %s, which has no floor", name)
	}
}
