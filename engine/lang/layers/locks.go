package layers

import (
	"slices"
	"strconv"
	"strings"
)

// Value is a part of what a layer says.
type Value interface {
	Null() bool
	IsObject() bool
	IsList() bool
	Scalar() string         // as text, of a number or bool as in JSON
	Keys() []string         // of an object
	Field(key string) Value // of an object; nil if there is none
	Drop(key string)        // takes a field away
	Equal(Value) bool
}

// Locks are what the site locked.
type Locks struct {
	names []string
	base  Value
}

// NewLocks are the locks of the given names over what all layers up to the site's say. The
// value must not change any more.
func NewLocks(names []string, base Value) *Locks { return &Locks{names, base} }

// Refusal is something that would have widened what the site locked.
type Refusal struct {
	Lock  string // its name
	Path  []string
	Value Value
	Was   Value // what the site's layer makes of it; nil if nothing
	Back  bool  // a layer between them had removed it
}

// Hold takes from a higher layer what widens what is locked; now is what the layers below
// it say together.
func (l *Locks) Hold(patch, now Value) []Refusal {
	h := holder{Locks: l}
	for _, r := range rules() {
		i := slices.IndexFunc(r.locks, func(name string) bool { return slices.Contains(l.names, name) })
		if i < 0 {
			continue
		}
		h.rule, h.lock = r, r.locks[i]
		path := strings.Split(r.path, ".")
		h.walk(patch, l.base, now, path, nil)
		if path[0] != "cli" {
			continue
		}
		// A range of versions overrides its CLI, and the same range of a lower layer.
		h.walk(patch, l.base, now, slices.Concat(path[:2], []string{"versions", "*"}, path[2:]), nil)
		for _, name := range keys(field(patch, "cli")) {
			own := []string{"cli", name}
			versions := in(patch, append(own, "versions"))
			for _, key := range keys(versions) {
				h.walk(versions.Field(key), in(l.base, own), in(now, own), path[2:], append(own, "versions", key))
			}
		}
	}
	return h.refused
}

// holder is one look at a layer.
type holder struct {
	*Locks
	rule    rule
	lock    string
	refused []Refusal
}

// walk looks at what the rule is for, which is at the rest of its path below patch.
func (h *holder) walk(patch, base, now Value, rest, path []string) {
	names := rest[:1]
	if rest[0] == "*" {
		names = slices.Clone(keys(patch))
	}
	last := len(rest) == 1
	for _, name := range names {
		v, was := field(patch, name), field(base, name)
		if v == nil || rest[0] == "*" && was == nil && !last && h.free(path) {
			continue
		}
		at := append(slices.Clone(path), name)
		refused, back := false, false
		switch {
		case v.Null() && !last:
			// A CLI or a parameter less allows less. It must not come back without its rules.
			ranged := len(at) > 2 && at[2] == "versions"
			refused = holds(was, rest[1:]) && (ranged || at[0] != "cli")
		case v.Null():
			refused = was != nil && !h.rule.narrows(h.Locks, name, was, v)
		case last:
			refused = !h.rule.narrows(h.Locks, name, was, v)
		case v.IsObject() && at[0] == "cli" && field(now, name) == nil && holds(was, rest[1:]):
			refused, back = true, true
		case v.IsObject():
			h.walk(v, was, field(now, name), rest[1:], at)
		}
		if refused {
			h.refused = append(h.refused, Refusal{h.lock, at, v, was, back})
			patch.Drop(name)
		}
	}
}

// free reports whether what a higher layer adds to the map at a path is its own affair. A
// range of versions always is, since it is compared with its CLI.
func (h *holder) free(path []string) bool {
	return !h.rule.added || path[len(path)-1] == "versions"
}

// holds reports whether v has something at a path, in which * is any key.
func holds(v Value, path []string) bool {
	switch {
	case v == nil || len(path) == 0:
		return v != nil
	case path[0] == "*":
		return slices.ContainsFunc(keys(v), func(key string) bool { return holds(v.Field(key), path[1:]) })
	}
	return holds(field(v, path[0]), path[1:])
}

func field(v Value, key string) Value {
	if v == nil || !v.IsObject() {
		return nil
	}
	return v.Field(key)
}

func in(v Value, path []string) Value {
	for _, key := range path {
		v = field(v, key)
	}
	return v
}

func keys(v Value) []string {
	if v == nil || !v.IsObject() {
		return nil
	}
	return v.Keys()
}

// covers reports whether the policy of a name includes another, as the site's layer has them.
func (l *Locks) covers(name, other string) bool {
	for seen := []string{}; name != "" && !slices.Contains(seen, name); {
		if name == other {
			return true
		}
		seen = append(seen, name)
		next := in(l.base, []string{"policy", name, "includes"})
		if next == nil {
			return false
		}
		name = next.Scalar()
	}
	return false
}

// number is the value of a number, if it is one.
func number(v Value) (float64, bool) {
	if v == nil {
		return 0, false
	}
	n, err := strconv.ParseFloat(v.Scalar(), 64)
	return n, err == nil
}
