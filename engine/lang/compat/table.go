package compat

import (
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/llm-cli-gateway/gateway/engine/lang"
	"github.com/llm-cli-gateway/gateway/engine/text"
)

// comparisons say for each field of the language what a change of it means, as @change in
// schema.cue does. A field that has none does not pass the generator.
//
// What is text for people, and what only reads the output of a program, is a note.
// Whatever decides which program is run, with which words and variables, with whose
// permission and for how long, is a widening unless it clearly narrows.
func comparisons() map[string]comparison {
	comparisonsOnce.Do(func() { comparisonsMade = comparisonsOfFields() })
	return comparisonsMade
}

var (
	comparisonsOnce sync.Once // built at first use, to keep the start fast
	comparisonsMade map[string]comparison
)

const (
	serverCame = "calls that name none get the MCP server %s"
	serverWent = "calls that name none do not get the MCP server %s any more"
)

// unoptimized is for the optimizer that a parameter asks for.
func unoptimized(param string) func(s scope, was, is any) {
	return func(s scope, _, is any) {
		if is == "" {
			s.breaking("no tool has the parameter %s any more", param)
		}
	}
}

// elsewhere is a field whose change is visible in other fields: ranges compares the
// results of the versions.
var elsewhere = comparison{classify: func(scope, any, any) {}, quiet: true}

// noted is a field whose change is reported as a note.
var noted = comparison{classify: func(scope, any, any) {}}

// schemaField is classified with all of its parameter, by what callers see of it.
func schemaField(scope, any, any) {}

// rewritten is for a text whose change cannot be classified: new, then old.
func rewritten(format string) func(s scope, was, is any) {
	return func(s scope, was, is any) { s.widening(format, quoted(is), quoted(was)) }
}

// quoted shows a text; an empty one is none.
func quoted(v any) string {
	if v == "" {
		return "nothing"
	}
	return fmt.Sprintf("%q", text.Shorten(fmt.Sprint(v), 100))
}

// composite is for what has many fields that hang together.
func composite(kind ChangeKind) func(s scope, was, is any) {
	return func(s scope, was, is any) { s.say(kind, "%s", became(reflectValue(was), reflectValue(is))) }
}

// opens and closes are for switches that open something, by being set or by being cleared.
func opens(text string) func(s scope, was, is any) {
	return func(s scope, _, is any) {
		if is.(bool) {
			s.widening("%s", text)
		}
	}
}

func closes(text string) func(s scope, was, is any) {
	return func(s scope, was, _ any) {
		if was.(bool) {
			s.widening("%s", text)
		}
	}
}

// raises is for a number that bounds something.
func raises(format string) func(s scope, was, is any) {
	return func(s scope, was, is any) {
		if is.(int) > was.(int) {
			s.widening(format, is, was)
		}
	}
}

// lifted is for a number of calls, of which 0 is no bound.
func lifted(s scope, was, is any) {
	switch a, b := was.(int), is.(int); {
	case b == 0:
		s.widening("any number of calls runs at once, and no longer at most %d", a)
	case a != 0 && b > a:
		s.widening("%d calls run at once, and no longer at most %d", b, a)
	}
}

// tightens is for a bound that refuses calls; 0 is none.
func tightens(format string) func(s scope, was, is any) {
	return func(s scope, was, is any) {
		if a, b := was.(int), is.(int); b != 0 && (a == 0 || b < a) {
			s.breaking(format, text.Number(float64(b)), orAny(a))
		}
	}
}

func orAny(n int) string {
	if n == 0 {
		return "any number"
	}
	return text.Number(float64(n))
}

// grows and shrinks are for lists without an order. The formats take what came and what
// went.
func grows(came, went string) func(s scope, was, is any) {
	return func(s scope, was, is any) { s.members(was.([]string), is.([]string), Widening, came, Note, went) }
}

func shrinks(kind ChangeKind, went, came string) func(s scope, was, is any) {
	return func(s scope, was, is any) { s.members(was.([]string), is.([]string), Note, came, kind, went) }
}

func (s scope) members(was, is []string, more ChangeKind, came string, less ChangeKind, went string) {
	for i, v := range is {
		if !slices.Contains(was, v) {
			s.at(fmt.Sprint(i)).say(more, came, quoted(v))
		}
	}
	for i, v := range was {
		if !slices.Contains(is, v) {
			s.lost(fmt.Sprint(i)).say(less, went, quoted(v))
		}
	}
}

// covering is for names of variables, of which PREFIX* covers many. In a list of what is
// kept back, less is more.
func covering(more, less string, kept bool) func(s scope, was, is any) {
	return func(s scope, was, is any) {
		report := func(in scope, widens bool, v string) {
			if widens {
				in.widening(more, quoted(v))
			} else {
				in.note(less, quoted(v))
			}
		}
		for i, v := range is.([]string) {
			if !matchedBy(v, was.([]string)) {
				report(s.at(fmt.Sprint(i)), !kept, v)
			}
		}
		for i, v := range was.([]string) {
			if !matchedBy(v, is.([]string)) {
				report(s.lost(fmt.Sprint(i)), kept, v)
			}
		}
	}
}

func matchedBy(pattern string, by []string) bool {
	return slices.ContainsFunc(by, func(p string) bool {
		prefix, open := strings.CutSuffix(p, "*")
		return p == pattern || open && strings.HasPrefix(pattern, prefix)
	})
}

// revalued is for a variable that is set.
func revalued(s scope, _, _ any) { s.widening("has another value") }

// defaultModel is for the model of calls that name none.
func defaultModel(s scope, was, is any) {
	s.breaking("calls that name no model get %s, and got %s", quoted(is), quoted(was))
}

func goneAlias(s scope, was any) {
	s.breaking("there is no such alias any more; it stood for %s", quoted(was))
}

func goneSecret(s scope, _ any) { s.widening("such secrets are recorded and logged") }

// kept is for what the record keeps of a kind of text.
func kept(what string) func(s scope, was, is any) {
	order := []string{lang.RedactOff, lang.RedactMask, lang.RedactDrop}
	return func(s scope, was, is any) {
		before, now := slices.Index(order, lang.Redaction(was.(string))), slices.Index(order, lang.Redaction(is.(string)))
		switch {
		case now < before:
			s.widening("more of %s is recorded: %q, and was %q", what, order[now], order[before])
		case now > before:
			s.note("less of %s is recorded: %q, and was %q", what, order[now], order[before])
		}
	}
}

func gonePolicy(s scope, _ any) { s.breaking("there is no such policy any more") }

func goneServer(s scope, _ any) { s.breaking("there is no such MCP server any more") }

func goneRule(s scope, was any) {
	s.widening("no rule scores this any more; it was %d", was.(lang.RuleSpec).Score)
}
