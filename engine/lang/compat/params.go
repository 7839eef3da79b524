package compat

import (
	"reflect"

	"github.com/llm-cli-gateway/gateway/engine/catalog"
	"github.com/llm-cli-gateway/gateway/engine/lang"
	"github.com/llm-cli-gateway/gateway/engine/lang/version"
	"github.com/llm-cli-gateway/gateway/engine/text"
)

// offered compares what callers can give beside the parameters of the spec: those that
// the engine makes of it.
func (s scope) offered() {
	for _, p := range s.was.Params() {
		section := p.Section()
		if section == "" {
			continue
		}
		if now, ok := s.is.Param(p.Name); !ok {
			s.at(section).breaking("callers cannot give %s any more", p.Name)
		} else {
			s.at(section).bounds(p, now, map[string]string{"minLength": "min", "maxLength": "max"})
		}
	}
}

func enterParameter(s scope, name string) scope {
	s.from, _ = s.was.Param(name)
	s.to, _ = s.is.Param(name)
	s.compare()
	return s
}

// newParameter: what a caller can say is a widening only if it is marked as one, or if
// it is said without being asked for.
func newParameter(s scope, value any) {
	spec := value.(lang.ParamSpec)
	p, _ := s.is.Param(s.path[len(s.path)-1])
	if spec.Required {
		s.at("required").breaking("must be given")
	}
	if !spec.Danger.IsZero() {
		s.at("danger").widening("lets callers have it act without asking")
	}
	if p.Default != nil && p.Writes(p.Default) && p.Show == nil {
		s.at("default").widening("calls that do not give it say %s as well", inJSON(reflect.ValueOf(p.Default)))
	}
	s.note("is a new parameter")
}

func goneParameter(s scope, _ any) {
	p, _ := s.was.Param(s.path[len(s.path)-1])
	s.breaking("callers cannot give it any more")
	if p.Default != nil && p.Writes(p.Default) && p.Show == nil {
		s.at("default").widening("calls do not say %s any more", inJSON(reflect.ValueOf(p.Default)))
	}
}

// compare reports what happens to arguments for a parameter that is there before and after.
func (s scope) compare() {
	a, b := s.from, s.to
	if a.Kind != b.Kind {
		s.at("type").breaking("must be %s, and was %s", b.Kind, a.Kind)
	}
	s.bounds(a, b, nil)
	s.values(a, b)
	s.preset(a, b)
	s.dangers(a, b)
	s.applicable(a, b)
	if b.ParamSpec.Required && !a.ParamSpec.Required {
		s.at("required").breaking("must be given")
	}
	for _, rel := range []struct {
		key, text string
		was, is   []string
	}{{"conflicts", "cannot be given beside %s", a.Conflicts, b.Conflicts}, {"requires", "cannot be given without %s", a.Requires, b.Requires}} {
		s.at(rel.key).members(rel.was, rel.is, Breaking, rel.text, Note, "no longer: "+rel.text)
	}
}

// bounds compares what values may be, with the limits that hold where the spec says none.
func (s scope) bounds(a, b *catalog.Param, rename map[string]string) {
	if a.Kind != b.Kind {
		return
	}
	tell := func(key string, was, is *float64, narrower bool) {
		if was == nil && is == nil || was != nil && is != nil && *was == *is {
			return
		}
		if new := rename[key]; new != "" {
			key = new
		}
		text := func(v *float64) string {
			if v == nil {
				return "no bound"
			}
			return text.Number(*v)
		}
		if narrower {
			s.at(key).breaking("is %s, and was %s", text(is), text(was))
		} else {
			s.at(key).note("is %s, and was %s", text(is), text(was))
		}
	}
	count := func(n int) *float64 { return new(float64(n)) }
	least := func(p *catalog.Param) *float64 {
		if p.MinLength == nil {
			return nil
		}
		return count(*p.MinLength)
	}
	tell("min", a.Min, b.Min, b.Min != nil && (a.Min == nil || *b.Min > *a.Min))
	tell("max", a.Max, b.Max, b.Max != nil && (a.Max == nil || *b.Max < *a.Max))
	if a.Kind != catalog.String && a.Kind != catalog.List {
		return
	}
	tell("minLength", least(a), least(b), b.MinLength != nil && (a.MinLength == nil || *b.MinLength > *a.MinLength))
	tell("maxLength", count(a.LengthLimit()), count(b.LengthLimit()), b.LengthLimit() < a.LengthLimit())
	if a.Kind == catalog.List {
		tell("maxItems", count(a.ItemLimit()), count(b.ItemLimit()), b.ItemLimit() < a.ItemLimit())
	}
}

