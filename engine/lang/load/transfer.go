package load

import (
	"bytes"
	"encoding/gob"
	"fmt"

	"cuelang.org/go/cue/ast"

	"github.com/llm-cli-gateway/gateway/engine/lang/cuesyntax"
	"github.com/llm-cli-gateway/gateway/engine/lang/diagnostic"
	"github.com/llm-cli-gateway/gateway/engine/lang/specfiles"
)

// An evaluated file may say more than its text, but not without end: all of it is kept, and
// held against the schema.
const maxEvaluated = 4 * specfiles.MaxFile // bytes

// sent is an evaluated file on its way from the process that evaluated it.
type sent struct {
	Broken bool
	Root   *sentNode
	Found  []diagnostic.Diagnostic
	Wrong  [][]string // the paths of all errors
}

// sentNode is a node. Positions are offsets in the file, nowhere for none.
type sentNode struct {
	Kind    kind
	Text    string
	Keys    []string
	Fields  []*sentNode // in the order of the keys
	Items   []*sentNode
	Hazy    bool
	At, Key int
}

const nowhere = -1

func encodeTree(t tree, r *report) []byte {
	s := sent{Broken: t.broken, Found: r.list, Wrong: r.wrong}
	if t.root != nil {
		s.Root = pack(t.root)
	}
	var b bytes.Buffer
	if err := gob.NewEncoder(&b).Encode(s); err != nil {
		panic("spec: a tree always encodes: " + err.Error())
	}
	return b.Bytes()
}

// decodeTree is the inverse of encodeTree, for a file with the same text. What was found
// is added to r.
func decodeTree(data []byte, src *source, r *report) (tree, error) {
	var s sent
	if err := gob.NewDecoder(bytes.NewReader(data)).Decode(&s); err != nil {
		return tree{}, fmt.Errorf("it cannot be understood: %w", err)
	}
	t := tree{src: src, broken: s.Broken}
	if s.Root != nil {
		t.root = s.Root.unpack(src)
	}
	r.take(&report{list: s.Found, wrong: s.Wrong})
	return t, nil
}

func pack(n *node) *sentNode {
	s := &sentNode{Kind: n.kind, Text: n.text, Keys: n.keys, Hazy: n.hazy, At: offset(n.at), Key: offset(n.key)}
	for _, k := range n.keys {
		s.Fields = append(s.Fields, pack(n.fields[k]))
	}
	for _, item := range n.items {
		s.Items = append(s.Items, pack(item))
	}
	return s
}

func offset(p pos) int {
	if !p.known() {
		return nowhere
	}
	return p.off
}

func (s *sentNode) unpack(src *source) *node {
	place := func(off int) pos {
		if off < 0 || off > len(src.data) {
			return pos{}
		}
		return pos{src, off}
	}
	n := &node{kind: s.Kind, text: s.Text, hazy: s.Hazy, at: place(s.At), key: place(s.Key)}
	if n.kind == object || len(s.Keys) > 0 {
		n.fields = make(map[string]*node, len(s.Keys))
	}
	for i, k := range s.Keys {
		n.set(k, s.Fields[i].unpack(src))
	}
	for _, item := range s.Items {
		n.items = append(n.items, item.unpack(src))
	}
	return n
}

// moderate refuses an evaluated file that says too much.
func moderate(t tree, file *ast.File, r *report) tree {
	at := pos{t.src, min(cuesyntax.Costly(file), len(t.src.data))}
	switch size, depth := t.root.extent(); {
	case size > maxEvaluated:
		r.add(at, nil, "too-large", "evaluated, the file has more than %d bytes", maxEvaluated)
	case depth > maxDepth:
		r.add(at, nil, "too-deep", "evaluated, the file is nested more than %d deep", maxDepth)
	default:
		return t
	}
	return tree{src: t.src, broken: true}
}

// extent is about how many bytes n takes as JSON, and how deep it is nested.
func (n *node) extent() (size, depth int) {
	size = len(n.text) + 4
	within := func(inner *node) {
		s, d := inner.extent()
		size, depth = size+s, max(depth, d+1)
	}
	for _, k := range n.keys {
		size += len(k) + 4
		within(n.fields[k])
	}
	for _, item := range n.items {
		within(item)
	}
	return size, depth
}
