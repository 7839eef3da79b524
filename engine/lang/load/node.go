package load

import (
	"bytes"
	"encoding/json"
	"strconv"

	"github.com/llm-cli-gateway/gateway/engine/text"
)

// kind is a bit, so that a shape can accept several.
type kind uint8

const (
	object kind = 1 << iota
	list
	textKind
	number
	boolean
	null
	octets
	bad // something whose value is unknown because it was reported already

	anything = object | list | textKind | number | boolean | null
)

var kindNames = []struct {
	kind
	name string
}{
	{textKind, "a string"}, {number, "a number"}, {boolean, "a bool"}, {list, "a list"},
	{object, "an object"}, {null, "null"}, {octets, "bytes"},
}

func (k kind) String() string {
	var names []string
	for _, n := range kindNames {
		if k&n.kind != 0 {
			names = append(names, n.name)
		}
	}
	return text.Or(names)
}

// node is a value of a spec with the place where it was written.
type node struct {
	kind   kind
	text   string           // of a string; a number or bool as in JSON
	keys   []string         // of an object, as written
	fields map[string]*node // of an object
	items  []*node          // of a list
	gone   map[string]pos   // fields that a null of a higher layer took away
	hazy   bool             // an object that may have more fields than are known
	at     pos              // the value
	key    pos              // its key; at, for an element of a list
}

func newObject(at, key pos) *node {
	return &node{kind: object, fields: map[string]*node{}, at: at, key: key}
}

// layer is the highest that has a word in n.
func (n *node) layer() int {
	top := 0
	for _, p := range []pos{n.at, n.key} {
		if p.known() {
			top = max(top, p.src.layer)
		}
	}
	for _, p := range n.gone {
		top = max(top, p.src.layer)
	}
	for _, field := range n.fields {
		top = max(top, field.layer())
	}
	for _, item := range n.items {
		top = max(top, item.layer())
	}
	return top
}

func (n *node) set(key string, v *node) {
	if _, old := n.fields[key]; !old {
		n.keys = append(n.keys, key)
	}
	n.fields[key] = v
}

func (n *node) drop(key string) {
	delete(n.fields, key)
	kept := make([]string, 0, len(n.keys))
	for _, k := range n.keys {
		if k != key {
			kept = append(kept, k)
		}
	}
	n.keys = kept
}

// step is the field or element of that name, nil if there is none.
func (n *node) step(name string) *node {
	switch n.kind {
	case object:
		return n.fields[name]
	case list:
		if i, err := strconv.Atoi(name); err == nil && i >= 0 && i < len(n.items) {
			return n.items[i]
		}
	}
	return nil
}

// lookup goes down a path as far as it exists.
func (n *node) lookup(path []string) (deepest *node, depth int) {
	for i, name := range path {
		next := n.step(name)
		if next == nil {
			return n, i
		}
		n = next
	}
	return n, len(path)
}

// pathAt is the path to the value that begins at p, nil if none does.
func (n *node) pathAt(p pos) []string {
	for _, k := range n.keys {
		if f := n.fields[k]; f.at == p {
			return []string{k}
		} else if rest := f.pathAt(p); rest != nil {
			return append([]string{k}, rest...)
		}
	}
	for i, e := range n.items {
		if e.at == p {
			return []string{strconv.Itoa(i)}
		} else if rest := e.pathAt(p); rest != nil {
			return append([]string{strconv.Itoa(i)}, rest...)
		}
	}
	return nil
}

// whole reports whether nothing in n is bad or hazy.
func (n *node) whole() bool {
	if n.kind == bad || n.hazy {
		return false
	}
	for _, f := range n.fields {
		if !f.whole() {
			return false
		}
	}
	for _, e := range n.items {
		if !e.whole() {
			return false
		}
	}
	return true
}

// json appends n, which must be whole, as JSON with the keys in their order.
func (n *node) json(b *bytes.Buffer) {
	switch n.kind {
	case object:
		b.WriteByte('{')
		for i, k := range n.keys {
			if i > 0 {
				b.WriteByte(',')
			}
			quote(b, k)
			b.WriteByte(':')
			n.fields[k].json(b)
		}
		b.WriteByte('}')
	case list:
		b.WriteByte('[')
		for i, e := range n.items {
			if i > 0 {
				b.WriteByte(',')
			}
			e.json(b)
		}
		b.WriteByte(']')
	case textKind:
		quote(b, n.text)
	case null:
		b.WriteString("null")
	default:
		b.WriteString(n.text)
	}
}

func quote(b *bytes.Buffer, s string) {
	enc := json.NewEncoder(b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(s); err != nil {
		panic("spec: a string always encodes: " + err.Error())
	}
	b.Truncate(b.Len() - 1) // the newline that Encode adds
}

// show is a scalar as a message shows it.
func (n *node) show() string {
	switch n.kind {
	case textKind:
		return text.Clip(strconv.Quote(n.text))
	case number, boolean:
		return n.text
	}
	return n.kind.String()
}

// equal compares values, not places.
func (n *node) equal(m *node) bool {
	if n.kind != m.kind || n.text != m.text || len(n.items) != len(m.items) || len(n.keys) != len(m.keys) {
		return false
	}
	for i := range n.items {
		if !n.items[i].equal(m.items[i]) {
			return false
		}
	}
	for _, k := range n.keys {
		if f, ok := m.fields[k]; !ok || !n.fields[k].equal(f) {
			return false
		}
	}
	return true
}
