package catalog

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/llm-cli-gateway/gateway/engine/catalog/extract"
	"github.com/llm-cli-gateway/gateway/engine/catalog/optimize"
	"github.com/llm-cli-gateway/gateway/engine/lang"
	"github.com/llm-cli-gateway/gateway/engine/text"
)

// optimizePrompt makes the prompt shorter where the call asks for it, before anything else is
// made of the prompt. What follows, the key of the call included, knows no other.
func (b *binder) optimizePrompt() {
	wanted, _ := b.values[ParamOptimizePrompt].(bool)
	if !wanted || slices.ContainsFunc(b.wrong, func(v Violation) bool { return v.Param == ParamPrompt }) {
		return
	}
	short, saved := b.cli.globals.prompt.Save(b.call.Prompt)
	if text := b.unfit(short); text != "" {
		short, saved.After, saved.Note = b.call.Prompt, saved.Before, "it was left as it is: shortened it would "+text
	}
	b.call.Prompt, b.call.Saved = short, &saved
}

// unfit says what a shortened prompt would be that the prompt is not; "" if nothing.
func (b *binder) unfit(short string) string {
	spec := b.cli.CLISpec.Prompt
	switch least, _ := spec.Bounds(); {
	case utf8.RuneCountInString(short) < least:
		return fmt.Sprintf("have fewer than the %s characters that %s needs", text.Number(float64(least)), b.cli.DisplayName())
	case slices.Contains(spec.Expands, "/command") && begins(short) && !begins(b.call.Prompt):
		return "be a command of " + b.cli.DisplayName()
	}
	return ""
}

// begins reports whether a prompt may be taken for a command.
func begins(prompt string) bool { return strings.HasPrefix(strings.TrimSpace(prompt), "/") }

// OptimizeAnswer shortens what is shown of an answer, where the call asks for it. What is shown of
// records is left as it is, and so is Text, which is what the CLI said.
func (c *Call) OptimizeAnswer(a *extract.Answer) {
	o := c.CLI.globals.response
	if !c.optimizesAnswer || o == nil || c.Show != "answer" {
		return
	}
	shown, saved := o.Save(a.Text)
	a.Shown, a.Saved = shown, &saved
}

// optimizers are those that calls can ask for, nil where there is none.
type optimizers struct{ prompt, response *optimize.Optimizer }

// specs are what they were compiled from.
func (o optimizers) specs() [2]lang.OptimizerSpec {
	var specs [2]lang.OptimizerSpec
	for i, one := range []*optimize.Optimizer{o.prompt, o.response} {
		if one != nil {
			specs[i] = one.OptimizerSpec
		}
	}
	return specs
}

// optimizers compiles all optimizers, and finds those that the settings name.
func (c *Catalog) optimizers(s *lang.Spec, vetted bool, ps lang.Problems) optimizers {
	c.Optimizers = optimize.Compile(s.Optimizer, vetted, ps.At("optimizer"))
	named := s.Gateway.Optimizers
	return optimizers{
		prompt:   optimize.Find(c.Optimizers, named.Prompt, ps.At("gateway", "optimizers", "prompt")),
		response: optimize.Find(c.Optimizers, named.Response, ps.At("gateway", "optimizers", "response")),
	}
}
