package catalog

import (
	"slices"
	"strings"

	"github.com/llm-cli-gateway/gateway/engine/catalog/access"
	"github.com/llm-cli-gateway/gateway/engine/catalog/argvalue"
	"github.com/llm-cli-gateway/gateway/engine/catalog/carrier"
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
		carrier.Check(carrier.Param{ParamSpec: p.ParamSpec, Kind: string(p.Kind), AllVersions: p.versions.All(), TwoWords: p.dash(),
			Bare: p.pre == "" && p.post == "", Encoder: p.encoder, Matches: p.pattern}, at)
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
		return argvalue.Number(arg, p.Kind == Int, p.Min, p.Max)
	case List:
		return argvalue.List(arg, p.ItemLimit(), p.checkText)
	}
	s, ok := arg.(string)
	if !ok {
		return nil, "must be a string, not " + text.Kind(arg)
	}
	return s, p.checkText(s)
}

// checkText holds a string, or one element of a list, against the bounds.
func (p *Param) checkText(s string) string {
	return argvalue.Bounds{Enum: p.Enum, MinLength: p.MinLength, MaxLength: p.LengthLimit(), Pattern: p.pattern}.Check(s)
}
