package load

import (
	"fmt"
	"strconv"

	"cuelang.org/go/cue"
	"cuelang.org/go/cue/ast"
	"cuelang.org/go/cue/build"
	"cuelang.org/go/cue/cuecontext"

	"github.com/llm-cli-gateway/gateway/engine/lang/cuesyntax"
)

// evaluate has CUE compute what the builder could not read off the syntax of t. It
// does so in a context of its own, without access to files, and with the schema
// imported as definitions that accept everything: a file may be a patch for a lower
// layer, which the schema would refuse, and what the schema has to say is said once,
// after merging, in words better than CUE's.
func evaluate(t tree, file *ast.File, r *report) tree {
	inst := build.NewContext(build.Loader(cuesyntax.ImportSchema)).NewInstance("", nil)
	if err := inst.AddSyntax(file); err == nil {
		_ = inst.Complete() // reported by Validate, with the rest
	}
	v := cuecontext.New().BuildInstance(inst)
	if err := v.Validate(cue.Concrete(true), cue.Final()); err != nil {
		explainer{t: t, file: file, r: r}.explain(err)
		return t
	}
	t.root = reader{t.src, r}.object(v, t.root, nil)
	return t
}

// reader turns an evaluated value into nodes. Places come from what the builder
// found in the syntax, else from the nearest place above.
type reader struct {
	src *source
	r   *report
}

func (rd reader) object(v cue.Value, written *node, path []string) *node {
	n := newObject(written.at, written.key)
	fields, err := v.Fields()
	if err != nil {
		if _, def := v.Default(); !def && v.IncompleteKind() != cue.StructKind {
			rd.r.add(written.at, path, "type", "must be an object, not %s", kindOf(v))
		}
		return n
	}
	for fields.Next() {
		name := fields.Selector().Unquoted()
		n.set(name, rd.value(fields.Value(), rd.place(written, name, fields.Value()), append(path[:len(path):len(path)], name)))
	}
	return n
}

// place is where a field or element was written.
func (rd reader) place(written *node, name string, v cue.Value) *node {
	if n := written.step(name); n != nil {
		return n
	}
	p := written.at
	if at := v.Pos(); at.Filename() == rd.src.name {
		p = pos{rd.src, min(at.Offset(), len(rd.src.data))}
	}
	return &node{at: p, key: p}
}

func (rd reader) value(v cue.Value, written *node, path []string) *node {
	if d, ok := v.Default(); ok {
		v = d
	}
	n := &node{kind: kindOf(v), at: written.at, key: written.key}
	var err error
	switch n.kind {
	case object:
		return rd.object(v, written, path)
	case list:
		elems, e := v.List()
		for i := 0; e == nil && elems.Next(); i++ {
			name := strconv.Itoa(i)
			n.items = append(n.items, rd.value(elems.Value(), rd.place(written, name, elems.Value()), append(path[:len(path):len(path)], name)))
		}
		err = e
	case textKind:
		n.text, err = v.String()
	case number, boolean:
		var b []byte
		b, err = v.MarshalJSON()
		n.text = string(b)
	case bad:
		err = fmt.Errorf("has no value")
	}
	if err != nil || len(path) > maxDepth {
		rd.r.add(n.at, path, "value", "has no value that a spec could use")
		n.kind = bad
	}
	return n
}

func kindOf(v cue.Value) kind {
	switch v.Kind() {
	case cue.StructKind:
		return object
	case cue.ListKind:
		return list
	case cue.StringKind:
		return textKind
	case cue.IntKind, cue.FloatKind, cue.NumberKind:
		return number
	case cue.BoolKind:
		return boolean
	case cue.NullKind:
		return null
	case cue.BytesKind:
		return octets
	}
	return bad
}
