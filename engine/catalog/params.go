package catalog

import (
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/llm-cli-gateway/gateway/engine/catalog/access"
	"github.com/llm-cli-gateway/gateway/engine/catalog/argvtemplate"
	"github.com/llm-cli-gateway/gateway/engine/catalog/extract"
	"github.com/llm-cli-gateway/gateway/engine/lang"
	"github.com/llm-cli-gateway/gateway/engine/text"
)

// params reads the parameter table and puts the engine's parameters around it.
func (c compiler) params(ps lang.Problems) {
	first, last := engineParams(&c.cli.CLISpec, c.cli.globals)
	own := []*Param{}
	for name, spec := range c.cli.CLISpec.Params.All() {
		at := ps.At("params", name)
		p := newParam(name, spec, at)
		if slices.Contains(engineNames, name) || slices.Contains(reservedNames, name) {
			at.Add("reserved", "the name %q is reserved by the gateway", name).Key = true
			continue
		}
		own = append(own, p)
	}
	c.cli.paramSet = newParamSet(slices.Concat(first, own, last))
	if p, ok := c.cli.byName[ParamModel]; ok {
		p.fallback, p.aliases = c.cli.Models.Default, c.aliasNames(p)
	}
	if p, ok := c.cli.byName[ParamMCPServers]; ok && c.cli.MCP.Own == nil {
		p.aliases = c.cli.globals.servers
	}
	scope := extract.ScopeOf(conditionScope(c.cli.params))
	for _, p := range own {
		at := ps.At("params", p.Name)
		c.carrier(p, at)
		c.values(p, at)
		c.constraints(p, at)
		p.when = extract.Condition(p.When, scope, c.vetted, at.At("when"))
		p.asks = access.CompileValues(p.ParamSpec, at)
	}
	for i, r := range c.cli.Risk {
		c.cli.risk = append(c.cli.risk, extract.Condition(r.When, scope, c.vetted, ps.At("risk", i, "when")))
	}
	c.flags(own, ps.At("params"))
}

// reservedNames cannot be parameters: they mean something in an expression, or
// clients add them by themselves.
var reservedNames = []string{
	"given", "mode", "trusted", "session", "event", "mcp", "wait_for_previous",
	"not", "in", "let", "if", "else", "nil", "true", "false", "and", "or", "matches", "contains", "startsWith", "endsWith",
}

// carrier checks by what the value reaches the CLI: exactly one way.
func (c compiler) carrier(p *Param, ps lang.Problems) {
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
	needs(p.NoFlag != "", "noFlag", `type "bool" and a flag`, p.Kind == Bool && p.Flag != "")
	needs(p.Words != nil, "words", `type "bool"`, p.Kind == Bool)
	needs(p.Values != nil, "values", "an enum", len(p.Enum) > 0)
	needs(p.Show != nil, "show", "an enum", len(p.Enum) > 0)
	needs(p.Value != "", "value", "a flag or env", p.Flag != "" || p.Env != "")
	needs(p.Style != "", "style", "a flag", p.Flag != "")
	needs(p.Each, "each", `type "list"`, p.Kind == List)
	needs(p.Sep != "", "sep", `type "list"`, p.Kind == List)
	needs(p.Sep != "" && p.Each, "sep", "one flag for all elements, not each", false)
	needs(p.Value != "", "value", "a value, which a bool has not", p.Kind != Bool)
	needs(p.Env != "", "env", `type "string", "int" or "number"`, p.Kind != List && p.Kind != Bool)
	needs(p.Show != nil, "show", `type "string"`, p.Kind == String)
	needs(p.Otherwise != "", "otherwise", "since or until", p.Since != "" || p.Until != "")
	needs(p.ParamSpec.Required, "required", "a parameter that all versions have", p.versions.All())
	needs(p.Advanced, "advanced", "a parameter that a call can leave out", !p.ParamSpec.Required)
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
	if loaderVariables.MatchString(p.Env) {
		ps.At("env").Add("shell", "%s decides which code the program runs: no caller may set it", p.Env)
	}
	for _, key := range p.Danger.Values {
		if !slices.Contains(p.Enum, key) {
			at := ps.At("danger", slices.Index(p.Danger.Values, key))
			unknownValue(at, key, p.Enum).Key = false
		}
	}
	if p.encoder == "raw" && p.pre == "" && p.post == "" {
		ps.At("value").Add("template", "%q adds nothing to the value", p.Value).Hint = "leave value out"
	}
	if n := strings.Count(p.Value, "{json}") + strings.Count(p.Value, "{raw}"); p.Value != "" && n != 1 {
		ps.At("value").Add("template", "the value occurs %d times in %q", n, p.Value).Hint = "write one {json} or {raw}"
	}
	if p.dash() && strings.HasPrefix(p.Value, "-") {
		ps.At("value").Add("dash", "%q would be read as an option", p.Value).Hint = `set style: "eq"`
	}
	argvtemplate.NoNUL(p.Value, ps.At("value"))
	if p.encoder == "raw" && (p.Kind == String || p.Kind == List) && len(p.Enum) == 0 && p.admitsQuote() {
		ps.At("value").Add("template", "{raw} around free text lets a quote break out of the template").Hint = "use {json}, an enum or a pattern without quotes"
	}
}

