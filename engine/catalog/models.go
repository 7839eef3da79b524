package catalog

import (
	"fmt"
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/llm-cli-gateway/gateway/engine/catalog/argvtemplate"
	"github.com/llm-cli-gateway/gateway/engine/lang"
)

// StandardAliases are known to every CLI that takes a model. Where nobody says what
// one of them stands for, it stands for the default.
var StandardAliases = []string{"latest", "fast", "smart"}

// Named is the name of a model and where it was found.
type Named struct {
	Name string // "" for the CLI's own default
	From string // "cli.acme.models.aliases.fast", "env:ACME_MODEL_ALIASES"
}

// Models are the default and the aliases of a CLI as they hold for one call. What is
// in specs alone is in CLI.Declared; callers that know more make their own.
type Models struct {
	Default *Named           // passed when a call names none; nil: none is passed
	Aliases map[string]Named // a name to a model, to another alias, or to ""
	Own     Named            // what the CLI takes when none is passed, as far as that is known
}

// Declared are the models of the specs. The caller must not change them.
func (c *CLI) Declared() Models { return c.declared }

// TakesModel reports whether calls of the CLI can name a model.
func (c *CLI) TakesModel() bool {
	p, ok := c.byName[ParamModel]
	return ok && p.Kind == String
}

// CheckModel says why a name cannot be passed as a model, so that it completes a
// sentence about it; "" if it can.
func (c *CLI) CheckModel(name string) string {
	if !c.TakesModel() {
		return fmt.Sprintf("has no way to the CLI: there is no parameter %q", ParamModel)
	}
	p := c.byName[ParamModel]
	if text := p.checkText(name); text != "" {
		return text
	}
	if strings.HasPrefix(name, "-") {
		return "would be read as an option"
	}
	return c.refusal(p, name)
}

// CheckAlias says why a call cannot name the alias, so that it completes a sentence
// about it; "" if one can.
func (c *CLI) CheckAlias(alias string) string {
	if !c.TakesModel() {
		return fmt.Sprintf("can never be named: there is no parameter %q", ParamModel)
	}
	return c.byName[ParamModel].checkText(alias)
}

// ModelChoices are the names to which the parameter is limited, if it is.
func (c *CLI) ModelChoices() []string {
	if !c.TakesModel() {
		return nil
	}
	return c.byName[ParamModel].Enum
}

// ModelPrefix begins the environment variables about the models of the CLI.
func (c *CLI) ModelPrefix() string {
	if c.Models.Prefix != "" {
		return c.Models.Prefix
	}
	return strings.ToUpper(c.Name)
}

// circular reports whether an alias leads back to one on its way, other than to itself
// at once, which only says that the name is known.
func (m Models) circular(alias string) bool {
	seen := map[string]bool{alias: true}
	for at := alias; ; {
		to, ok := m.Aliases[at]
		switch {
		case !ok || to.Name == at:
			return false
		case seen[to.Name]:
			return true
		}
		seen[to.Name], at = true, to.Name
	}
}

// Circular are the aliases that lead in a circle, sorted.
func (m Models) Circular() (names []string) {
	for _, alias := range slices.Sorted(maps.Keys(m.Aliases)) {
		if m.circular(alias) {
			names = append(names, alias)
		}
	}
	return names
}

// Follow goes from a name along the aliases to one that is none; a name that nobody
// knows passes. The model is "" if the CLI chooses; the steps are the way to it, beginning
// with the name itself. No alias may lead in a circle.
func (m Models) Follow(name, from string) (model string, steps []Step) {
	step := func(name, from string) {
		if name == "" {
			name = "(the CLI's own default)"
		}
		steps = append(steps, Step{Word: name, From: from})
	}
	step(name, from)
	asked := false // for the default, which must not ask again for itself
	for {
		to, ok := m.Aliases[name]
		switch {
		case ok && to.Name != name:
			step(to.Name, "alias "+name+": "+to.From)
		case ok || !slices.Contains(StandardAliases, name):
			if name == "" && m.Own.Name != "" {
				steps = append(steps, Step{Word: m.Own.Name, From: "found by the CLI itself: " + m.Own.From})
			}
			return name, steps
		case m.Default == nil || asked || m.Default.Name == name:
			to = Named{}
			step("", "alias "+name+": known to every CLI")
		default:
			asked, to = true, *m.Default
			step(to.Name, "alias "+name+": "+to.From)
		}
		name = to.Name
	}
}

