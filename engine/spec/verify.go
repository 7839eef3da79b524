package spec

import (
	"bytes"
	"fmt"

	"cuelang.org/go/cue"
	"cuelang.org/go/cue/cuecontext"
	"cuelang.org/go/cue/errors"

	"github.com/llm-cli-gateway/gateway/schema"
)

// perContext is how many entries share a CUE context: each context compiles the
// schema anew, but keeps all it ever evaluated.
const perContext = 16

// verifier lets CUE itself decide whether an entry fits the schema. What it refuses
// has nearly always been explained by the checker before.
type verifier struct {
	ctx  *cue.Context
	file cue.Value // #File
	used int
}

// entry holds the entry at path against the schema, as if it were a whole file.
func (v *verifier) entry(path []string, root *node, r *report) {
	e, _ := root.lookup(path)
	defer func() {
		if p := recover(); p != nil {
			r.add(e.key, path, "internal", "CUE gave up: %v", p).Hint = "please report this file"
		}
	}()
	if v.ctx == nil || v.used == perContext {
		v.ctx, v.used = cuecontext.New(), 0
		v.file = v.ctx.CompileString(schema.Text, cue.Filename(schema.Import+"/schema.cue")).LookupPath(cue.ParsePath("#File"))
	}
	v.used++
	before := len(r.list)
	err := v.file.Unify(v.ctx.CompileBytes(alone(path, e))).Validate(cue.Concrete(true))
	for _, e := range errors.Errors(err) {
		format, args := e.Msg()
		msg := fmt.Sprintf(format, args...)
		if emptyDisjunction.MatchString(msg) {
			continue
		}
		where := pathOf(e)
		if len(where) > len(path) && where[0] == "#File" {
			where = where[1:]
		} else {
			where = path
		}
		n, depth := root.lookup(where)
		at := n.at
		if n.kind == object {
			at = n.key
		}
		r.add(at, where[:depth], "schema", "%s", msg)
	}
	if err != nil && len(r.list) == before {
		r.add(e.key, path, "schema", "%v", err)
	}
}

// alone is the JSON of a file that has only the entry at path.
func alone(path []string, n *node) []byte {
	var b bytes.Buffer
	for _, k := range path {
		b.WriteByte('{')
		quote(&b, k)
		b.WriteByte(':')
	}
	n.json(&b)
	for range path {
		b.WriteByte('}')
	}
	return b.Bytes()
}
