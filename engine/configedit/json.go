package configedit

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/tailscale/hujson"

	"github.com/llm-cli-gateway/gateway/engine/lang"
)

var bom = []byte("\ufeff")

// editJSON puts the entry into a JSON text with comments and trailing commas, of which
// all other bytes stay. Objects on the path to the entry are added.
func editJSON(text []byte, e Entry) ([]byte, error) {
	text, marked := bytes.CutPrefix(text, bom)
	if len(bytes.TrimSpace(text)) == 0 {
		text, marked = []byte("{}\n"), false
	}
	root, err := parseJSON(text)
	if err != nil {
		return nil, err
	}
	o, ok := root.Value.(*hujson.Object)
	if !ok {
		return nil, fmt.Errorf("does not contain an object")
	}
	if there := objectAt(o, e.Path); there == nil {
		text, err = putJSON(text, e.Path, object(e.Fields))
	} else {
		fields := e.missing(func(key string) bool { m, err := member(there, key); return m != nil || err != nil })
		for key, v := range fields.All() {
			if text, err = putJSON(text, append(slices.Clone(e.Path), key), quoted(v)); err != nil {
				break
			}
		}
	}
	if marked {
		text = slices.Concat(bom, text)
	}
	return text, err
}

// maxJSONDepth bounds how deep values may be nested: the parser recurses.
const maxJSONDepth = 200

// parseJSON parses a JSON text. An error names the line and column.
func parseJSON(text []byte) (hujson.Value, error) {
	depth := 0
	for _, c := range text { // brackets in strings count as well, which only makes it stricter
		switch c {
		case '{', '[':
			depth++
		case '}', ']':
			depth--
		}
		if depth > maxJSONDepth {
			return hujson.Value{}, fmt.Errorf("is nested too deep: more than %d levels", maxJSONDepth)
		}
	}
	v, err := hujson.Parse(text)
	if err == nil {
		return v, nil
	}
	// The parser wants a line feed after a comment, also at the end.
	if v, err := hujson.Parse(append(text[:len(text):len(text)], '\n')); err == nil {
		v.AfterExtra = v.AfterExtra[:len(v.AfterExtra)-1]
		return v, nil
	}
	var line, column int
	if n, _ := fmt.Sscanf(err.Error(), "hujson: line %d, column %d:", &line, &column); n == 2 {
		_, what, _ := strings.Cut(err.Error(), "column ")
		_, what, _ = strings.Cut(what, ": ")
		if strings.HasPrefix(what, "invalid literal") {
			what = "invalid literal" // settings can hold secrets
		}
		err = fmt.Errorf("is not valid JSON at %d:%d: %s", line, column, what)
	}
	return v, err
}

// member finds a member by its key. A key that occurs twice is an error: it is not clear
// which of the two counts.
func member(o *hujson.Object, key string) (found *hujson.ObjectMember, err error) {
	for i := range o.Members {
		if o.Members[i].Name.Value.(hujson.Literal).String() != key {
			continue
		}
		if found != nil {
			return nil, fmt.Errorf("the key %q is duplicated", key)
		}
		found = &o.Members[i]
	}
	return found, nil
}

// objectAt is the object at a path, nil if there is none.
func objectAt(o *hujson.Object, path []string) *hujson.Object {
	for _, key := range path {
		m, _ := member(o, key)
		if m == nil {
			return nil
		}
		var ok bool
		if o, ok = m.Value.Value.(*hujson.Object); !ok {
			return nil
		}
	}
	return o
}

// putJSON puts a value, JSON text, at a path of keys.
func putJSON(text []byte, path []string, value []byte) ([]byte, error) {
	root, err := parseJSON(text)
	if err != nil {
		return nil, err
	}
	lay := layout{text: text, unit: "  ", line: "\n"}
	if bytes.Contains(text, []byte("\r\n")) {
		lay.line = "\r\n"
	}
	into := root.Value.(*hujson.Object)
	if len(into.Members) > 0 {
		if indent, ok := lay.indent(into.Members[0].Name.StartOffset); ok && indent != "" {
			lay.unit = indent
		}
	}
	start := root.StartOffset
	for i, key := range path {
		m, err := member(into, key)
		switch {
		case err != nil:
			return nil, err
		case m == nil:
			return checked(text, root, path, value, lay.add(into, start, path[i:], value))
		case i == len(path)-1:
			if reflect.DeepEqual(meaning(m.Value), meaning(hujson.Value{Value: hujson.Literal(value)})) {
				return text, nil
			}
			indent, _ := lay.indent(m.Name.StartOffset)
			return checked(text, root, path, value, lay.set(&m.Value, value, indent))
		}
		inner, ok := m.Value.Value.(*hujson.Object)
		if !ok {
			return nil, fmt.Errorf("%s is not an object, so nothing can be added to it", strings.Join(path[:i+1], "."))
		}
		into, start = inner, m.Value.StartOffset
	}
	return text, nil
}

