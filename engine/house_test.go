package engine_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode"

	"github.com/llm-cli-gateway/gateway/engine/lang/load"
	"github.com/llm-cli-gateway/gateway/engine/lang/specfiles"
	"github.com/llm-cli-gateway/gateway/specs"
)

const module = "github.com/llm-cli-gateway/gateway"

// layers are the packages, from the lowest layer up. A package imports only packages of
// lower layers; a new package needs an entry here.
var layers = [][]string{
	{"schema", "specs", "engine/process/limits", "engine/process/proctree"},
	{"engine/text", "engine/supervisor", "engine/store/filelock", "engine/store/describe", "engine/changes"},
	{"engine/lang", "engine/store", "engine/lang/cuesyntax", "engine/lang/diagnostic"},
	{"engine/job/lease", "engine/job/retention", "engine/lang/specfiles", "engine/lang/layers", "engine/budget"},
	{"engine/lang/kept", "engine/lang/langtest", "engine/lang/version", "engine/catalog/argvalue", "engine/catalog/argvtemplate", "engine/catalog/listing", "engine/catalog/versionpatch", "engine/store/storetest"},
	{"engine/catalog/carrier", "engine/catalog/clients", "engine/catalog/modelnames", "engine/catalog/optimize", "engine/catalog/upgrade", "engine/lang/editorschema", "engine/secret", "engine/store/sqlite"},
	{"engine/catalog/extract", "engine/catalog/mcpservers"},
	{"engine/policy", "engine/catalog/access"},
	{"engine/catalog"},
	{"engine/job/storedcall", "engine/lang/check", "engine/lang/compat", "engine/process", "engine/watch", "engine/lang/reference", "engine/mcp/stdio"},
	{"engine/lang/load", "engine/job/spool"},
	{"engine/lang/author", "engine/lang/evaluate"},
	{"engine/host", "engine/session", "engine/configedit"},
	{"engine/promptpaths", "engine/trust", "engine/ownsettings", "engine/job/environment", "engine/job/written"},
	{"engine/call", "engine/job/worktree", "engine/job/attempts"},
	{"engine/calllog", "engine/job/outcome", "engine/call/refused", "engine/job/redaction", "engine/job/jobdir", "engine/job/leave", "engine/job/queue"},
	{"engine/job/nesting"},
	{"engine/job/early"},
	{"engine/job", "engine/models"},
	{"engine/installed"},
	{"engine/tools", "engine/flow"},
	{"engine/mcp"},
	{"engine"},
	{"cmd/gateway"},
}

// owners say which packages, or single files, may import a package that is not ours, or one
// of the standard library that does what only one package should.
var owners = map[string][]string{
	"github.com/mark3labs/mcp-go":              {"engine/mcp/protocol.go"},
	"cuelang.org/go":                           {"engine/lang/load", "engine/lang/cuesyntax", "engine/lang/author", "engine/lang/editorschema"}, // two read, two write
	"go.yaml.in/yaml/v3":                       {"engine/host"},
	"github.com/fsnotify/fsnotify":             {"engine/watch"},
	"github.com/expr-lang/expr":                {"engine/catalog/extract"},
	"modernc.org/sqlite":                       {"engine/store/sqlite"},
	"database/sql":                             {"engine/store/sqlite"},
	"os/exec":                                  {"engine/process", "engine/lang/evaluate", "cmd/gateway"}, // the demo starts a gateway
	"os/signal":                                {"engine/process", "engine/supervisor", "cmd/gateway"},
	"github.com/spf13/cobra":                   {"cmd/gateway"},
	"github.com/google/uuid":                   {"engine/session"},
	"github.com/pelletier/go-toml/v2":          {"engine/models", "engine/configedit", "engine/host"}, // two read, one writes
	"golang.org/x/sys":                         {"engine/process", "engine/store/filelock", "engine/mcp/stdio"},
	"github.com/rogpeppe/go-internal":          {},
	"github.com/rogpeppe/go-internal/diff":     {"engine/configedit"},
	"github.com/tailscale/hujson":              {"engine/configedit"},
	"github.com/santhosh-tekuri/jsonschema/v6": {},
}

// Packages of fewImports may import small packages of the standard library and one another, and
// nothing else: what they import is paid for by every job.
var fewImports = map[string][]string{
	"engine/supervisor":       append([]string{module + "/engine/process/limits", module + "/engine/process/proctree"}, small...),
	"engine/process/limits":   small,
	"engine/process/proctree": small,
}

// forTests are packages that only tests import. They may import what tests may.
var forTests = []string{"engine/lang/langtest"}

// small are the packages that are initialised before most others. Packages bytes and
// strings are not: they import unicode, before which reflect and much else comes.
var small = []string{"errors", "hash/crc32", "os", "os/signal", "runtime", "slices", "strconv", "syscall", "time", "unsafe"}

// source is one Go file of ours.
type source struct {
	path string // from the root of the repository, with slashes
	pkg  string
	test bool
	file *ast.File
	set  *token.FileSet
}

