// Command lint is the vet tool of `make lint`: the checks of staticcheck, and those of
// others that find mistakes, in one binary, so that go vet runs them and keeps what they
// found. What is on finds mistakes; matters of taste are left to gofmt and to review.
//
// It is a module of its own, so that its dependencies are not the gateway's.
package main

import (
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/gordonklaus/ineffassign/pkg/ineffassign"
	"github.com/kisielk/errcheck/errcheck"
	"golang.org/x/tools/go/analysis"
	"golang.org/x/tools/go/analysis/passes/nilness"
	"golang.org/x/tools/go/analysis/passes/unusedwrite"
	"golang.org/x/tools/go/analysis/unitchecker"
	"honnef.co/go/tools/analysis/lint"
	"honnef.co/go/tools/simple"
	"honnef.co/go/tools/staticcheck"
	"honnef.co/go/tools/stylecheck"
)

// ignored are the calls whose errors nobody needs to look at, with the reason. It is part
// of the binary, so that go vet looks again when it changes.
//
//go:embed errcheck.txt
var ignored []byte

// off are checks of staticcheck that are not wanted, for the reason behind them.
var off = []string{
	"ST1000", // package comments: engine/house_test.go
	"ST1005", // sentences for people may begin with a name
	"ST1003", // initialisms in names of others' protocols
}

// exempt wraps an analyzer: what it finds does not count where the file's path or the
// message holds one of the parts.
func exempt(a *analysis.Analyzer, parts ...string) *analysis.Analyzer {
	own := *a
	own.Run = func(pass *analysis.Pass) (any, error) {
		report := pass.Report
		pass.Report = func(d analysis.Diagnostic) {
			where := pass.Fset.Position(d.Pos).Filename + " " + d.Message
			if !slices.ContainsFunc(parts, func(part string) bool { return strings.Contains(where, part) }) {
				report(d)
			}
		}
		return a.Run(pass)
	}
	return &own
}

// deprecated are names that are deprecated and have no equal yet.
var deprecated = []string{"AddFile is deprecated", "WithLegacyProtocolOnly is deprecated"}

// excludes is a file with what is ignored, as errcheck wants it.
func excludes() string {
	folder, err := os.UserCacheDir()
	if err != nil {
		folder = os.TempDir()
	}
	sum := sha256.Sum256(ignored)
	path := filepath.Join(folder, "gateway-lint-"+hex.EncodeToString(sum[:8])+".txt")
	if _, err := os.Stat(path); err == nil {
		return path
	}
	own := path + "." + strconv.Itoa(os.Getpid())
	err = errors.Join(os.MkdirAll(folder, 0o700), os.WriteFile(own, ignored, 0o600), os.Rename(own, path))
	if err != nil {
		panic(err)
	}
	return path
}

func main() {
	if err := errcheck.Analyzer.Flags.Set("exclude", excludes()); err != nil {
		panic(err)
	}
	var all []*analysis.Analyzer
	for _, set := range [][]*lint.Analyzer{staticcheck.Analyzers, simple.Analyzers, stylecheck.Analyzers} {
		for _, a := range set {
			if !slices.Contains(off, a.Analyzer.Name) && !a.Doc.NonDefault || a.Analyzer.Name == "ST1020" {
				all = append(all, exempt(a.Analyzer, deprecated...))
			}
		}
	}
	all = append(all, nilness.Analyzer, unusedwrite.Analyzer, ineffassign.Analyzer,
		// Tests fail otherwise if an error matters. A supervisor cannot report it.
		exempt(errcheck.Analyzer, "_test.go", "/engine/supervisor/", "/testdata/"))
	unitchecker.Main(all...)
}
