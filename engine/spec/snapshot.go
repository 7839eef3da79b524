package spec

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"path"
	"strings"

	"github.com/llm-cli-gateway/gateway/engine/plan"
	"github.com/llm-cli-gateway/gateway/schema"
)

// snapshotFormat changes when the same texts give another snapshot.
const snapshotFormat = 1

// Snapshot is the checked data of a lowest layer, with a key over the texts that it
// came from, so that a start need not parse and check again what shipped with the
// binary. The diagnostics say why there is none.
func Snapshot(built Layer) ([]byte, []Diagnostic) {
	if res := Load([]Layer{built}, Options{}); Failed(res.Diagnostics) {
		return nil, res.Diagnostics
	}
	l := loader{r: &report{}}
	root := over(nil, l.layers([]Layer{built})[0], nil, l.r)
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
func snapshotHead(built Layer) string {
	h := sha256.New()
	fmt.Fprintf(h, "%d\n%d\n%s", snapshotFormat, len(schema.Text), schema.Text)
	for _, f := range built.Files {
		fmt.Fprintf(h, "%q %d\n", path.Base(f.Name), len(f.Data)) // shown below any prefix
		h.Write(f.Data)
	}
	return fmt.Sprintf("{\"key\":\"%x\",\n\"spec\":", h.Sum(nil))
}

// parts is a spec whose entries are still text.
type parts struct {
	Language json.RawMessage           `json:"language"`
	CLI      plan.Map[json.RawMessage] `json:"cli"`
	Client   plan.Map[json.RawMessage] `json:"client"`
	Policy   json.RawMessage           `json:"policy"`
	Risk     json.RawMessage           `json:"risk"`
	MCP      plan.Map[json.RawMessage] `json:"mcp"`
	Gateway  json.RawMessage           `json:"gateway"`
}

// loadFast takes from the snapshot what no higher layer touches. It gives up at the
// first thing worth reporting: only a load from text knows places.
func loadFast(layers []Layer, o Options) (res Result, ok bool) {
	text, fresh := bytes.CutPrefix(o.Snapshot, []byte(snapshotHead(layers[0])))
	if !fresh {
		return res, false
	}
	text = bytes.TrimSuffix(text, []byte("}\n"))
	l := loader{r: &report{}}
	patches := l.layers(layers[1:])
	touched := map[string][]string{}
	touch := func(p *node) (fresh bool) {
		before := len(touched)
		for _, path := range entries(p) {
			touched[strings.Join(path, ".")] = path
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
	changed := &plan.Spec{}
	if len(touched) > 0 {
		var base parts
		if json.Unmarshal(text, &base) != nil {
			return res, false
		}
		l.root = base.only(touched)
		for _, p := range patches {
			l.root = over(l.root, p, nil, l.r)
		}
		changed = l.spec()
		text = base.with(l.root, touched)
	}
	if len(l.r.list) > 0 {
		return res, false
	}
	if _, problems := plan.Compile(changed); len(problems) > 0 {
		return res, false
	}
	s := &plan.Spec{}
	if json.Unmarshal(text, s) != nil {
		return res, false
	}
	catalog, _ := plan.CompileVetted(s)
	return Result{Catalog: catalog, Spec: s}, catalog != nil
}

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
		root = join(root, parse(File{Name: "snapshot.cue", Data: b.Bytes()}, &report{}).root, nil, &report{})
	}
	return root
}

// with is the text of p in which the entries that are touched are those of root.
func (p parts) with(root *node, touched map[string][]string) []byte {
	var b bytes.Buffer
	comma := func() {
		if b.Len() > 0 && b.Bytes()[b.Len()-1] != '{' {
			b.WriteByte(',')
		}
	}
	whole := func(key string, raw json.RawMessage) {
		if n := root.fields[key]; n != nil || len(raw) > 0 && touched[key] == nil {
			comma()
			quote(&b, key)
			b.WriteByte(':')
			if n != nil {
				n.json(&b)
			} else {
				b.Write(raw)
			}
		}
	}
	section := func(key string, raws plan.Map[json.RawMessage]) {
		comma()
		quote(&b, key)
		b.WriteString(":{")
		merged := root.fields[key]
		if merged == nil {
			merged = newObject(pos{}, pos{})
		}
		for name, raw := range raws.All() {
			n := merged.fields[name]
			if n == nil && touched[key+"."+name] != nil {
				continue // taken away by a null
			}
			comma()
			quote(&b, name)
			b.WriteByte(':')
			if n != nil {
				n.json(&b)
			} else {
				b.Write(raw)
			}
		}
		for _, name := range merged.keys {
			if _, old := raws.Get(name); !old {
				comma()
				quote(&b, name)
				b.WriteByte(':')
				merged.fields[name].json(&b)
			}
		}
		b.WriteByte('}')
	}
	b.WriteByte('{')
	whole("language", p.Language)
	section("cli", p.CLI)
	section("client", p.Client)
	whole("policy", p.Policy)
	whole("risk", p.Risk)
	section("mcp", p.MCP)
	whole("gateway", p.Gateway)
	b.WriteByte('}')
	return b.Bytes()
}
