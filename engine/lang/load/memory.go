package load

import (
	"crypto/sha256"
	"encoding/json"
	"sync"
	"sync/atomic"

	"github.com/llm-cli-gateway/gateway/engine/catalog"
	"github.com/llm-cli-gateway/gateway/engine/lang"
	"github.com/llm-cli-gateway/gateway/engine/lang/specfiles"
)

// Memory is what loads found out, for those to come: a load that is given one does again
// only what differs from the last. The zero value is one that remembers nothing yet. It
// serves one load at a time; others wait.
type Memory struct {
	mu        sync.Mutex
	now, last generation
	catalog   *catalog.Catalog // of the last load that gave one
	verifier  atomic.Pointer[verifier]
	restored  map[sum]bool   // entries that an earlier process found to fit the schema
	evaluated map[sum][]byte // what an earlier process had evaluated

	decoded, decoding map[string]entry // CLIs of that catalog and of the load that is under way, by name
}

// entry is the spec of a CLI, decoded.
type entry struct {
	text sum
	spec lang.CLISpec
}

// generation is what one load made use of. What two loads in a row had no use for is
// forgotten.
type generation struct {
	files map[fileKey]parsed
	sound map[sum]bool // entries that CUE has nothing against
}

type sum = [sha256.Size]byte

// fileKey tells texts apart. The layer is part of it because places know theirs.
type fileKey struct {
	name  string
	layer int
	text  sum
}

// parsed is what a file says, and what there is to say of it.
type parsed struct {
	tree  tree
	found report

	answer []byte // of an Evaluator; nil if it was not asked, or must be again by each process
}

// begin starts a load.
func (m *Memory) begin() {
	m.last = m.now
	m.now = generation{map[fileKey]parsed{}, map[sum]bool{}}
	m.decoding = nil
}

// end keeps what a load that gave a catalog leaves behind.
func (m *Memory) end(c *catalog.Catalog) {
	if c != nil {
		m.catalog, m.decoded = c, m.decoding
	}
}

// decode is the spec that p is the text of; same are the CLIs that the catalog of the
// last load has just so.
func (m *Memory) decode(p parts) (s *lang.Spec, same map[string]bool, err error) {
	s, same = &lang.Spec{}, map[string]bool{}
	rest := p
	rest.CLI = lang.Map[json.RawMessage]{}
	text, err := json.Marshal(rest)
	if err == nil {
		err = json.Unmarshal(text, s)
	}
	decoded := map[string]entry{}
	for name, raw := range p.CLI.All() {
		e := entry{text: sha256.Sum256(raw)}
		if m != nil && m.decoded[name].text == e.text {
			e, same[name] = m.decoded[name], true
		} else if err == nil {
			err = json.Unmarshal(raw, &e.spec)
		}
		decoded[name] = e
		s.CLI.Set(name, e.spec)
	}
	if m != nil {
		m.decoding = decoded
	}
	return s, same, err
}

// parse is parse for a file of the numbered layer.
func (m *Memory) parse(f specfiles.File, layer int, e Evaluation, afresh bool, r *report) tree {
	if m == nil {
		t := parse(f, e, r)
		t.src.layer = layer
		return t
	}
	key := fileKey{f.Name, layer, sha256.Sum256(f.Data)}
	p, known := m.now.files[key]
	if !known {
		p, known = m.last.files[key]
	}
	if !known {
		if !afresh {
			e = m.keepAnswer(e, &p.answer)
		}
		p.tree = parse(f, e, &p.found)
		p.tree.src.layer = layer
	}
	if !p.tree.unfinished {
		m.now.files[key] = p
	}
	r.take(&p.found)
	t := p.tree
	if t.root != nil {
		t.root = t.root.clone() // merging writes on what it merges
	}
	return t
}

// sound is the sum of an entry, and whether the schema was found to fit it before.
func (m *Memory) sound(entry []byte) (s sum, known bool) {
	if m == nil {
		return s, false
	}
	s = sha256.Sum256(entry)
	if m.now.sound[s] || m.last.sound[s] || m.restored[s] {
		m.now.sound[s] = true
		return s, true
	}
	return s, false
}

// keep remembers that the schema fits an entry.
func (m *Memory) keep(s sum) {
	if m != nil {
		m.now.sound[s] = true
	}
}

// before is the catalog of the last load that gave one.
func (m *Memory) before() *catalog.Catalog {
	if m == nil {
		return nil
	}
	return m.catalog
}