// declare makes the models of the specs, once they are checked.
func (c compiler) declare() {
	spec := c.cli.Models
	m := Models{Aliases: make(map[string]Named, spec.Aliases.Len())}
	for alias, to := range spec.Aliases.All() {
		m.Aliases[alias] = Named{to, "cli." + c.cli.Name + ".models.aliases." + alias}
	}
	if p, ok := c.cli.byName[ParamModel]; ok {
		if text, ok := p.Default.(string); ok {
			m.Default = &Named{text, "default of " + ParamModel}
		} else if spec.Default != "" {
			m.Default = &Named{spec.Default, "default of cli." + c.cli.Name + ".models"}
		}
	}
	c.cli.declared = m
}

// aliasNames are what a caller can say instead of a model.
func (c compiler) aliasNames(p *Param) []string {
	names := slices.Clone(c.cli.Models.Aliases.Keys())
	for _, alias := range StandardAliases {
		if !slices.Contains(names, alias) && p.Kind == String && p.checkText(alias) == "" {
			names = append(names, alias)
		}
	}
	return names
}

// place is where a source may lie. A relative path would be read from wherever the
// gateway happens to stand.
var place = regexp.MustCompile(`^(~/|/|\$[A-Za-z_][A-Za-z0-9_]*(/|$)|[A-Za-z]:[\\/]|\\\\)`)

// sources checks where models are looked for.
func (c compiler) sources(ps lang.Problems) {
	for name, s := range c.cli.Models.Sources.All() {
		c.source(s, ps.At(name))
	}
}

func (c compiler) source(s lang.SourceSpec, ps lang.Problems) {
	needs := func(used bool, key, need string, ok bool) {
		if used && !ok {
			ps.At(key).Add("shape", "%s needs %s", key, need).Key = true
		}
	}
	if (s.Env == "") == (len(s.Path) == 0 && s.Var == "") {
		ps.Add("source", "a source is either a variable or a file").Hint = "set env, or path and key"
		return
	}
	needs(s.Env != "", "env", `gives: "default" or none`, s.What() == lang.GivesDefault)
	for _, f := range []struct {
		key  string
		used bool
	}{{"files", s.Files != ""}, {"format", s.Format != ""}, {"key", len(s.Key) > 0}} {
		needs(f.used, f.key, "a path", s.Env == "")
	}
	if s.Env != "" {
		return
	}
	if len(s.Key) == 0 {
		ps.Add("key", "the key of the model is missing").Hint = "set key"
	}
	needs(len(s.Path) == 0, "var", "a format: the file may have any name", s.Format != "")
	needs(s.Files != "", "files", `gives: "observed"`, s.What() == lang.GivesObserved)
	argvtemplate.ReservedVariable(s.Var, ps.At("var"))
	for i, file := range s.Path {
		at := ps.At("path")
		if len(s.Path) > 1 {
			at = at.At(i)
		}
		if !place.MatchString(file) {
			at.Add("path", "%q is a relative path", file).Hint = "begin it with ~/, / or the variable of a folder, $NAME/"
		}
		if s.Files == "" && s.FormatOf(file) == "" {
			at.Add("format", "the format of %q is unknown", file).Hint = `set format: "json", "jsonl" or "toml"`
		}
	}
	for _, part := range strings.Split(s.Files, "/") {
		_, err := path.Match(part, "")
		if s.Files != "" && (part == "" || part == ".." || part == "." || err != nil) {
			ps.At("files").Add("path", "%q is not a valid pattern of files", s.Files).Hint = `as in "*/session-*.jsonl"`
			break
		}
	}
	for i, key := range s.Key {
		at := ps.At("key")
		if len(s.Key) > 1 {
			at = at.At(i)
		}
		if slices.Contains(strings.Split(key, "."), "") {
			at.Add("key", "%q has an empty part", key)
		}
	}
}

// prefixes refuses two CLIs that would obey the same variables.
func (c *Catalog) prefixes(ps lang.Problems) {
	owner := map[string]string{}
	for _, cli := range c.CLIs {
		prefix := cli.ModelPrefix()
		at := ps.At("cli", cli.Name)
		if other, ok := owner[prefix]; ok {
			at.Add("prefix", "the variables %s_* about models are those of cli.%s", prefix, other).Hint = "set models.prefix"
		} else if strings.HasPrefix(prefix+"_", argvtemplate.ReservedEnv) {
			at.Add("reserved", "variables named %s* are reserved by the gateway", argvtemplate.ReservedEnv).Hint = "set models.prefix"
		}
		owner[prefix] = cli.Name
	}
}
