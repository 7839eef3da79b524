package load

import (
	"bytes"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"

	"cuelang.org/go/cue"
	"cuelang.org/go/cue/cuecontext"
	"cuelang.org/go/cue/errors"

	"github.com/llm-cli-gateway/gateway/engine/lang/cuesyntax"
)

// perContext is how many entries share a CUE context: each context compiles the
// schema anew, but keeps all it ever evaluated.
const perContext = 16

// verify holds the entries at paths against the schema, several at once: CUE takes most
// of the time of a load. What memory knows of them is not asked again.
func verify(paths [][]string, root *node, memory *Memory, r *report) {
	type entry struct {
		path  []string
		text  []byte
		sum   sum
		found report
	}
	var all []*entry
	for _, path := range paths {
		n, _ := root.lookup(path)
		e := &entry{path: path, text: alone(path, n)}
		var known bool
		if e.sum, known = memory.sound(e.text); !known {
			all = append(all, e)
		}
	}
	var next atomic.Int64
	var group sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), (len(all)+1)/2) { // a context of its own costs as much as an entry
		group.Go(func() {
			v := memory.borrow()
			defer memory.giveBack(v)
			for i := next.Add(1); i <= int64(len(all)); i = next.Add(1) {
				e := all[i-1]
				v.entry(e.path, e.text, root, &e.found)
			}
		})
	}
	group.Wait()
	for _, e := range all {
		if len(e.found.list) == 0 {
			memory.keep(e.sum)
		}
		r.take(&e.found)
	}
}

// borrow is a verifier that was used before, if one is free.
func (m *Memory) borrow() *verifier {
	if m == nil {
		return &verifier{}
	}
	if v := m.verifier.Swap(nil); v != nil {
		return v
	}
	return &verifier{}
}

// giveBack keeps one, and none that holds on to much: what a context saw it never forgets.
func (m *Memory) giveBack(v *verifier) {
	if m != nil && v.used < perContext/2 {
		m.verifier.Store(v)
	}
}

// verifier lets CUE itself decide whether an entry fits the schema. What it refuses
// has nearly always been explained by the checker before.
type verifier struct {
	ctx  *cue.Context
	file cue.Value // #File
	used int
}

// entry holds the entry at path, of which text is the JSON, against the schema, as if it
// were a whole file.
func (v *verifier) entry(path []string, text []byte, root *node, r *report) {
	e, _ := root.lookup(path)
	defer func() {
		if p := recover(); p != nil {
			r.add(e.key, path, "internal", "CUE gave up: %v", p).Hint = "please report this file"
		}
	}()
	if v.ctx == nil || v.used == perContext {
		v.ctx, v.used = cuecontext.New(), 0
		v.file = v.ctx.BuildFile(cuesyntax.WithoutComments()).LookupPath(cue.ParsePath("#File"))
	}
	v.used++
	before := len(r.list)
	err := v.file.Unify(v.ctx.CompileBytes(text)).Validate(cue.Concrete(true))
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
