package load

import (
	"slices"
	"strings"

	"github.com/llm-cli-gateway/gateway/engine/catalog"
	"github.com/llm-cli-gateway/gateway/engine/lang"
)

// independent are the codes of problems that the plan finds by looking at one thing
// only, so that taking a wrong field away elsewhere cannot have caused them.
var independent = []string{"bin", "bounds", "cycle", "dash", "default", "duplicate-flag", "enum", "expression", "nul", "regexp", "relation", "reserved", "shell", "template", "version"}

// salvage looks for further problems in an entry that failed already, so that its
// author sees them all at once: it takes away what is wrong, compiles the rest, and
// keeps of what the plan says that which cannot be an echo of the loss.
func (l *loader) salvage(path []string, n *node) {
	rest := n.clone()
	var lost []string     // words that a problem caused by the loss would contain
	var around [][]string // parameters that lost something
	again, root := l.r, (*node)(nil)
	// What is taken away may leave something incomplete behind, which then goes too.
	for range 4 {
		for _, wrong := range again.wrong {
			if len(wrong) < len(path) || !slices.Equal(wrong[:len(path)], path) {
				continue
			}
			words, ok := rest.prune(wrong[len(path):])
			if !ok || len(wrong) == len(path) {
				return
			}
			if len(wrong) > 3 && wrong[2] == "params" {
				around = append(around, wrong[:4])
				words = []string{wrong[3]} // nothing refers to a field of a parameter
			}
			lost = append(lost, words...)
		}
		if !rest.whole() {
			return
		}
		again = &report{}
		root = newObject(pos{}, pos{})
		root.set(path[0], newObject(pos{}, pos{}))
		root.fields[path[0]].set(path[1], rest)
		checker{r: again, root: root, excused: l.excused}.check(root, fileShape(), nil)
		if len(again.list) == 0 {
			break
		}
	}
	if len(again.list) > 0 {
		return
	}
	s := (&loader{r: again, root: root}).decode(root)
	if len(again.list) > 0 {
		return
	}
	_, problems := catalog.Compile(s)
	l.locate(slices.DeleteFunc(problems, func(p lang.Problem) bool {
		return !slices.Contains(independent, p.Code) ||
			slices.ContainsFunc(lost, func(word string) bool { return mentions(p.Text, word) }) ||
			slices.ContainsFunc(around, func(param []string) bool { return slices.Equal(param, p.Path[:min(4, len(p.Path))]) })
	}))
}

// prune takes away the field at path, or the list around it, and gives the words by
// which the rest may refer to it; it fails where n itself is wrong.
func (n *node) prune(path []string) (words []string, ok bool) {
	for i, k := range path {
		next := n.step(k)
		if n.kind != object || next == nil {
			return nil, i > 0 // taken away already
		}
		if i == len(path)-1 || next.kind != object {
			n.drop(k)
			return append(next.words(), k), true
		}
		n = next
	}
	return nil, false
}

// words are the keys of an object and the texts of a list.
func (n *node) words() []string {
	words := slices.Clone(n.keys)
	for _, e := range n.items {
		if e.kind == textKind && e.text != "" {
			words = append(words, e.text)
		}
	}
	return words
}

// mentions reports whether word stands in text as a word of its own.
func mentions(text, word string) bool {
	part := func(c byte) bool {
		return c == '_' || '0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
	}
	for at := 0; ; at++ {
		i := strings.Index(text[at:], word)
		if i < 0 {
			return false
		}
		at += i
		end := at + len(word)
		if (at == 0 || !part(text[at-1])) && (end == len(text) || !part(text[end])) {
			return true
		}
	}
}

func (n *node) clone() *node {
	m := *n
	m.keys = slices.Clone(n.keys)
	if n.fields != nil {
		m.fields = make(map[string]*node, len(n.fields))
		for k, f := range n.fields {
			m.fields[k] = f.clone()
		}
	}
	m.items = make([]*node, len(n.items))
	for i, e := range n.items {
		m.items[i] = e.clone()
	}
	return &m
}
