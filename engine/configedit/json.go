package configedit

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/llm-cli-gateway/gateway/engine/lang"
)

// jsonNode is a value of a JSON text, in which comments and trailing commas may stand.
type jsonNode struct {
	start, end int // bytes of the text
	object     bool
	members    []jsonMember
	comma      bool // a comma stands behind the last member
	value      any  // of what is no object: as encoding/json reads it, with json.Number
}

type jsonMember struct {
	key   string
	start int // of the key
	node  *jsonNode
}

// editJSON puts the entry into a JSON text. Objects on the way are made.
func editJSON(text []byte, e Entry) ([]byte, error) {
	if len(bytes.TrimSpace(bytes.TrimPrefix(text, bom))) == 0 {
		text = []byte("{}\n")
	}
	root, err := parseJSON(text)
	switch {
	case err != nil:
		return nil, err
	case !root.object:
		return nil, fmt.Errorf("holds no object")
	}
	there := root.at(e.Path)
	if there == nil || !there.object {
		return putJSON(text, root, e.Path, object(e.Fields))
	}
	fields := e.missing(func(key string) bool { m, err := there.member(key); return m != nil || err != nil })
	for key, v := range fields.All() {
		if text, err = putJSON(text, root, append(slices.Clone(e.Path), key), quoted(v)); err != nil {
			return nil, err
		}
		if root, err = parseJSON(text); err != nil {
			return nil, err
		}
	}
	return text, nil
}

// object writes fields in their order.
func object(fields lang.Map[any]) []byte {
	var b bytes.Buffer
	for key, v := range fields.All() {
		b.WriteString(map[bool]string{true: "{", false: ","}[b.Len() == 0])
		b.Write(quoted(key))
		b.WriteByte(':')
		b.Write(quoted(v))
	}
	if b.Len() == 0 {
		b.WriteByte('{')
	}
	return append(b.Bytes(), '}')
}

// putJSON puts a value, JSON text, at a path of keys.
func putJSON(text []byte, root *jsonNode, path []string, value []byte) ([]byte, error) {
	want, err := parseJSON(value)
	if err != nil {
		return nil, err
	}
	edited, err := insertJSON(text, root, path, value, want)
	if err != nil || bytes.Equal(edited, text) {
		return edited, err
	}
	again, err := parseJSON(edited)
	if err != nil || !reflect.DeepEqual(again.plain(path, nil), root.plain(path, nil)) || !reflect.DeepEqual(again.at(path).plain(nil, nil), want.plain(nil, nil)) {
		return nil, fmt.Errorf("cannot be edited without a loss; write this by hand, at %s: %s", strings.Join(path, "."), value)
	}
	return edited, nil
}

var bom = []byte("\ufeff")

// insertJSON writes the value into the text.
func insertJSON(text []byte, root *jsonNode, path []string, value []byte, want *jsonNode) ([]byte, error) {
	lay := layout{text: text, unit: "  ", line: "\n"}
	if bytes.Contains(text, []byte("\r\n")) {
		lay.line = "\r\n"
	}
	if len(root.members) > 0 {
		if indent, ok := lay.indent(root.members[0].start); ok && indent != "" {
			lay.unit = indent
		}
	}
	into := root
	for i, key := range path {
		m, err := into.member(key)
		last := i == len(path)-1
		switch {
		case err != nil:
			return nil, err
		case m == nil:
			return lay.add(into, path[i:], value), nil
		case last && reflect.DeepEqual(m.node.plain(nil, nil), want.plain(nil, nil)):
			return text, nil
		case last:
			indent, _ := lay.indent(m.start)
			return slices.Concat(text[:m.node.start], lay.pretty(value, indent), text[m.node.end:]), nil
		case !m.node.object:
			return nil, fmt.Errorf("%s is no object, so that nothing can be put into it", strings.Join(path[:i+1], "."))
		}
		into = m.node
	}
	return text, nil
}

// member finds a key; a key that stands twice means nothing certain.
func (n *jsonNode) member(key string) (found *jsonMember, err error) {
	for i := range n.members {
		if n.members[i].key != key {
			continue
		}
		if found != nil {
			return nil, fmt.Errorf("%q stands there twice", key)
		}
		found = &n.members[i]
	}
	return found, nil
}

// at is what stands at a path, nil if nothing does.
func (n *jsonNode) at(path []string) *jsonNode {
	for _, key := range path {
		m, _ := n.member(key)
		if m == nil {
			return nil
		}
		n = m.node
	}
	return n
}

// pair is a member of an object as it is compared: in its place.
type pair struct {
	key   string
	value any
}

// plain is what the value means, without what stands at the path, and without objects on
// the way to it that hold nothing else.
func (n *jsonNode) plain(without, above []string) any {
	if !n.object {
		return n.value
	}
	pairs := []pair{}
	for _, m := range n.members {
		here := append(above[:len(above):len(above)], m.key)
		if len(without) > 0 && slices.Equal(here, without) {
			continue
		}
		v := m.node.plain(without, here)
		if inner, ok := v.([]pair); ok && len(inner) == 0 && len(here) < len(without) && slices.Equal(here, without[:len(here)]) {
			continue
		}
		pairs = append(pairs, pair{m.key, v})
	}
	return pairs
}

// layout is how a text is indented.
type layout struct {
	text       []byte
	unit, line string
}

// indent is the white space in front of a place; ok is false if more stands there.
func (l layout) indent(at int) (indent string, ok bool) {
	start := bytes.LastIndexByte(l.text[:at], '\n') + 1
	before := string(l.text[start:at])
	space := before[:len(before)-len(strings.TrimLeft(before, " \t"))]
	return space, space == before && start > 0
}

// add writes a member behind the last one of an object: the comma behind that one, the
// member in front of the brace, so that a comment between them stays where it belongs.
func (l layout) add(n *jsonNode, path []string, value []byte) []byte {
	outer, _ := l.indent(n.start)
	indent := outer + l.unit
	if len(n.members) > 0 {
		if own, ok := l.indent(n.members[0].start); ok {
			indent = own
		}
	}
	for i := len(path) - 1; i > 0; i-- {
		value = slices.Concat([]byte("{"), quoted(path[i]), []byte(": "), value, []byte("}"))
	}
	member := slices.Concat([]byte(l.line+indent), quoted(path[0]), []byte(": "), l.pretty(value, indent))
	brace := n.end - 1
	body := len(bytes.TrimRight(l.text[:brace], " \t\r\n"))
	comma, behind := "", ""
	switch {
	case len(n.members) > 0 && !n.comma:
		comma = ","
	case n.comma:
		behind = ","
	}
	last := body
	if len(n.members) > 0 {
		last = n.members[len(n.members)-1].node.end
	}
	return slices.Concat(l.text[:last], []byte(comma), l.text[last:body], member, []byte(behind+l.line+outer), l.text[brace:])
}

// pretty writes a value over several lines, the first of which has its indentation.
func (l layout) pretty(value []byte, indent string) []byte {
	var b bytes.Buffer
	if json.Indent(&b, value, indent, l.unit) != nil {
		return value
	}
	return bytes.ReplaceAll(b.Bytes(), []byte("\n"), []byte(l.line))
}

// quoted is a text as JSON, without the escapes that only HTML needs.
func quoted(v any) []byte {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		panic("setup: specs are plain data and always encode: " + err.Error())
	}
	return bytes.TrimRight(b.Bytes(), "\n")
}
