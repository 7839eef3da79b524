package load

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"path"
	"strings"

	"github.com/llm-cli-gateway/gateway/engine/catalog"
	"github.com/llm-cli-gateway/gateway/engine/lang"
	"github.com/llm-cli-gateway/gateway/engine/lang/diagnostic"
	"github.com/llm-cli-gateway/gateway/engine/lang/specfiles"
)

// snapshotFormat changes when the same texts give another snapshot.
const snapshotFormat = 2

// Snapshot is the checked data of a lowest layer, with a key over the texts that it
// came from, so that a start need not parse and check again what shipped with the
// binary. The diagnostics say why there is none.
func Snapshot(built Layer) ([]byte, []diagnostic.Diagnostic) {
	if res := Load([]Layer{built}, Options{}); diagnostic.Failed(res.Diagnostics) {
		return nil, res.Diagnostics
	}
	l := loader{r: &report{}}
	root := over(nil, l.layers([]Layer{built}, 0)[0], nil, l.r)
	if clis := root.fields["cli"]; clis != nil {
		for _, cli := range clis.fields {
			lean("cli", cli)
		}
	}
	if optimizers := root.fields["optimizer"]; optimizers != nil {
		lean("optimizer", optimizers)
	}
	var b bytes.Buffer
	b.WriteString(snapshotHead(built) + "{")
	for i, k := range root.keys { // one line an entry, for the sake of version control
		if i > 0 {
			b.WriteString(",\n")
		}
		quote(&b, k)
		b.WriteByte(':')
		n := root.fields[k]
		if n.kind != object {
			n.json(&b)
			continue
		}
		b.WriteByte('{')
		for j, name := range n.keys {
			if j > 0 {
				b.WriteByte(',')
			}
			b.WriteByte('\n')
			quote(&b, name)
			b.WriteByte(':')
			n.fields[name].json(&b)
		}
		b.WriteByte('}')
	}
	b.WriteString("}}\n")
	return b.Bytes(), nil
}

// snapshotHead is how a snapshot of these texts begins. It is compared as text: to
// decode the whole only to see the key would take as long as the specs themselves.
//
// The schema has no part in it. What a snapshot holds follows from the texts alone; that
// they fit the schema is tested where the snapshot is made.
func snapshotHead(built Layer) string {
	h := sha256.New()
	fmt.Fprintf(h, "%d\n", snapshotFormat)
	for _, f := range built.Files {
		fmt.Fprintf(h, "%q %d\n", path.Base(f.Name), len(f.Data)) // shown below any prefix
		h.Write(f.Data)
	}
	return fmt.Sprintf("{\"key\":\"%x\",\n\"spec\":", h.Sum(nil))
}

// parts is a spec whose entries are still text.
type parts struct {
	Language  json.RawMessage           `json:"language,omitempty"`
	CLI       lang.Map[json.RawMessage] `json:"cli,omitzero"`
	Client    lang.Map[json.RawMessage] `json:"client,omitzero"`
	Policy    json.RawMessage           `json:"policy,omitempty"`
	Risk      json.RawMessage           `json:"risk,omitempty"`
	MCP       lang.Map[json.RawMessage] `json:"mcp,omitzero"`
	Optimizer json.RawMessage           `json:"optimizer,omitempty"`
	Secret    json.RawMessage           `json:"secret,omitempty"`
	Gateway   json.RawMessage           `json:"gateway,omitempty"`
}

