package load

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"

	"github.com/llm-cli-gateway/gateway/engine/catalog"
	"github.com/llm-cli-gateway/gateway/engine/lang"
	"github.com/llm-cli-gateway/gateway/engine/lang/check"
	"github.com/llm-cli-gateway/gateway/engine/lang/diagnostic"
	"github.com/llm-cli-gateway/gateway/engine/lang/specfiles"
)

// Layer is a set of files that belong together and have no order among them. A
// higher layer overrides a lower one, field by field.
type Layer struct {
	Name  string // "built-in", "site", "user" or the folder
	Files []specfiles.File
	// Known is for what comes with the program: it is evaluated in this process, without
	// limits.
	Known bool
	// Site is for what an administrator says for all users: it alone can lock settings.
	Site bool
	// Afresh is for what must not be taken from a file that the user can write: each process
	// evaluates it again.
	Afresh bool
}

// Options of a load; the zero value is good.
type Options struct {
	// Environ holds "KEY=VALUE" pairs; those of Variables lie over all layers.
	Environ []string
	// Snapshot is what Snapshot made of the lowest layer earlier. One that was made
	// of other texts is ignored. There are no warnings about what is taken from it.
	Snapshot []byte
	// Vet adds the slower checks: examples, safety of every parameter, tool schemas.
	// Without it the catalog and the spec have no examples, and nothing of probe.
	Vet bool
	// Memory of earlier loads; nil: all is read and checked.
	Memory *Memory
	// Evaluator of files that are not plain data; nil: this process, without limits.
	Evaluator Evaluator
	// Places keeps what Locate needs, as Vet does.
	Places bool
	// Coverage adds warnings about what no example shows.
	Coverage bool
	// Strict adds warnings about CLIs of which nothing is known about access.
	Strict bool
}

// Result is what a load found. Catalog and Spec are nil if any diagnostic is an
// error.
type Result struct {
	Catalog     *catalog.Catalog
	Spec        *lang.Spec
	Diagnostics []diagnostic.Diagnostic // sorted, none twice

	root *node // what was merged, of a load with Vet or Places
}

// Locate finds the places of problems with a catalog that was loaded with Vet or Places. Of what a
// range of versions says, as ranges names for a CLI, the place is in that range.
func (r Result) Locate(problems []lang.Problem, ranges map[string][]string) []diagnostic.Diagnostic {
	l := loader{r: &report{}, root: r.root}
	for i, p := range problems {
		if len(p.Path) < 3 {
			continue
		}
		for _, key := range ranges[p.Path[1]] {
			patched := slices.Concat(p.Path[:2], []string{"versions", key}, p.Path[2:])
			if _, depth := r.root.lookup(patched); depth == len(patched) {
				problems[i].Path = patched
			}
		}
		// A list of words may be written alone, or as argv of an object.
		last := len(p.Path) - 1
		longer := slices.Concat(p.Path[:last], []string{"argv"}, p.Path[last:])
		if _, depth := r.root.lookup(longer); depth == len(longer) {
			problems[i].Path = longer
		}
	}
	l.locate(problems)
	return diagnostic.Sort(l.r.list)
}

// Load merges layers, lowest first, checks and compiles them. It reads no files,
// never panics, and reports all problems at once.
func Load(layers []Layer, o Options) Result {
	if o.Memory == nil {
		return loadAll(layers, o)
	}
	o.Memory.mu.Lock()
	defer o.Memory.mu.Unlock()
	o.Memory.begin()
	res := loadAll(layers, o)
	o.Memory.end(res.Catalog)
	return res
}

func loadAll(layers []Layer, o Options) Result {
	if len(o.Snapshot) > 0 && len(layers) > 0 && !o.Vet {
		if res, ok := loadFast(layers, o); ok {
			return res
		}
	}
	l := loader{r: &report{}, memory: o.Memory, vet: o.Vet, evaluation: Evaluation{o.Evaluator, layers}}
	patches := l.layers(layers, 0)
	l.lay(layers, append(patches, environ(o.Environ, l.r)))
	s := l.decode(l.good())
	catalog := l.compile(s, o)
	diags := diagnostic.Sort(quiet(l.r.list))
	if diagnostic.Failed(diags) {
		return Result{Diagnostics: diags}
	}
	res := Result{Catalog: catalog, Spec: s, Diagnostics: diags}
	if o.Vet || o.Places {
		res.root = l.root
	}
	return res
}

// loader carries one load.
type loader struct {
	r      *report
	memory *Memory
	root   *node
	broken []*source // files that could not be read at all
	vet    bool      // with the slower checks

	evaluation Evaluation // of files that are not plain data
	walked     bool       // settings differ from a verified layer by variables only: the walk suffices
}

// layers reads all files and gives one tree for each layer; the first has the number
// lowest.
func (l *loader) layers(layers []Layer, lowest int) (patches []*node) {
	for i, layer := range layers {
		root, evaluation := newObject(pos{}, pos{}), l.evaluation
		if layer.Known {
			evaluation = Evaluation{}
		}
		for _, f := range layer.Files {
			t := l.memory.parse(f, lowest+i, evaluation, layer.Afresh, l.r)
			if t.broken {
				l.broken = append(l.broken, t.src)
				continue
			}
			root = join(root, t.root, nil, l.r)
		}
		patches = append(patches, root)
	}
	return patches
}

