// Package optimize makes texts shorter that say the same afterwards, by rules that are data.
//
// It hides what is kept from the rules (code, and what a spec names) and how often they are
// applied. It must not know what a text is for: a prompt and an answer are the same to it.
package optimize

import (
	"errors"
	"regexp"
	"regexp/syntax"
	"slices"
	"strings"
	"sync"

	"github.com/llm-cli-gateway/gateway/engine/lang"
	"github.com/llm-cli-gateway/gateway/engine/text"
)

// Optimizer is a set of rules that make texts shorter, compiled. It knows of itself only
// what code looks like.
type Optimizer struct {
	Name string
	lang.OptimizerSpec

	keep  []func() pattern
	rules []rewrite
}

type rewrite struct {
	match   func() pattern
	replace string
}

// Compile compiles the optimizers, whose expressions are known to be right if they are
// vetted: those are then left to their first use.
func Compile(specs lang.Map[lang.OptimizerSpec], vetted bool, ps lang.Problems) (all []*Optimizer) {
	for name, spec := range specs.All() {
		o := &Optimizer{Name: name, OptimizerSpec: spec}
		at := ps.At(name)
		for key, src := range spec.Keep.All() {
			o.keep = append(o.keep, compilePattern(src, vetted, at.At("keep", key)))
		}
		for key, rule := range spec.Rules.All() {
			at := at.At("rules", key)
			r := rewrite{match: compilePattern(rule.Match, vetted, at.At("match")), replace: rule.Replace}
			if !vetted {
				r.groups(at.At("replace"))
			}
			o.rules = append(o.rules, r)
		}
		all = append(all, o)
	}
	return all
}

// Find is the optimizer that a setting names, nil if it names none.
func Find(all []*Optimizer, name string, ps lang.Problems) *Optimizer {
	names := []string{}
	for _, o := range all {
		if o.Name == name {
			return o
		}
		names = append(names, o.Name)
	}
	// Settings may be compiled alone, when nothing else of the specs has changed.
	if name != "" && len(names) > 0 {
		problem := ps.Add("relation", "unknown optimizer %q", name)
		if problem.Hint = text.DidYouMean(name, names); problem.Hint == "" {
			problem.Hint = "there are " + strings.Join(names, ", ")
		}
	}
	return nil
}

// nothing matches no text at all.
var nothing = regexp.MustCompile(`[^\x00-\x{10FFFF}]`)

// compilePattern compiles an RE2 that must match something, now or at its first use: most
// gateways end without having shortened anything.
func compilePattern(src string, vetted bool, ps lang.Problems) func() pattern {
	if vetted {
		return sync.OnceValue(func() pattern { return pattern{regexp.MustCompile(src), needsOf(src)} })
	}
	re, err := regexp.Compile(src)
	if err != nil {
		problem := ps.Add("regexp", "%s", strings.TrimPrefix(err.Error(), "regexp: "))
		var wrong *syntax.Error
		if errors.As(err, &wrong) {
			problem.Offset = max(0, strings.Index(src, wrong.Expr))
		}
		return func() pattern { return pattern{Regexp: nothing} }
	}
	if re.MatchString("") {
		ps.Add("regexp", "matches the empty text").Hint = "require at least one character"
	}
	return func() pattern { return pattern{re, needsOf(src)} }
}

// reference is a group in a replacement, or a dollar.
var reference = regexp.MustCompile(`\$(?:\$|\{([^}]*)\}|([A-Za-z0-9_]+)|)`)

// groups holds the replacement against the groups that the pattern has: one that it has
// not would silently be nothing.
func (r rewrite) groups(ps lang.Problems) {
	if strings.Contains(r.replace, placeholder) {
		ps.Add("group", "contains %U, which is reserved", []rune(placeholder)[0])
	}
	re := r.match().Regexp
	if re == nothing {
		return
	}
	for _, at := range reference.FindAllStringSubmatchIndex(r.replace, -1) {
		whole, name := r.replace[at[0]:at[1]], ""
		switch {
		case whole == "$$":
			continue
		case at[2] >= 0:
			name = r.replace[at[2]:at[3]]
		case at[4] >= 0:
			name = r.replace[at[4]:at[5]]
		}
		if !hasGroup(re, name) {
			problem := ps.Add("group", "%q is not a group of the pattern", whole)
			problem.Hint, problem.Offset = "groups are $1 or ${1} to ${"+text.Number(float64(re.NumSubexp()))+"}, or ${name}; a dollar is $$", at[0]
			if re.NumSubexp() == 0 {
				problem.Hint = "the pattern has none; a dollar is $$"
			}
		}
	}
}

// hasGroup reports whether a pattern has a group of that name or number.
func hasGroup(re *regexp.Regexp, name string) bool {
	if name != "" && strings.Trim(name, "0123456789") == "" {
		n := 0
		for _, digit := range name {
			if n = n*10 + int(digit-'0'); n > re.NumSubexp() {
				return false
			}
		}
		return true
	}
	return name != "" && slices.Contains(re.SubexpNames(), name)
}
