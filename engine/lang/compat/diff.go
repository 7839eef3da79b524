// Package compat says what a change of specs means for those who rely on them: whether it
// breaks calls that were right, widens what can be done, or neither.
//
// It hides the rules, of which every field of the language has one. It compares compiled
// catalogs and must not know its callers, nor whether a change takes effect.
package compat

import (
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/llm-cli-gateway/gateway/engine/catalog"
	"github.com/llm-cli-gateway/gateway/engine/lang"
	"github.com/llm-cli-gateway/gateway/engine/text"
)

// ChangeKind says what a change of the specs means for those who rely on them.
type ChangeKind string

// The kinds of changes. One change can be of several kinds, and is then reported as often.
const (
	Breaking ChangeKind = "breaking" // a call that was right may be refused, or mean something else
	Widening ChangeKind = "widening" // more can be done, or done unasked or unseen; or another program is run
	Note     ChangeKind = "note"     // neither
)

// Change is a difference between two catalogs.
type Change struct {
	Kind ChangeKind
	Path []string // keys and list indices from the root, as in Problem
	Gone bool     // Path is a path of the old specs: the new ones have nothing there
	Text string   // one line
}

// String is the change without its kind and without a position.
func (c Change) String() string { return strings.Join(c.Path, ".") + ": " + c.Text }

// Diff reports all differences between two catalogs, in the order of the specs. Where it
// cannot decide whether a change widens what calls may do, it says so: a
// false alarm costs a look. Catalogs with equal digests differ in nothing but what only
// vet reads: examples, and how a program is asked for its options.
func Diff(old, new *catalog.Catalog) []Change {
	d := &differ{old: old, new: new}
	d.walk("", scope{differ: d}, reflect.ValueOf(specOf(old)), reflect.ValueOf(specOf(new)))
	return d.changes
}

// specOf is what the catalog was compiled from, as far as it keeps that. The specs of its
// CLIs are shared.
func specOf(c *catalog.Catalog) lang.Spec {
	s := lang.Spec{Client: c.Clients, MCP: c.Servers, Secret: c.Secrets.Specs(), Gateway: c.Settings}
	for _, cli := range c.CLIs {
		s.CLI.Set(cli.Name, cli.CLISpec)
	}
	for _, p := range c.Approval.Policies {
		s.Policy.Set(p.Name, p.PolicySpec)
	}
	for _, r := range c.Approval.Rules {
		s.Risk.Set(r.ID, r.RuleSpec)
	}
	for _, o := range c.Optimizers {
		s.Optimizer.Set(o.Name, o.OptimizerSpec)
	}
	return s
}

// differ collects the changes.
type differ struct {
	old, new *catalog.Catalog
	changes  []Change
}

// scope is a place in the specs, and the CLI and parameter it belongs to, compiled.
type scope struct {
	*differ
	path     []string
	was, is  *catalog.CLI
	from, to *catalog.Param
	gone     bool
}

func (s scope) at(keys ...string) scope {
	s.path = slices.Concat(s.path, keys)
	return s
}

// lost is a place that only the old specs have.
func (s scope) lost(keys ...string) scope {
	s = s.at(keys...)
	s.gone = true
	return s
}

func (s scope) say(kind ChangeKind, format string, args ...any) {
	s.changes = append(s.changes, Change{Kind: kind, Path: s.path, Gone: s.gone, Text: fmt.Sprintf(format, args...)})
}

func (s scope) breaking(format string, args ...any) { s.say(Breaking, format, args...) }
func (s scope) widening(format string, args ...any) { s.say(Widening, format, args...) }
func (s scope) note(format string, args ...any)     { s.say(Note, format, args...) }

// said reports whether anything has been reported at the path.
func (s scope) said() bool {
	return slices.ContainsFunc(s.changes, func(c Change) bool {
		return len(c.Path) >= len(s.path) && slices.Equal(c.Path[:len(s.path)], s.path)
	})
}

// comparison says how a place in the specs is compared. Without classify its fields are, each
// on its own.
type comparison struct {
	classify       func(s scope, was, is any)      // of two values that differ
	quiet          bool                            // reported elsewhere
	added, removed func(s scope, value any)        // entries of a map
	enter          func(s scope, key string) scope // before an entry is compared
	leave          func(s scope)                   // and after it
}

// walk compares two values that stand at the same place. The pattern is its path with *
// for the keys of maps.
func (d *differ) walk(pattern string, s scope, was, is reflect.Value) {
	a, b := was.Interface(), is.Interface()
	if reflect.DeepEqual(a, b) {
		return
	}
	r := comparisons()[pattern]
	switch m, isMap := a.(lang.Keyed); {
	case r.classify == nil && !isMap && was.Kind() == reflect.Struct:
		for i := range was.NumField() {
			name := jsonName(was.Type().Field(i))
			d.walk(strings.TrimPrefix(pattern+"."+name, "."), s.at(name), was.Field(i), is.Field(i))
		}
		return
	case r.classify != nil:
		r.classify(s, a, b)
	case isMap:
		d.entries(pattern, r, s, m, b.(lang.Keyed))
		if !s.said() {
			s.note("has another order")
		}
	}
	if !s.said() && !r.quiet {
		s.note("%s", became(was, is))
	}
}

// entries compares maps.
func (d *differ) entries(pattern string, r comparison, s scope, was, is lang.Keyed) {
	for _, key := range is.Keys() {
		b, _ := is.Entry(key)
		a, old := was.Entry(key)
		switch {
		case old && reflect.DeepEqual(a, b):
		case old:
			in := s.at(key)
			if r.enter != nil {
				in = r.enter(in, key)
			}
			d.walk(pattern+".*", in, reflect.ValueOf(a), reflect.ValueOf(b))
			if r.leave != nil {
				r.leave(in)
			}
		case r.added != nil:
			r.added(s.at(key), b)
		default:
			s.at(key).note("is new")
		}
	}
	for _, key := range was.Keys() {
		if _, kept := is.Entry(key); kept {
			continue
		}
		if a, _ := was.Entry(key); r.removed != nil {
			r.removed(s.lost(key), a)
		} else {
			s.lost(key).note("is gone")
		}
	}
}

func jsonName(f reflect.StructField) string {
	name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
	return name
}

// became describes a change that needs no classification.
func became(was, is reflect.Value) string {
	a, b := inJSON(was), inJSON(is)
	switch {
	case len(a)+len(b) > 200:
		return "has changed"
	case was.CanInt() || was.Kind() == reflect.Bool: // they are always there
	case was.IsZero():
		return "is new: " + b
	case is.IsZero():
		return "is gone; it was " + a
	}
	return "is " + b + ", and was " + a
}

// inJSON is a value as a line shows it.
func inJSON(v reflect.Value) string { return string(text.MustJSON(v.Interface())) }