// loadFast takes from the snapshot what no higher layer touches. It gives up at the
// first thing worth reporting: only a load from text knows places.
func loadFast(layers []Layer, o Options) (res Result, ok bool) {
	text, fresh := bytes.CutPrefix(o.Snapshot, []byte(snapshotHead(layers[0])))
	if !fresh {
		return res, false
	}
	text = bytes.TrimSuffix(text, []byte("}\n"))
	l := loader{r: &report{}, memory: o.Memory, evaluation: Evaluation{o.Evaluator, layers}}
	patches := l.layers(layers[1:], 1)
	touched := map[string][]string{}
	touch := func(p *node) (fresh bool) {
		before := len(touched)
		for _, path := range entries(p) {
			touched[entryKey(path...)] = path
		}
		return len(touched) > before
	}
	for _, p := range patches {
		touch(p)
	}
	env := environ(o.Environ, l.r)
	patches = append(patches, env)
	if touched["cli"] != nil || touched["client"] != nil || touched["mcp"] != nil {
		return res, false // all of them, at once
	}
	l.walked = touch(env) // what only variables touch is not worth starting CUE for
	s, same := &lang.Spec{}, map[string]bool{}
	var err error
	if len(touched) == 0 {
		err = json.Unmarshal(text, s)
	} else {
		var base parts
		if json.Unmarshal(text, &base) != nil {
			return res, false
		}
		l.root = base.only(touched)
		l.lay(layers[1:], patches)
		l.good()
		if len(l.r.list) == 0 {
			s, same, err = l.memory.decode(base.with(l.root, touched))
		}
	}
	if len(l.r.list) > 0 || err != nil {
		return res, false
	}
	catalog, problems := catalog.Recompile(s, catalog.Known{
		Vetted: func(section, name string) bool { return touched[entryKey(section, name)] == nil },
		Before: o.Memory.before(),
		Same:   func(name string) bool { return same[name] },
	})
	return Result{Catalog: catalog, Spec: s}, len(problems) == 0
}

func entryKey(path ...string) string { return strings.TrimSuffix(strings.Join(path, "."), ".") }

// only is the tree of the entries that are touched. Its places mean nothing.
func (p parts) only(touched map[string][]string) *node {
	root := newObject(pos{}, pos{})
	for _, path := range touched {
		var raw json.RawMessage
		switch path[0] {
		case "cli":
			raw, _ = p.CLI.Get(path[1])
		case "client":
			raw, _ = p.Client.Get(path[1])
		case "policy":
			raw = p.Policy
		case "risk":
			raw = p.Risk
		case "mcp":
			raw, _ = p.MCP.Get(path[1])
		case "optimizer":
			raw = p.Optimizer
		case "secret":
			raw = p.Secret
		case "gateway":
			raw = p.Gateway
		case "language":
			raw = p.Language
		}
		if len(raw) == 0 {
			continue
		}
		var b bytes.Buffer
		for _, k := range path {
			quote(&b, k)
			b.WriteByte(':')
		}
		b.Write(raw) // JSON is CUE
		root = join(root, parse(specfiles.File{Name: "snapshot.cue", Data: b.Bytes()}, Evaluation{}, &report{}).root, nil, &report{})
	}
	return root
}

// with is p in which the entries that are touched are those of root.
func (p parts) with(root *node, touched map[string][]string) (out parts) {
	whole := func(key string, raw json.RawMessage) json.RawMessage {
		switch n := root.fields[key]; {
		case n != nil:
			return alone(nil, n)
		case touched[key] != nil:
			return nil // taken away by a null
		}
		return raw
	}
	section := func(key string, raws lang.Map[json.RawMessage]) (out lang.Map[json.RawMessage]) {
		merged := root.fields[key]
		if merged == nil {
			merged = newObject(pos{}, pos{})
		}
		for name, raw := range raws.All() {
			if n := merged.fields[name]; n != nil {
				out.Set(name, alone(nil, n))
			} else if touched[entryKey(key, name)] == nil {
				out.Set(name, raw)
			}
		}
		for _, name := range merged.keys {
			if _, old := raws.Get(name); !old {
				out.Set(name, alone(nil, merged.fields[name]))
			}
		}
		return out
	}
	return parts{
		Language: whole("language", p.Language), Policy: whole("policy", p.Policy), Risk: whole("risk", p.Risk), Optimizer: whole("optimizer", p.Optimizer), Secret: whole("secret", p.Secret), Gateway: whole("gateway", p.Gateway),
		CLI: section("cli", p.CLI), Client: section("client", p.Client), MCP: section("mcp", p.MCP),
	}
}