// good checks the merged tree and gives what is right in it.
func (l *loader) good() *node {
	if l.root == nil {
		l.root = newObject(pos{}, pos{})
	}
	checker{r: l.r, root: l.root, excused: l.excused}.check(l.root, fileShape(), nil)
	all := entries(l.root)
	var fitting [][]string
	for _, path := range all {
		n, _ := l.root.lookup(path)
		if !l.r.failed(path) && n.whole() && (!l.walked || path[0] != "gateway") {
			fitting = append(fitting, path)
		}
	}
	verify(fitting, l.root, l.memory, l.r)
	good := newObject(pos{}, pos{})
	for _, path := range all {
		n, _ := l.root.lookup(path)
		if l.r.failed(path) || !n.whole() {
			if len(path) == 2 && path[0] == "cli" && n.kind == object {
				l.salvage(path, n)
			}
			continue
		}
		if l.versions(path, n); l.r.failed(path) {
			l.salvage(path, n)
			continue
		}
		if n.kind == object && !l.vet {
			lean(path[0], n)
		}
		into := good
		for _, k := range path[:len(path)-1] {
			if into.fields[k] == nil {
				into.set(k, newObject(pos{}, pos{}))
			}
			into = into.fields[k]
		}
		into.set(path[len(path)-1], n)
	}
	return good
}

// lean leaves out of an entry what only vet reads.
func lean(section string, entry *node) {
	switch section {
	case "cli":
		entry.drop("examples")
		entry.drop("probe")
	case "optimizer":
		for _, optimizer := range entry.fields {
			optimizer.drop("examples")
		}
	}
}

// entries are the paths of what is checked on its own: each CLI, client and server, and
// whatever else stands at the top. Policies are compared with each other, so that all
// of them are one entry.
func entries(root *node) (paths [][]string) {
	for _, k := range root.keys {
		n := root.fields[k]
		if k != "cli" && k != "client" && k != "mcp" || n.kind != object {
			paths = append(paths, []string{k})
			continue
		}
		for _, name := range n.keys {
			paths = append(paths, []string{k, name})
		}
	}
	return paths
}

// excused: a file that could not be read may hold what an entry lacks, if it speaks
// of the entry at all.
func (l *loader) excused(path []string) bool {
	for _, src := range l.broken {
		if len(path) >= 2 && bytes.Contains(src.data, []byte(path[1])) {
			return true
		}
	}
	return false
}

func (l *loader) decode(n *node) *lang.Spec {
	s := &lang.Spec{}
	err := json.Unmarshal(alone(nil, n), s)
	if err == nil {
		return s
	}
	for _, path := range entries(n) { // the schema lets something pass that the types do not
		e, _ := n.lookup(path)
		if err := json.Unmarshal(alone(path, e), &lang.Spec{}); err != nil {
			l.r.add(e.key, path, "value", "%s", err)
		}
	}
	return &lang.Spec{}
}

// compile hands the spec to the plan and finds the places of what the plan says.
func (l *loader) compile(s *lang.Spec, o Options) *catalog.Catalog {
	known := catalog.Known{}
	if !o.Vet {
		known.Before = l.memory.before()
	}
	cat, problems := catalog.Recompile(s, known)
	l.locate(slices.DeleteFunc(problems, l.named))
	if cat != nil && o.Vet {
		l.locate(slices.DeleteFunc(check.Vet(cat), l.overridden))
	}
	if cat != nil && o.Coverage {
		l.locate(check.Uncovered(cat))
	}
	if cat != nil && o.Strict {
		l.locate(check.Unjudged(cat, l.faulty))
	}
	return cat
}

// faulty reports whether something was found in a CLI.
func (l *loader) faulty(cli string) bool {
	return slices.ContainsFunc(l.r.list, func(d diagnostic.Diagnostic) bool {
		return d.Path == "cli."+cli || strings.HasPrefix(d.Path, "cli."+cli+".")
	})
}

// named: a server that is referred to has a definition, in which something is wrong.
func (l *loader) named(p lang.Problem) bool {
	if p.Code != "mcp" {
		return false
	}
	n, depth := l.root.lookup(p.Path)
	_, known := l.root.lookup([]string{"mcp", n.text})
	return depth == len(p.Path) && known == 2
}

// overridden: an example says what its own layer makes of a call. Where a higher
// layer has changed the CLI, it proves nothing any more, and its author cannot help it.
func (l *loader) overridden(p lang.Problem) bool {
	if p.Code != "example" {
		return false
	}
	examples, _ := l.root.lookup(p.Path[:3])
	said := [][]string{p.Path[:2]}
	if len(p.Path) > 4 && (p.Path[4] == "risk" || p.Path[4] == "verdict") {
		said = append(said, []string{"risk"}, []string{"policy"})
	}
	return slices.ContainsFunc(said, func(path []string) bool {
		n, depth := l.root.lookup(path)
		return depth == len(path) && n.layer() > examples.layer()
	})
}

func (l *loader) locate(problems []lang.Problem) {
	for _, p := range problems {
		path := slices.Concat(p.Path, p.Below)
		n, depth := l.root.lookup(path)
		at := n.at
		switch {
		case p.Key || depth < len(path) || n.kind == object:
			at = n.key
		case n.kind == textKind:
			at = n.at.into(n.text, p.Offset)
		}
		add := l.r.add
		if p.Warning || p.Note {
			add = l.r.warn
		}
		d := add(at, p.Path, p.Code, "%s", p.Text)
		d.Hint = p.Hint
		if p.Note {
			d.Severity = diagnostic.Note
		}
	}
}
