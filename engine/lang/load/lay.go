package load

import (
	"bytes"

	"github.com/llm-cli-gateway/gateway/engine/lang/layers"
)

// CodeHeld is the code of what was ignored because it widens what the site locked.
const CodeHeld = "site-lock"

// codeLess is the code of a rule that does not count because one below scores more.
const codeLess = "less"

// lay lays patches over the root, lowest first: those of the layers, and then the variables.
// What a layer of the site locks, those above cannot widen.
func (l *loader) lay(from []Layer, patches []*node) {
	var locks *layers.Locks
	at := map[string]pos{} // of the names that are locked
	for i, p := range patches {
		site := i < len(from) && from[i].Site
		locked, depth := p.lookup([]string{"gateway", "locked"})
		if !site && depth == 2 {
			l.r.add(locked.key, []string{"gateway", "locked"}, "place", "only the site's folder can lock settings")
		}
		if locks != nil {
			for _, x := range locks.Hold(p, l.root) {
				l.held(x, at[x.Lock])
			}
		}
		l.root = over(l.root, p, nil, l.r)
		if site && depth == 2 && locked.kind == list {
			names := []string{}
			for _, item := range locked.items {
				names, at[item.text] = append(names, item.text), item.at
			}
			locks = layers.NewLocks(names, l.root.clone())
		}
	}
}

// held warns of what was ignored.
func (l *loader) held(x layers.Refusal, lock pos) {
	v, hint := x.Value.(*node), "locked at "+where(lock)
	switch {
	case x.Back:
		l.r.warn(v.key, x.Path, CodeHeld, "is ignored: a lower layer removed it, and it would come back without what the site locked").Hint = hint
		return
	case v.kind&(object|list) != 0:
		l.r.warn(v.key, x.Path, CodeHeld, "is ignored: it would change what the site locked").Hint = hint
		return
	}
	if was, ok := x.Was.(*node); ok && was.kind&(textKind|number|boolean) != 0 {
		hint = "the site's is " + was.show() + ", " + hint
	}
	l.r.warn(v.at, x.Path, CodeHeld, "%s is ignored: it widens what the site locked", v.show()).Hint = hint
}

// add is a list with the entries of a higher layer's after its own.
func (n *node) add(higher *node, path []string, r *report) *node {
	text := func(e *node) []byte {
		var b bytes.Buffer
		e.json(&b)
		return b.Bytes()
	}
	n.items = layers.Add(n.items, higher.items, text, func(above, below *node) {
		d := r.warn(above.at, path, codeLess, "the rule does not count, since that of the layer below scores more")
		d.Hint = "the other is at " + where(below.at)
	})
	return n
}

// The methods of layers.Value.

func (n *node) Null() bool     { return n.kind == null }
func (n *node) IsObject() bool { return n.kind == object }
func (n *node) IsList() bool   { return n.kind == list }
func (n *node) Scalar() string { return n.text }
func (n *node) Keys() []string { return n.keys }
func (n *node) Drop(k string)  { n.drop(k) }

func (n *node) Field(k string) layers.Value {
	if f := n.fields[k]; f != nil {
		return f
	}
	return nil
}

func (n *node) Equal(other layers.Value) bool { return n.equal(other.(*node)) }
