package engine

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/llm-cli-gateway/gateway/engine/lang/diagnostic"
	"github.com/llm-cli-gateway/gateway/engine/lang/evaluate"
	"github.com/llm-cli-gateway/gateway/engine/lang/load"
	"github.com/llm-cli-gateway/gateway/engine/lang/specfiles"
	"github.com/llm-cli-gateway/gateway/specs"
)

// SiteDir is where an administrator puts specs for all users of the machine. Only tests set
// it: a gateway that could be told another folder would not be held by this one.
var SiteDir = "/etc/llm-cli-gateway/specs"

// UserDir is where a user puts specs.
func UserDir() string { return filepath.Join(StateDir(), "specs") }

// Load reads the built-in specs, the site's, the user's and the given folders, each
// over the one before. With vet the slower checks run too. When ctx ends, so does the
// evaluation of a file, which is a diagnostic then.
func Load(ctx context.Context, folders, environ []string, vet bool) load.Result {
	layers, diags := layers(folders)
	return finish(ctx, layers, diags, load.Options{Environ: environ, Snapshot: specs.Snapshot(), Vet: vet})
}

// Vet checks files and folders, each over the built-in specs and the ones before.
// Neither the user's specs nor the environment count, so that the outcome is the
// same on every machine, unless its site locks settings: what would widen these is a
// warning. Without paths it checks what a gateway would load.
func Vet(ctx context.Context, paths, folders, environ []string, more ...func(*load.Options)) load.Result {
	o := load.Options{Snapshot: specs.Snapshot(), Vet: true}
	for _, set := range more {
		set(&o)
	}
	if len(paths) == 0 {
		layers, diags := layers(folders)
		o.Environ = environ
		return finish(ctx, layers, diags, o)
	}
	diags := []diagnostic.Diagnostic(nil)
	layers := []load.Layer{builtIn()}
	if site, locks := locking(ctx); locks && !slices.ContainsFunc(paths, ofSite) {
		layers = append(layers, site)
	}
	for _, path := range append(folders, paths...) {
		layer, more := read(path)
		layers, diags = append(layers, layer), append(diags, more...)
	}
	return finish(ctx, layers, diags, o)
}

// locking is the layer of the site, and whether it locks anything.
func locking(ctx context.Context) (site load.Layer, locks bool) {
	files, diags := readDir(SiteDir)
	if len(files) == 0 {
		return site, false
	}
	site = load.Layer{Name: "site", Files: files, Site: true}
	result := finish(ctx, []load.Layer{builtIn(), site}, diags, load.Options{Snapshot: specs.Snapshot()})
	return site, result.Catalog != nil && len(result.Catalog.Settings.Locked) > 0
}

// ofSite reports whether a path is the site's folder or a file in it.
func ofSite(path string) bool {
	real := func(path string) string {
		if absolute, err := filepath.Abs(path); err == nil {
			path = absolute
		}
		if target, err := filepath.EvalSymlinks(path); err == nil {
			return target
		}
		return path
	}
	site, at := real(SiteDir), real(path)
	return at == site || filepath.Dir(at) == site
}

// Strict makes Vet warn of CLIs of which nothing is known about access.
func Strict(o *load.Options) { o.Strict = true }

// Coverage makes Vet warn of what no example shows.
func Coverage(o *load.Options) { o.Coverage = true }

func finish(ctx context.Context, layers []load.Layer, diags []diagnostic.Diagnostic, o load.Options) load.Result {
	if o.Evaluator == nil {
		process := evaluate.New(ctx, nil)
		defer process.Close()
		o.Evaluator = process.Evaluate
	}
	result := load.Load(layers, o)
	result.Diagnostics = diagnostic.Sort(append(diags, result.Diagnostics...))
	if diagnostic.Failed(result.Diagnostics) {
		result.Catalog, result.Spec = nil, nil
	}
	return result
}

// folders are all that a gateway reads specs from, but for those of the binary.
func folders(further []string) []string { return append([]string{SiteDir, UserDir()}, further...) }

func builtIn() load.Layer {
	files, err := specfiles.ReadFS(specs.FS, "specs")
	if err != nil {
		panic("engine: the binary does not carry its specs: " + err.Error())
	}
	return load.Layer{Name: "built-in", Files: files, Known: true}
}

// readDir reads the files of a folder, and holds them against its lock.
func readDir(dir string) ([]specfiles.File, []diagnostic.Diagnostic) {
	files, diags := specfiles.ReadDir(dir)
	_, differs := specfiles.CheckLock(dir, files)
	return files, append(diags, differs...)
}

// differing is what the lock of its folder has against a file.
func differing(path, name string) []diagnostic.Diagnostic {
	dir := filepath.Dir(path)
	files, _ := specfiles.ReadDir(dir)
	_, diags := specfiles.CheckLock(dir, files)
	return slices.DeleteFunc(diags, func(d diagnostic.Diagnostic) bool {
		return d.File != name && filepath.Base(d.File) != specfiles.LockName || strings.HasSuffix(d.Message, " is gone")
	})
}

// read reads a file or a folder as a layer.
func read(path string) (load.Layer, []diagnostic.Diagnostic) {
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		files, diags := readDir(path)
		return load.Layer{Name: path, Files: files, Site: ofSite(path)}, diags
	}
	file, ok, diags := specfiles.ReadFile(path)
	if !ok {
		return load.Layer{Name: path}, diags
	}
	return load.Layer{Name: path, Files: []specfiles.File{file}, Site: ofSite(path)}, differing(path, file.Name)
}