// admitsQuote reports whether a text with a quote passes the pattern. It tries; a
// pattern that is not anchored, the usual mistake, lets some of these pass.
func (p *Param) admitsQuote() bool {
	if p.pattern == nil {
		return true
	}
	for _, around := range []string{"", "a", "A", "1", "a1", "/a", "a.b", "a-b", "a=b"} {
		for _, quote := range []string{`"`, `'`, "`"} {
			if p.pattern.MatchString(around+quote) || p.pattern.MatchString(quote+around) || p.pattern.MatchString(around+quote+around) {
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

// values checks bounds and default against the kind.
func (c compiler) values(p *Param, ps lang.Problems) {
	wrong := func(key string, used, ok bool) {
		if used && !ok {
			ps.At(key).Add("shape", "%s has no meaning for type %q", key, p.Kind).Key = true
		}
	}
	numeric, textual := p.Kind == Int || p.Kind == Number, p.Kind == String || p.Kind == List
	wrong("min", p.Min != nil, numeric)
	wrong("max", p.Max != nil, numeric)
	wrong("minLength", p.MinLength != nil, textual)
	wrong("maxLength", p.MaxLength != nil, textual)
	wrong("maxItems", p.MaxItems != nil, p.Kind == List)
	wrong("pattern", p.Pattern != "", textual)
	wrong("enum", len(p.Enum) > 0, textual)
	if p.Min != nil && p.Max != nil && *p.Min > *p.Max {
		ps.At("min").Add("bounds", "min %v is above max %v", *p.Min, *p.Max)
	}
	if p.MinLength != nil && *p.MinLength > p.LengthLimit() {
		ps.At("minLength").Add("bounds", "minLength %d is above maxLength %d", *p.MinLength, p.LengthLimit())
	}
	seen := map[string]bool{}
	for i, v := range p.Enum {
		if seen[v] {
			ps.At("enum", i).Add("enum", "%q is listed twice", v)
		}
		seen[v] = true
	}
	if p.Default == nil {
		return
	}
	if p.ParamSpec.Required {
		ps.At("default").Add("default", "a required parameter never takes its default").Key = true
	}
	v, violation := p.bind(p.Default)
	if violation != "" {
		ps.At("default").Add("default", "the default %s", violation)
		p.Default = nil
		return
	}
	p.Default = v
}

// constraints checks the names of other parameters.
func (c compiler) constraints(p *Param, ps lang.Problems) {
	for _, rel := range []struct {
		key   string
		names []string
		verb  string
	}{{"conflicts", p.Conflicts, "conflicts with"}, {"requires", p.Requires, "requires"}} {
		for i, name := range rel.names {
			if name == p.Name {
				ps.At(rel.key, i).Add("relation", "%s itself", rel.verb)
			} else if other, ok := c.cli.byName[name]; !ok {
				ps.At(rel.key, i).Add("relation", "%s unknown param %q", rel.verb, name).Hint = text.DidYouMean(name, c.cli.names())
			} else if rel.key == "conflicts" && p.Writes(p.Preset()) && other.Writes(other.Preset()) {
				ps.At(rel.key, i).Add("default", "the default conflicts with the default of %q", name)
			}
		}
	}
}

// flags refuses two parameters that would write the same option in one version of the
// program. A template (-c key=value) makes an option of its own.
func (c compiler) flags(own []*Param, ps lang.Problems) {
	owner := map[string]string{}
	owners := map[string][]*Param{}
	for _, p := range own {
		for _, f := range []struct{ key, flag string }{{"flag", p.Flag}, {"noFlag", p.NoFlag}} {
			if f.flag == "" {
				continue
			}
			id := f.flag + " " + p.pre
			other := slices.IndexFunc(owners[id], func(q *Param) bool { return q.versions.Meets(p.versions) })
			if other >= 0 {
				ps.At(p.Name).Add("duplicate-flag", "flag %s is already used by param %q", f.flag, owners[id][other].Name).Below = []string{f.key}
				continue
			}
			owner[id], owners[id] = p.Name, append(owners[id], p)
		}
	}
	for _, list := range []struct {
		where string
		words []string
	}{
		{"argv of mode \"new\"", c.cli.Argv.New}, {"argv of mode \"resume\"", c.cli.Argv.Resume}, {"argv of mode \"latest\"", c.cli.Argv.Latest},
		{"session.create", c.cli.Session.Create}, {"session.resume", c.cli.Session.Resume}, {"session.latest", c.cli.Session.Latest},
		{"prompt.flag", []string{c.cli.CLISpec.Prompt.Flag}},
	} {
		for _, w := range list.words {
			flag, _, _ := strings.Cut(w, "=")
			if name, ok := owner[flag+" "]; ok {
				ps.At(name).Add("duplicate-flag", "flag %s is already in %s", flag, list.where).Below = []string{"flag"}
			}
		}
	}
}

// bind turns an argument into the value of the parameter's kind. The violation
// completes a sentence that begins with the parameter's name; "" means none.
func (p *Param) bind(arg any) (v any, violation string) {
	switch p.Kind {
	case Bool:
		if b, ok := arg.(bool); ok {
			return b, ""
		}
		return nil, "must be true or false, not " + text.Kind(arg)
	case Int, Number:
		return p.bindNumber(arg)
	case List:
		return p.bindList(arg)
	}
	s, ok := arg.(string)
	if !ok {
		return nil, "must be a string, not " + text.Kind(arg)
	}
	return s, p.checkText(s)
}

func (p *Param) bindNumber(arg any) (any, string) {
	f, ok := arg.(float64)
	switch n := arg.(type) {
	case int:
		f, ok = float64(n), true
	case int64:
		f, ok = float64(n), true
	case json.Number:
		var err error
		f, err = n.Float64()
		ok = err == nil
	}
	switch {
	case !ok && p.Kind == Int:
		return nil, "must be an integer, not " + text.Kind(arg)
	case !ok || math.IsInf(f, 0) || math.IsNaN(f):
		return nil, "must be a number, not " + text.Kind(arg)
	case p.Kind == Int && (f != math.Trunc(f) || math.Abs(f) > 1<<53):
		return nil, fmt.Sprintf("must be an integer, not %v", f)
	case p.Min != nil && f < *p.Min || p.Max != nil && f > *p.Max:
		return nil, fmt.Sprintf("must be %s, not %s", p.bounds(), text.Number(f))
	case p.Kind == Int:
		return int(f), ""
	}
	return f, ""
}

func (p *Param) bindList(arg any) (any, string) {
	items, ok := arg.([]any)
	if texts, isTexts := arg.([]string); isTexts {
		for _, t := range texts {
			items = append(items, t)
		}
		ok = true
	}
	if !ok {
		return nil, "must be a list of strings, not " + text.Kind(arg)
	}
	if len(items) > p.ItemLimit() {
		return nil, fmt.Sprintf("has %d elements, at most %d are allowed", len(items), p.ItemLimit())
	}
	list := make([]string, 0, len(items))
	for i, item := range items {
		s, ok := item.(string)
		if !ok {
			return nil, fmt.Sprintf("element %d must be a string, not %s", i+1, text.Kind(item))
		}
		if violation := p.checkText(s); violation != "" {
			return nil, fmt.Sprintf("element %d %s", i+1, violation)
		}
		list = append(list, s)
	}
	return list, ""
}

// checkText holds a string, or one element of a list, against the bounds.
func (p *Param) checkText(s string) string {
	n := utf8.RuneCountInString(s)
	switch {
	case slices.Contains([]byte(s), 0):
		return "contains a NUL character, which no program can receive"
	case !utf8.ValidString(s):
		return "is not valid UTF-8"
	case len(p.Enum) > 0 && !slices.Contains(p.Enum, s):
		body := fmt.Sprintf("must be %s, not %q", text.OneOf(p.Enum), text.Abbreviate(s))
		if hint := text.DidYouMean(s, p.Enum); hint != "" {
			body += " (" + hint + ")"
		}
		return body
	case p.MinLength != nil && n < *p.MinLength:
		return fmt.Sprintf("must have at least %d characters", *p.MinLength)
	case n > p.LengthLimit():
		return fmt.Sprintf("has %d characters, at most %d are allowed", n, p.LengthLimit())
	case p.pattern != nil && !p.pattern.MatchString(s):
		return fmt.Sprintf("must match %s", p.Pattern)
	}
	return ""
}
