package catalog

import (
	"encoding/json"
	"fmt"
	"slices"
	"sort"

	"github.com/llm-cli-gateway/gateway/engine/text"
)

// paramSet is the parameters of a tool. It yields the schema of the arguments, and
// checks them.
type paramSet struct {
	params []*Param // in the order of the schema
	byName map[string]*Param
}

func newParamSet(params []*Param) paramSet {
	t := paramSet{params: params, byName: make(map[string]*Param, len(params))}
	for _, p := range params {
		t.byName[p.Name] = p
	}
	return t
}

// Param returns the parameter of that name.
func (t *paramSet) Param(name string) (*Param, bool) { p, ok := t.byName[name]; return p, ok }

// names are the names of all parameters, for hints.
func (t *paramSet) names() []string {
	names := make([]string, 0, len(t.params))
	for _, p := range t.params {
		names = append(names, p.Name)
	}
	sort.Strings(names)
	return names
}

// arguments reads a JSON object, without the injected names that are no parameters and
// without what says that a parameter is not given; the others are as they are meant.
func (t *paramSet) arguments(raw json.RawMessage, injected []string) (map[string]any, Violations) {
	given, violation := object(raw)
	if violation != "" {
		return nil, Violations{{Text: violation}}
	}
	for _, name := range injected {
		if _, known := t.byName[name]; !known {
			delete(given, name)
		}
	}
	for name, arg := range given {
		p, known := t.byName[name]
		if !known {
			continue
		}
		meant := p.meant(arg)
		if given[name] = meant; p.absent(arg) || p.absent(meant) {
			delete(given, name)
		}
	}
	return given, nil
}

// bound is what arguments come to.
type bound struct {
	values map[string]any  // by kind, defaults included
	given  map[string]bool // those that are not defaults
	wrong  Violations
}

func (b *bound) add(param, format string, args ...any) {
	b.wrong = append(b.wrong, Violation{Param: param, Text: fmt.Sprintf(format, args...)})
}

// maxHints is for how many unknown names the nearest known one is looked for; who
// sends more has not mistyped.
const maxHints = 20

// bind gives every argument its kind. An argument of a role that special takes is left
// to it.
func (t *paramSet) bind(args map[string]any, b *bound, special func(p *Param, arg any) bool) {
	names := make([]string, 0, len(args))
	for name := range args {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		if _, ok := t.byName[name]; ok {
			continue
		}
		body, hint := "unknown parameter", ""
		if len(b.wrong) < maxHints {
			hint = text.DidYouMean(name, t.names())
		}
		if hint != "" {
			body += " (" + hint + ")"
		}
		b.add(text.Printable(text.Abbreviate(name)), "%s", body)
	}
	for _, p := range t.params {
		arg, ok := args[p.Name]
		if !ok || arg == nil {
			switch {
			case p.ParamSpec.Required:
				b.add(p.Name, "missing required parameter")
			case p.Preset() != nil:
				b.values[p.Name] = p.Preset()
			}
			continue
		}
		b.given[p.Name] = true
		if special != nil && special(p, arg) {
			continue
		}
		v, violation := p.bind(arg)
		if violation != "" {
			b.add(p.Name, "%s", violation)
			continue
		}
		b.values[p.Name] = v
	}
}