// isIn reports whether the source is that file, a test beside it, or in that package.
func (s source) isIn(place string) bool {
	return place == s.pkg || place == s.path || s.test && path.Dir(place) == s.pkg
}

// ourSources parses what is under cmd/ and engine/. It reads the files itself: a
// test that asked the go command would be answered from its cache after they changed.
func ourSources(t *testing.T) []source {
	t.Helper()
	var all []source
	for _, top := range []string{"cmd", "engine"} {
		err := filepath.WalkDir(filepath.Join("..", top), func(name string, entry fs.DirEntry, err error) error {
			switch {
			case err != nil:
				return err
			case entry.IsDir() && entry.Name() == "testdata":
				return fs.SkipDir
			case entry.IsDir() || filepath.Ext(name) != ".go":
				return nil
			}
			set := token.NewFileSet()
			file, err := parser.ParseFile(set, name, nil, parser.ParseComments)
			if err != nil {
				return err
			}
			rel := filepath.ToSlash(name)[len("../"):]
			dir := path.Dir(rel)
			all = append(all, source{rel, dir, strings.HasSuffix(rel, "_test.go") || slices.Contains(forTests, dir), file, set})
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if len(all) < 50 {
		t.Fatalf("only %d files found", len(all))
	}
	return all
}

func layerOf(pkg string) int {
	return slices.IndexFunc(layers, func(packages []string) bool { return slices.Contains(packages, pkg) })
}

func TestImportsGoDown(t *testing.T) {
	for _, s := range ourSources(t) {
		own := layerOf(s.pkg)
		if own < 0 {
			t.Errorf("%s: the package %s has no layer; add it to layers in this test", s.path, s.pkg)
			continue
		}
		for _, spec := range s.file.Imports {
			imported, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				t.Fatal(err)
			}
			pkg, ours := strings.CutPrefix(imported, module+"/")
			external := s.test && strings.HasSuffix(s.file.Name.Name, "_test") && pkg == s.pkg
			if !ours || external || s.test && strings.HasPrefix(pkg, "testdata/") {
				continue
			}
			if !s.test && slices.Contains(forTests, pkg) {
				t.Errorf("%s imports %s, which is for tests", s.path, pkg)
			}
			if at := layerOf(pkg); at < 0 || at >= own {
				t.Errorf("%s imports %s, which is in no lower layer than %s", s.path, pkg, s.pkg)
			}
		}
	}
}

func TestForeignImportsHaveOneOwner(t *testing.T) {
	for _, s := range ourSources(t) {
		for _, spec := range s.file.Imports {
			imported, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				t.Fatal(err)
			}
			packages, known := owner(imported)
			foreign := strings.Contains(strings.Split(imported, "/")[0], ".") && !strings.HasPrefix(imported, module+"/")
			switch {
			case s.test && (len(packages) == 0 || !foreign):
				// Tests may use what no package does, and start processes.
			case foreign && !known:
				t.Errorf("%s imports %s, which no package owns", s.path, imported)
			case known && !slices.ContainsFunc(packages, s.isIn):
				t.Errorf("%s imports %s, which belongs to %v", s.path, imported, packages)
			}
		}
	}
}

func TestPackagesWithFewImports(t *testing.T) {
	for _, s := range ourSources(t) {
		allowed, ok := fewImports[s.pkg]
		if !ok || s.test {
			continue
		}
		for _, spec := range s.file.Imports {
			if imported, err := strconv.Unquote(spec.Path.Value); err != nil || !slices.Contains(allowed, imported) {
				t.Errorf("%s imports %s; %s may import only %v", s.path, imported, s.pkg, allowed)
			}
		}
	}
}

// owner finds who may import a package: the longest path that is listed counts.
func owner(imported string) (packages []string, known bool) {
	for prefix := imported; prefix != "."; prefix = path.Dir(prefix) {
		if packages, known = owners[prefix]; known {
			return packages, true
		}
	}
	return nil, false
}

func TestFilesAreShort(t *testing.T) {
	for _, s := range ourSources(t) {
		if n := s.set.File(s.file.Pos()).LineCount(); n > 600 {
			t.Errorf("%s has %d lines, at most 600 are allowed", s.path, n)
		}
	}
}

// TestPackagesAreSmall: who looks for something in a package of ours must not have to read
// for a day.
func TestPackagesAreSmall(t *testing.T) {
	lines := map[string]int{}
	for _, s := range ourSources(t) {
		if !s.test {
			lines[s.pkg] += s.set.File(s.file.Pos()).LineCount()
		}
	}
	for pkg, n := range lines {
		if n > 4000 {
			t.Errorf("%s has %d lines without its tests, at most 4000 are allowed", pkg, n)
		}
	}
}

func TestPackagesSayWhatTheyAreFor(t *testing.T) {
	documented := map[string]bool{}
	for _, s := range ourSources(t) {
		if !s.test {
			documented[s.pkg] = documented[s.pkg] || s.file.Doc != nil
		}
	}
	for pkg, yes := range documented {
		if !yes {
			t.Errorf("%s has no package comment", pkg)
		}
	}
}

// TestNoNamesOfCLIs holds that what is particular to one CLI is data: neither its
// name nor its program nor its package stands in Go, not even in a comment.
func TestNoNamesOfCLIs(t *testing.T) {
	names, ordinary := cliWords(t)
	for _, s := range ourSources(t) {
		complain := func(at token.Pos, text, word string) {
			t.Errorf("%s:%d: %q names the CLI %q; that belongs in a spec", s.path, s.set.Position(at).Line, text, word)
		}
		for _, group := range s.file.Comments {
			for _, c := range group.List {
				if word := names.in(c.Text); word != "" {
					complain(c.Pos(), c.Text, word)
				}
			}
		}
		ast.Inspect(s.file, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.ImportSpec:
				return false
			case *ast.Ident:
				if word := names.in(n.Name); word != "" {
					complain(n.Pos(), n.Name, word)
				}
			case *ast.BasicLit:
				if n.Kind != token.STRING {
					break
				}
				text, err := strconv.Unquote(n.Value)
				if err != nil {
					t.Fatal(err)
				}
				if word := names.in(text); word != "" {
					complain(n.Pos(), text, word)
				} else if slices.Contains(ordinary, text) {
					complain(n.Pos(), text, text)
				}
			}
			return true
		})
	}
}

