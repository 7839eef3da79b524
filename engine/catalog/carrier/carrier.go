// Package carrier checks by what the value of a parameter reaches a CLI: a flag, words, a
// variable, or a text that is shown; and the template around it.
//
// It hides which of these fit together. It must not know the other parameters, nor write a
// command line.
package carrier

import (
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/llm-cli-gateway/gateway/engine/catalog/argvtemplate"
	"github.com/llm-cli-gateway/gateway/engine/lang"
	"github.com/llm-cli-gateway/gateway/engine/text"
)

// Param is a parameter of a spec, as far as the check must know it.
type Param struct {
	lang.ParamSpec
	Kind        string         // "string", "bool", "int", "number" or "list", also where Type is ""
	AllVersions bool           // all versions of the program have it
	TwoWords    bool           // the flag is one word, the value the next
	Encoder     string         // in Value: "json", "raw", or "" if there is none
	Bare        bool           // Value has nothing around its encoder
	Matches     *regexp.Regexp // Pattern, compiled; nil: none
}

// Check checks by what the value reaches the CLI: exactly one way.
func Check(p Param, ps lang.Problems) {
	ways := []string{}
	for _, way := range []struct {
		name string
		used bool
	}{{"flag", p.Flag != ""}, {"words", p.Words != nil}, {"values", p.Values != nil}, {"env", p.Env != ""}, {"show", p.Show != nil}} {
		if way.used {
			ways = append(ways, way.name)
		}
	}
	if len(ways) > 1 {
		ps.At(ways[1]).Add("carrier", "%s and %s cannot both carry the value", ways[0], ways[1]).Key = true
	}
	needs := func(used bool, key, need string, ok bool) {
		if used && !ok {
			ps.At(key).Add("shape", "%s needs %s", key, need).Key = true
		}
	}
	needs(p.NoFlag != "", "noFlag", `type "bool" and a flag`, p.Kind == "bool" && p.Flag != "")
	needs(p.Words != nil, "words", `type "bool"`, p.Kind == "bool")
	needs(p.Values != nil, "values", "an enum", len(p.Enum) > 0)
	needs(p.Show != nil, "show", "an enum", len(p.Enum) > 0)
	needs(p.Value != "", "value", "a flag or env", p.Flag != "" || p.Env != "")
	needs(p.Style != "", "style", "a flag", p.Flag != "")
	needs(p.Each, "each", `type "list"`, p.Kind == "list")
	needs(p.Sep != "", "sep", `type "list"`, p.Kind == "list")
	needs(p.Sep != "" && p.Each, "sep", "one flag for all elements, not each", false)
	needs(p.Value != "", "value", "a value, which a bool has not", p.Kind != "bool")
	needs(p.Env != "", "env", `type "string", "int" or "number"`, p.Kind != "list" && p.Kind != "bool")
	needs(p.Show != nil, "show", `type "string"`, p.Kind == "string")
	needs(p.Otherwise != "", "otherwise", "since or until", p.Since != "" || p.Until != "")
	needs(p.Required, "required", "a parameter that all versions have", p.AllVersions)
	needs(p.Advanced, "advanced", "a parameter that a call can leave out", !p.Required)
	needs(p.Group != "", "group", "a flag, words or values", p.Flag != "" || p.Words != nil || p.Values != nil)
	valueTexts(ps.At("values"), p.Values, p.Enum)
	valueTexts(ps.At("show"), p.Show, p.Enum)
	for i, text := range p.Words {
		argvtemplate.NoNUL(text, ps.At("words", i))
	}
	for _, key := range slices.Sorted(maps.Keys(p.Values)) {
		for i, text := range p.Values[key] {
			argvtemplate.NoNUL(text, ps.At("values", key, i))
		}
	}
	argvtemplate.ReservedVariable(p.Env, ps.At("env"))
	argvtemplate.LoaderVariable(p.Env, ps.At("env"))
	for _, key := range p.Danger.Values {
		if !slices.Contains(p.Enum, key) {
			at := ps.At("danger", slices.Index(p.Danger.Values, key))
			unknownValue(at, key, p.Enum).Key = false
		}
	}
	if p.Encoder == "raw" && p.Bare {
		ps.At("value").Add("template", "%q adds nothing to the value", p.Value).Hint = "leave value out"
	}
	if n := strings.Count(p.Value, "{json}") + strings.Count(p.Value, "{raw}"); p.Value != "" && n != 1 {
		ps.At("value").Add("template", "the value occurs %d times in %q", n, p.Value).Hint = "write one {json} or {raw}"
	}
	if p.TwoWords && strings.HasPrefix(p.Value, "-") {
		ps.At("value").Add("dash", "%q would be read as an option", p.Value).Hint = `set style: "eq"`
	}
	argvtemplate.NoNUL(p.Value, ps.At("value"))
	if p.Encoder == "raw" && (p.Kind == "string" || p.Kind == "list") && len(p.Enum) == 0 && p.admitsQuote() {
		ps.At("value").Add("template", "{raw} around free text lets a quote break out of the template").Hint = "use {json}, an enum or a pattern without quotes"
	}
}

// admitsQuote reports whether a text with a quote passes the pattern. It tries; a
// pattern that is not anchored, the usual mistake, lets some of these pass.
func (p Param) admitsQuote() bool {
	if p.Matches == nil {
		return true
	}
	for _, around := range []string{"", "a", "A", "1", "a1", "/a", "a.b", "a-b", "a=b"} {
		for _, quote := range []string{`"`, `'`, "`"} {
			if p.Matches.MatchString(around+quote) || p.Matches.MatchString(quote+around) || p.Matches.MatchString(around+quote+around) {
				return true
			}
		}
	}
	return false
}

// valueTexts checks that a map over the values of an enum has exactly these keys.
func valueTexts[T any](ps lang.Problems, texts map[string]T, enum []string) {
	if texts == nil {
		return
	}
	for _, key := range slices.Sorted(maps.Keys(texts)) {
		if !slices.Contains(enum, key) {
			_ = unknownValue(ps.At(key), key, enum)
		}
	}
	for _, value := range enum {
		if _, ok := texts[value]; !ok {
			ps.Add("enum", "there is no entry for %q", value).Key = true
		}
	}
}

func unknownValue(ps lang.Problems, key string, enum []string) *lang.Problem {
	p := ps.Add("enum", "%q is not a value of the enum", key)
	p.Hint, p.Key = text.DidYouMean(key, enum), true
	return p
}
