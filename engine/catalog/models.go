package catalog

import (
	"fmt"
	"strings"

	"github.com/llm-cli-gateway/gateway/engine/catalog/argvtemplate"
	"github.com/llm-cli-gateway/gateway/engine/catalog/modelnames"
	"github.com/llm-cli-gateway/gateway/engine/lang"
)

// Declared are the models of the specs. The caller must not change them.
func (c *CLI) Declared() modelnames.Models { return c.declared }

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

// follow goes from a name to the model that it comes to; the steps are the way there.
func follow(models modelnames.Models, name, from string) (model string, steps []Step) {
	model, names := models.Follow(name, from)
	for _, n := range names {
		steps = append(steps, Step{Word: n.Name, From: n.From})
	}
	return model, steps
}

// declare makes the models of the specs, once they are checked.
func (c compiler) declare() {
	spec := c.cli.Models
	m := modelnames.Models{Aliases: make(map[string]modelnames.Named, spec.Aliases.Len())}
	for alias, to := range spec.Aliases.All() {
		m.Aliases[alias] = modelnames.Named{Name: to, From: "cli." + c.cli.Name + ".models.aliases." + alias}
	}
	if p, ok := c.cli.byName[ParamModel]; ok {
		if text, ok := p.Default.(string); ok {
			m.Default = &modelnames.Named{Name: text, From: "default of " + ParamModel}
		} else if spec.Default != "" {
			m.Default = &modelnames.Named{Name: spec.Default, From: "default of cli." + c.cli.Name + ".models"}
		}
	}
	c.cli.declared = m
}

// aliasNames are what a caller is told that it can say instead of a model. An alias that stands
// for the CLI's own default is as good as none.
func (c compiler) aliasNames(p *Param) (names []string) {
	for alias, to := range c.cli.Models.Aliases.All() {
		if to != "" {
			names = append(names, alias)
		}
	}
	if c.cli.Models.Default == "" && p.Default == nil {
		return names
	}
	for _, alias := range modelnames.StandardAliases {
		if _, known := c.cli.Models.Aliases.Get(alias); !known && p.Kind == String && p.checkText(alias) == "" {
			names = append(names, alias)
		}
	}
	return names
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
