package engine

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/llm-cli-gateway/gateway/engine/host"
	"github.com/llm-cli-gateway/gateway/engine/lang"
	"github.com/llm-cli-gateway/gateway/engine/lang/compat"
	"github.com/llm-cli-gateway/gateway/engine/lang/diagnostic"
	"github.com/llm-cli-gateway/gateway/engine/lang/evaluate"
	"github.com/llm-cli-gateway/gateway/engine/lang/load"
	"github.com/llm-cli-gateway/gateway/engine/lang/specfiles"
	"github.com/llm-cli-gateway/gateway/engine/process"
	"github.com/llm-cli-gateway/gateway/engine/store"
)

// DiffSpecs compares the spec files and folders at the paths with what they were at a
// commit of git, both over the built-in specs: what breaks callers and what widens what
// calls may do are errors, all else notes. A file that bears the name of a built-in one
// replaces it, so that the built-in specs themselves can be compared. The memory is that
// of a load of the same specs: what it verified is not verified again.
func DiffSpecs(ctx context.Context, ref string, paths []string, environ []string, memory *load.Memory) ([]diagnostic.Diagnostic, error) {
	g, err := newGit(environ)
	if err != nil {
		return nil, err
	}
	var old, now []load.Layer
	for _, p := range paths {
		layer, _ := read(p) // its problems have been reported
		before, err := g.layer(ctx, ref, p)
		if err != nil {
			return nil, err
		}
		now, old = append(now, layer), append(old, before)
	}
	replaced := map[string]bool{}
	for _, l := range slices.Concat(old, now) {
		for _, f := range l.Files {
			replaced[path.Base(filepath.ToSlash(f.Name))] = true
		}
	}
	whole, rest := builtIn(), builtIn()
	rest.Files = slices.DeleteFunc(rest.Files, func(f specfiles.File) bool { return replaced[path.Base(f.Name)] })
	process := evaluate.New(ctx, nil)
	defer process.Close()
	load := func(base load.Layer, layers []load.Layer) load.Result {
		return load.Load(append([]load.Layer{base}, layers...), load.Options{Places: true, Memory: memory, Evaluator: process.Evaluate})
	}
	// A file of the same name may also be a patch, that says nothing alone.
	b, a := load(rest, now), load(rest, old) // the memory is that of the new ones
	if a.Catalog == nil || b.Catalog == nil {
		b, a = load(whole, now), load(whole, old)
	}
	if a.Catalog == nil {
		return nil, unusable("the specs at "+ref, a.Diagnostics)
	}
	if b.Catalog == nil {
		return nil, unusable("the specs", b.Diagnostics)
	}
	return placed(a, b), nil
}

func unusable(what string, diags []diagnostic.Diagnostic) error {
	for _, d := range diags {
		if d.Severity == diagnostic.Error {
			return fmt.Errorf("%s cannot be compared: %s", what, d)
		}
	}
	return fmt.Errorf("%s cannot be compared", what)
}

// placed finds the positions of changes: in the new specs, or in the old ones for what only
// they have.
func placed(old, now load.Result) (diags []diagnostic.Diagnostic) {
	for _, c := range compat.Diff(old.Catalog, now.Catalog) {
		p := []lang.Problem{{Path: c.Path, Code: string(c.Kind), Text: string(c.Kind) + ": " + c.Text, Note: c.Kind == compat.Note, Key: true}}
		if p[0].Note {
			p[0].Text = c.Text
		}
		places := now.Locate(p, nil)
		if c.Gone || len(places) > 0 && places[0].File == "" {
			places = old.Locate(p, nil)
		}
		diags = append(diags, places...)
	}
	return diagnostic.Sort(diags)
}

// git runs the program of that name.
type git struct {
	path    string
	environ []string
}

func newGit(environ []string) (git, error) {
	found, err := host.New(environ, nil, "").Find("git")
	if err != nil {
		return git{}, fmt.Errorf("git is needed to compare with earlier specs: %w", err)
	}
	// In a hook git names its repository by variables, which need not be that of a path.
	own := slices.DeleteFunc(slices.Clone(environ), func(kv string) bool { return strings.HasPrefix(kv, "GIT_") })
	return git{path: found, environ: append(own, "LC_ALL=C", "GIT_OPTIONAL_LOCKS=0")}, nil
}

// layer is what a file or folder was at a commit.
func (g git) layer(ctx context.Context, ref, name string) (load.Layer, error) {
	dir, only := name, ""
	if info, err := os.Stat(name); err == nil && !info.IsDir() {
		dir, only = filepath.Dir(name), filepath.Base(name)
	}
	layer := load.Layer{Name: name, Site: ofSite(name)}
	commit, err := g.run(ctx, dir, "rev-parse", "--verify", "--end-of-options", ref+"^{commit}")
	if err != nil {
		return layer, fmt.Errorf("%s: git knows no commit %q: %w", name, ref, err)
	}
	listing, err := g.run(ctx, dir, "ls-tree", "-z", strings.TrimSpace(string(commit)))
	if err != nil {
		return layer, fmt.Errorf("%s: %w", name, err)
	}
	for _, entry := range strings.Split(strings.TrimSuffix(string(listing), "\x00"), "\x00") {
		facts, file, _ := strings.Cut(entry, "\t")
		fields := strings.Fields(facts) // mode, type, object
		if len(fields) != 3 || !strings.HasPrefix(fields[0], "100") || !specfiles.IsSpec(file) || only != "" && file != only {
			continue
		}
		text, err := g.run(ctx, dir, "cat-file", "blob", fields[2])
		if err != nil {
			return layer, fmt.Errorf("%s: %w", name, err)
		}
		layer.Files = append(layer.Files, specfiles.File{Name: ref + ":" + filepath.ToSlash(filepath.Join(dir, file)), Data: text})
	}
	return layer, nil
}

// Bounds of a run of git.
const (
	gitLimit  = time.Minute
	gitOutput = 8 << 20 // bytes
)

// run gives what git prints. The error contains the first line of its error output.
func (g git) run(ctx context.Context, dir string, args ...string) ([]byte, error) {
	at, err := filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	spool, err := os.MkdirTemp("", "llm-gateway-git-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(spool)
	var files [2]*os.File
	for i, name := range []string{"stdout", "stderr"} {
		if files[i], err = os.Create(filepath.Join(spool, name)); err != nil {
			return nil, err
		}
		defer files[i].Close()
	}
	child, err := process.Start(process.Command{
		Path: g.path, Args: append([]string{"--no-pager"}, args...), Env: g.environ, Dir: at,
		Stdout: files[0], Stderr: files[1], Cookie: store.NewID(),
	}, process.Limits{Wall: gitLimit, Output: gitOutput})
	if err != nil {
		return nil, err
	}
	select {
	case <-child.Done():
	case <-ctx.Done():
		child.Stop(process.Canceled)
	}
	exit := child.Exit()
	out, err := io.ReadAll(process.Reader(files[0], exit.Stdout))
	complaint, _ := io.ReadAll(io.LimitReader(process.Reader(files[1], exit.Stderr), 4096))
	switch {
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case exit.Code != 0:
		first, _, _ := strings.Cut(strings.TrimSpace(string(complaint)), "\n")
		if first == "" {
			first = fmt.Sprintf("git ended with exit code %d", exit.Code)
		}
		return nil, errors.New(first)
	}
	return out, errors.Join(err, exit.Err)
}