// everyday are words that also mean something else; one of them is the name of a CLI
// only where it stands alone as a string. (This list is one string for that reason.)
var everyday = strings.Fields("ai amp ask agent cli code continue crush cursor droid forge github goose google latest llm npm official open q")

// cliWords are the names, programs and packages of the built-in CLIs, and those
// among them that are everyday words.
func cliWords(t *testing.T) (names words, ordinary []string) {
	t.Helper()
	for _, cli := range builtIn(t).Catalog.CLIs {
		for _, word := range []string{cli.Name, path.Base(cli.Bin)} {
			if slices.Contains(everyday, word) {
				ordinary = append(ordinary, word)
			} else {
				names = append(names, word)
			}
		}
		for _, word := range packages(cli.Install) {
			if !slices.Contains(everyday, word) {
				names = append(names, word)
			}
		}
	}
	if len(names) < 4 {
		t.Fatalf("only %q found", names)
	}
	return names, ordinary
}

// packages are the words of an install command that name a package, with the parts
// of a scoped one.
func packages(install string) []string {
	var out []string
	for _, word := range strings.Fields(strings.ToLower(install)) {
		at := strings.LastIndex(word, "@")
		if at > 0 {
			word = word[:at] // the version
		}
		scope, name, scoped := strings.Cut(strings.TrimPrefix(word, "@"), "/")
		switch {
		case strings.HasPrefix(word, "-") || strings.Contains(word, "://"):
		case scoped:
			out = append(out, scope, name, strings.TrimSuffix(strings.TrimSuffix(scope, "-ai"), "-official"))
		case at > 0:
			out = append(out, word)
		}
	}
	return out
}

// words are looked for in a text as words, and from five letters on also inside
// longer ones.
type words []string

func (w words) in(text string) string {
	lower := strings.ToLower(text)
	parts := split(text)
	for _, word := range w {
		if len(word) >= 5 && strings.Contains(lower, word) || slices.Contains(parts, word) {
			return word
		}
	}
	return ""
}

// split takes a text apart at what is neither letter nor digit, and where a capital
// begins a word.
func split(text string) []string {
	spaced := camel.ReplaceAllString(text, "$1 $2")
	return strings.FieldsFunc(strings.ToLower(spaced), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
}

var camel = regexp.MustCompile(`([a-z0-9])([A-Z])`)

func TestNamesAreFound(t *testing.T) {
	w := words{"zeta", "acmecode", "acme-code"}
	for _, text := range []string{"zeta", "callZeta", "ZETA_HOME", "// like zeta does", "myAcmeCodeThing", "@x/acme-code"} {
		if w.in(text) == "" {
			t.Errorf("%q passes", text)
		}
	}
	for _, text := range []string{"zetas", "alphazeta", "acme code"} {
		if word := w.in(text); word != "" {
			t.Errorf("%q is taken for %s", text, word)
		}
	}
	if got := packages("npm install -g @acme-ai/zeta@latest"); !slices.Equal(got, []string{"acme-ai", "zeta", "acme"}) {
		t.Errorf("packages: %q", got)
	}
}

// builtIn loads the specs that the binary carries, and nothing of this machine.
func builtIn(t testing.TB) load.Result {
	t.Helper()
	return loadSpecs(t, builtInFiles(t))
}

func builtInFiles(t testing.TB) []specfiles.File {
	t.Helper()
	files, err := specfiles.ReadFS(specs.FS, "specs")
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func loadSpecs(t testing.TB, files []specfiles.File) load.Result {
	t.Helper()
	res := load.Load([]load.Layer{{Name: "built-in", Files: files}}, load.Options{Vet: true})
	for _, d := range res.Diagnostics {
		t.Error(d)
	}
	if res.Catalog == nil {
		t.FailNow()
	}
	return res
}