// values compares enum and pattern. Whether one pattern admits what another does is
// undecidable. A value that comes to a parameter with dangerous ones is suspected of being
// one more.
func (s scope) values(a, b *catalog.Param) {
	at := s.at("enum")
	marked := len(a.Danger.Values) > 0 || len(b.Danger.Values) > 0
	switch {
	case len(a.Enum) == 0 && len(b.Enum) > 0:
		at.breaking("must be %s, and could be anything", text.OneOf(b.Enum))
	case len(a.Enum) > 0 && len(b.Enum) == 0:
		at.widening("can be anything, and had to be %s", text.OneOf(a.Enum))
	default:
		more := Note
		if marked || b.Danger.All {
			more = Widening
		}
		at.members(a.Enum, b.Enum, more, "can be %s as well", Breaking, "cannot be %s any more")
	}
	if at = s.at("pattern"); a.Pattern != b.Pattern {
		if a.Pattern != "" {
			at.widening("can be what did not match %s", quoted(a.Pattern))
		}
		if b.Pattern != "" {
			at.breaking("must match %s", quoted(b.Pattern))
		}
	}
}

// preset compares what is said without being asked for.
func (s scope) preset(a, b *catalog.Param) {
	if reflect.DeepEqual(a.Default, b.Default) {
		return
	}
	at := s.at("default")
	at.breaking("%s", became(boxed(a.Default), boxed(b.Default)))
	if !a.Danger.IsZero() || !b.Danger.IsZero() {
		at.widening("calls that do not give it do otherwise, and some of its values are dangerous")
	}
}

// boxed is v as a value that may be none.
func boxed(v any) reflect.Value { return reflect.ValueOf(&v).Elem() }

func (s scope) dangers(a, b *catalog.Param) {
	at := s.at("danger")
	switch {
	case a.Danger.All && !b.Danger.All && len(b.Danger.Values) == 0, len(a.Danger.Values) > 0 && b.Danger.IsZero():
		at.widening("is not marked as dangerous any more")
	case a.Danger.All && !b.Danger.All:
		at.widening("only some values are marked as dangerous, and all were")
	case a.Danger.IsZero() && !b.Danger.IsZero():
		at.note("is marked as dangerous")
	case b.Danger.All && !a.Danger.All:
		at.note("all values are marked as dangerous")
	default:
		at.members(a.Danger.Values, b.Danger.Values, Note, "%s is marked as dangerous", Widening, "%s is not marked as dangerous any more")
	}
}

// applicable compares in which calls the parameter can be given.
func (s scope) applicable(a, b *catalog.Param) {
	for _, mode := range []lang.Mode{lang.New, lang.Resume, lang.Latest} {
		switch at := s.at("modes"); {
		case a.Applies(mode) && !b.Applies(mode):
			at.breaking("cannot be given for %s conversations any more", mode.Adjective())
		case !a.Applies(mode) && b.Applies(mode) && !b.Danger.IsZero():
			at.widening("can be given for %s conversations, and may be dangerous", mode.Adjective())
		case !a.Applies(mode) && b.Applies(mode):
			at.note("can be given for %s conversations", mode.Adjective())
		}
	}
	later := func(x, y version.Version) bool { return y.Known() && (!x.Known() || y.Compare(x) > 0) }
	if a.Since != b.Since && later(a.Versions().Since, b.Versions().Since) {
		s.at("since").breaking("is refused before version %s", b.Since)
	}
	if a.Until != b.Until && b.Versions().Until.Known() && (!a.Versions().Until.Known() || b.Versions().Until.Compare(a.Versions().Until) < 0) {
		s.at("until").breaking("is refused from version %s on", b.Until)
	}
}