// checked is the text of the edited root. It is read again: the value must be at the
// path, and everything else must mean what it meant in the text before.
func checked(before []byte, root hujson.Value, path []string, value []byte, err error) ([]byte, error) {
	if err != nil {
		return nil, err
	}
	text := root.Pack()
	old, err := parseJSON(before)
	if err != nil {
		return nil, err
	}
	edited, err := parseJSON(text)
	if err != nil || !differsOnlyAt(path, meaning(old), meaning(edited), meaning(hujson.Value{Value: hujson.Literal(value)})) {
		return nil, fmt.Errorf("cannot be edited without loss; add this by hand, at %s: %s", strings.Join(path, "."), value)
	}
	return text, nil
}

// differsOnlyAt reports whether edited is old but for the value at the path.
func differsOnlyAt(path []string, old, edited, value any) bool {
	if len(path) == 0 {
		return reflect.DeepEqual(edited, value)
	}
	o, _ := old.(map[string]any) // nil if it was added
	e, _ := edited.(map[string]any)
	inOld, inEdited := o[path[0]], e[path[0]]
	delete(o, path[0])
	delete(e, path[0])
	return maps.EqualFunc(o, e, func(a, b any) bool { return reflect.DeepEqual(a, b) }) && differsOnlyAt(path[1:], inOld, inEdited, value)
}

// meaning is a value without its layout.
func meaning(v hujson.Value) (plain any) {
	v = v.Clone()
	v.Standardize()
	dec := json.NewDecoder(bytes.NewReader(v.Pack()))
	dec.UseNumber()
	if dec.Decode(&plain) != nil {
		return nil
	}
	return plain
}

// layout is how a text is indented.
type layout struct {
	text       []byte
	unit, line string
}

// indent is the white space in front of an offset; ok is false if there is more on the line.
func (l layout) indent(at int) (indent string, ok bool) {
	start := bytes.LastIndexByte(l.text[:at], '\n') + 1
	before := string(l.text[start:at])
	space := before[:len(before)-len(strings.TrimLeft(before, " \t"))]
	return space, space == before && start > 0
}

// add appends a member to an object that begins at start: the comma behind the last
// member, the new one in front of the brace, so that a comment between them stays with
// the one it belongs to. Of a longer path objects are added.
func (l layout) add(o *hujson.Object, start int, path []string, value []byte) error {
	outer, _ := l.indent(start)
	indent := outer + l.unit
	trailingComma := false
	if n := len(o.Members); n > 0 {
		if own, ok := l.indent(o.Members[0].Name.StartOffset); ok {
			indent = own
		}
		trailingComma = o.Members[n-1].Value.AfterExtra != nil
	}
	for i := len(path) - 1; i > 0; i-- {
		value = slices.Concat([]byte("{"), quoted(path[i]), []byte(": "), value, []byte("}"))
	}
	m := hujson.ObjectMember{
		Name:  hujson.Value{Value: hujson.Literal(quoted(path[0]))},
		Value: hujson.Value{BeforeExtra: hujson.Extra(" ")},
	}
	m.Name.BeforeExtra = slices.Concat(bytes.TrimRight(o.AfterExtra, " \t\r\n"), []byte(l.line+indent))
	if trailingComma {
		m.Value.AfterExtra = hujson.Extra{}
	}
	o.Members = append(o.Members, m)
	o.AfterExtra = hujson.Extra(l.line + outer)
	return l.set(&o.Members[len(o.Members)-1].Value, value, indent)
}

// set replaces a value by another, JSON text, over several lines. The first of them has
// its indentation.
func (l layout) set(v *hujson.Value, value []byte, indent string) error {
	var b bytes.Buffer
	if err := json.Indent(&b, value, indent, l.unit); err != nil {
		return err
	}
	parsed, err := hujson.Parse(bytes.ReplaceAll(b.Bytes(), []byte("\n"), []byte(l.line)))
	v.Value = parsed.Value
	return err
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

// quoted is a value as JSON, without the escapes that only HTML needs.
func quoted(v any) []byte {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		panic("configedit: specs are plain data and always encode: " + err.Error())
	}
	return bytes.TrimRight(b.Bytes(), "\n")
}
