// Package secret finds secrets in text by their shape, as specs describe it: keys and tokens of
// vendors, signed tokens, private keys, and passwords in addresses.
//
// It hides how a text is searched in little time, and that expressions are compiled when they
// are first needed. It must not know where a text comes from, nor which secrets the environment
// holds.
package secret

import (
	"strings"

	"github.com/llm-cli-gateway/gateway/engine/lang"
)

// Mark replaces a secret.
const Mark = "[redacted]"

// Finder finds secrets of some kinds. A nil one finds none. Its methods may be called from any
// goroutine.
type Finder struct {
	kinds   []*kind
	byFirst [256]*beginnings // by their first byte; nil: none
}

// beginnings are those with the same first byte.
type beginnings struct {
	all  []beginning
	next [256]bool // whether one of them goes on with the byte
}

// beginning is a text with which a secret of a kind begins.
type beginning struct {
	text string
	*kind
}

// Compile makes a finder of the kinds of secrets in the specs. Expressions of kinds that were
// vetted are not looked at before their first use; what is wrong with the others is added to ps.
func Compile(specs lang.Map[lang.SecretSpec], vetted bool, ps lang.Problems) *Finder {
	f := &Finder{}
	for name, spec := range specs.All() {
		if !vetted {
			check(spec, ps.At(name))
		}
		k := &kind{name: name, spec: spec, number: len(f.kinds)}
		f.kinds = append(f.kinds, k)
		for _, text := range spec.Begins {
			f.add(beginning{text, k})
		}
	}
	return f
}

func (f *Finder) add(b beginning) {
	same := f.byFirst[b.text[0]]
	if same == nil {
		same = &beginnings{}
		f.byFirst[b.text[0]] = same
	}
	same.all = append(same.all, b)
	for c := range same.next {
		same.next[c] = same.next[c] || len(b.text) == 1 || b.text[1] == byte(c)
	}
}

// Specs are the kinds from which the finder was compiled.
func (f *Finder) Specs() (specs lang.Map[lang.SecretSpec]) {
	if f != nil {
		for _, k := range f.kinds {
			specs.Set(k.name, k.spec)
		}
	}
	return specs
}

// Redact replaces every secret in a text by Mark. Identifiers, checksums and encoded data stay
// as they are.
func (f *Finder) Redact(text string) string {
	var b strings.Builder
	s := search{finder: f, text: text}
	from := 0
	for {
		start, end, _ := s.next()
		if end == 0 {
			break
		}
		b.WriteString(text[from:start])
		b.WriteString(Mark)
		from = end
	}
	if from == 0 {
		return text
	}
	return b.String() + text[from:]
}

// In reports whether a text has a secret.
func (f *Finder) In(text string) bool { return f.Kind(text) != "" }

// Kind is the name of the kind of the first secret in a text, "" if there is none.
func (f *Finder) Kind(text string) string {
	s := search{finder: f, text: text}
	_, _, name := s.next()
	return name
}

// search goes through a text from one secret to the next.
type search struct {
	finder *Finder
	text   string
	at     int   // up to which the text has been looked at
	after  bool  // a secret ends there
	barren []int // by kind: up to which it has no secret that begins now; nil: nothing is known
}

// next is where the next secret lies, and its kind; end is 0 if there is none.
func (s *search) next() (start, end int, name string) {
	if s.finder == nil {
		return 0, 0, ""
	}
	for i := s.at; i+1 < len(s.text); i++ { // something follows every beginning
		candidates := s.finder.byFirst[s.text[i]]
		if candidates == nil || !candidates.next[s.text[i+1]] || !(s.after && i == s.at) && !begins(s.text, i) {
			continue
		}
		for _, c := range candidates.all {
			if !strings.HasPrefix(s.text[i:], c.text) || s.barren != nil && i+len(c.text) <= s.barren[c.number] {
				continue
			}
			from, to, barren := c.extent(s.text[i:], len(c.text))
			if to > from {
				s.at, s.after = i+to, true
				return i + from, i + to, c.name
			}
			if barren > memorable {
				s.remember(c.kind, i+barren)
			}
		}
	}
	s.at = len(s.text)
	return 0, 0, ""
}

// memorable is the length of a stretch of characters from which it is worth to remember that
// no secret begins in it. Without that the time would grow with its square.
const memorable = 64

func (s *search) remember(k *kind, until int) {
	if s.barren == nil {
		s.barren = make([]int, len(s.finder.kinds))
	}
	s.barren[k.number] = until
}

// begins reports whether a word may begin at a position: not inside of another one. The
// letter of an escape, as JSON has it, belongs to none.
func begins(text string, at int) bool {
	if at == 0 || !alphanumeric(text[at-1]) || !alphanumeric(text[at]) {
		return true
	}
	return at > 1 && text[at-2] == '\\' && strings.IndexByte("nrt", text[at-1]) >= 0
}

func alphanumeric(c byte) bool {
	return '0' <= c && c <= '9' || 'A' <= c && c <= 'Z' || 'a' <= c && c <= 'z'
}
