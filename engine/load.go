package engine

import (
	"os"
	"path/filepath"

	"github.com/llm-cli-gateway/gateway/engine/gate"
	"github.com/llm-cli-gateway/gateway/engine/plan"
	"github.com/llm-cli-gateway/gateway/engine/spec"
	"github.com/llm-cli-gateway/gateway/specs"
)

// SiteDir is where an administrator puts specs for all users of the machine.
const SiteDir = "/etc/llm-cli-gateway/specs"

// UserDir is where a user puts specs.
func UserDir() string { return filepath.Join(StateDir(), "specs") }

// Load reads the built-in specs, the site's, the user's and the given folders, each
// over the one before. With vet the slower checks run too.
func Load(folders, environ []string, vet bool) spec.Result {
	layers, diags := layers(folders)
	return finish(layers, diags, spec.Options{Environ: environ, Snapshot: specs.Snapshot(), Vet: vet, Judge: judge})
}

// judge is what the policies say of the call of an example.
func judge(c *plan.Catalog, call *plan.Call) map[string]string {
	said := map[string]string{}
	for _, d := range gate.Each(c, call) {
		if d.Policy != "" {
			said[d.Policy] = string(d.Verdict)
		}
	}
	return said
}

// Vet checks files and folders, each over the built-in specs and the ones before.
// Neither the user's specs nor the environment count, so that the outcome is the
// same on every machine. Without paths it checks what a gateway would load.
func Vet(paths, folders, environ []string, more ...func(*spec.Options)) spec.Result {
	o := spec.Options{Snapshot: specs.Snapshot(), Vet: true, Judge: judge}
	for _, set := range more {
		set(&o)
	}
	if len(paths) == 0 {
		layers, diags := layers(folders)
		o.Environ = environ
		return finish(layers, diags, o)
	}
	diags := []spec.Diagnostic(nil)
	layers := []spec.Layer{builtIn()}
	for _, path := range append(folders, paths...) {
		layer, more := read(path)
		layers, diags = append(layers, layer), append(diags, more...)
	}
	return finish(layers, diags, o)
}

// Coverage makes Vet warn of what no example shows.
func Coverage(o *spec.Options) { o.Coverage = true }

func finish(layers []spec.Layer, diags []spec.Diagnostic, o spec.Options) spec.Result {
	result := spec.Load(layers, o)
	result.Diagnostics = spec.Sort(append(diags, result.Diagnostics...))
	if spec.Failed(result.Diagnostics) {
		result.Catalog, result.Spec = nil, nil
	}
	return result
}

// folders are all that a gateway reads specs from, but for those of the binary.
func folders(further []string) []string { return append([]string{SiteDir, UserDir()}, further...) }

func layers(folders []string) ([]spec.Layer, []spec.Diagnostic) {
	layers, diags := []spec.Layer{builtIn()}, []spec.Diagnostic(nil)
	for _, optional := range []struct{ name, dir string }{{"site", SiteDir}, {"user", UserDir()}} {
		files, found := readDir(optional.dir)
		if len(found) == 1 && found[0].Code == spec.CodeNoFolder {
			continue
		}
		layers, diags = append(layers, spec.Layer{Name: optional.name, Files: files}), append(diags, found...)
	}
	for _, dir := range folders {
		files, found := readDir(dir)
		layers, diags = append(layers, spec.Layer{Name: dir, Files: files}), append(diags, found...)
	}
	return layers, diags
}

func builtIn() spec.Layer {
	files, err := spec.ReadFS(specs.FS, "specs")
	if err != nil {
		panic("engine: the binary does not carry its specs: " + err.Error())
	}
	return spec.Layer{Name: "built-in", Files: files}
}

// readDir reads the files of a folder, and holds them against its lock.
func readDir(dir string) ([]spec.File, []spec.Diagnostic) {
	files, diags := spec.ReadDir(dir)
	_, differs := spec.CheckLock(dir, files)
	return files, append(diags, differs...)
}

// read reads a file or a folder as a layer.
func read(path string) (spec.Layer, []spec.Diagnostic) {
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		files, diags := readDir(path)
		return spec.Layer{Name: path, Files: files}, diags
	}
	file, err := spec.ReadFile(path)
	if err != nil {
		return spec.Layer{Name: path}, []spec.Diagnostic{{File: path, Code: "unreadable", Severity: spec.Error, Message: err.Error()}}
	}
	return spec.Layer{Name: path, Files: []spec.File{file}}, nil
}
