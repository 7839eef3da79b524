package catalog

import (
	"slices"

	"github.com/llm-cli-gateway/gateway/engine/lang"
	"github.com/llm-cli-gateway/gateway/engine/policy"
)

// Risks are the rules that hold for a call: those of its CLI, then those for all. They
// do not depend on any policy. A rule that cannot be evaluated holds: what cannot be
// evaluated is not safe.
func (c *Catalog) Risks(call *Call) []policy.Hit {
	var hits []policy.Hit
	if len(call.CLI.risk) > 0 {
		scope := call.scope()
		for i, r := range call.CLI.Risk {
			if call.CLI.risk[i].HoldsOrFails(scope) {
				hits = append(hits, policy.Hit{ID: r.ID, Score: r.Score, Reason: r.Reason})
			}
		}
	}
	return append(hits, c.Approval.Hits(policy.Facts{CLI: call.CLI.Name, Mode: call.Mode, Prompt: call.Prompt, Dangers: call.Dangers()})...)
}

// Question is what a policy is asked about the call.
func (c *Catalog) Question(call *Call) policy.Question {
	return policy.Question{Strategy: call.Strategy, Policy: call.Policy, Dangers: call.DangersGiven(), Hits: c.Risks(call)}
}

// approval compiles policies and the rules for all CLIs.
func (c *Catalog) approval(s *lang.Spec, vetted bool, ps lang.Problems) {
	var ids []string
	if len(c.CLIs) > 0 {
		ids = []string{}
	}
	for _, cli := range c.CLIs {
		for _, r := range cli.Risk {
			ids = append(ids, r.ID)
		}
	}
	c.Approval = policy.Compile(s, ids, vetted, ps)
}

// Dangers are the names of the parameters by which the call lets the CLI act without
// asking, be it by a default of its spec.
func (c *Call) Dangers() []string {
	names := []string{}
	for _, p := range c.CLI.params {
		if v, ok := c.values[p.Name]; ok && p.dangerous(v) {
			names = append(names, p.Name)
		}
	}
	return names
}

// DangersGiven are those of the dangers that the caller asked for.
func (c *Call) DangersGiven() []string {
	return slices.DeleteFunc(c.Dangers(), func(name string) bool { return !c.given[name] })
}

// dangerous reports whether a value of the parameter is marked as dangerous.
func (p *Param) dangerous(v any) bool {
	if p.Danger.All {
		return p.Writes(v)
	}
	switch v := v.(type) {
	case string:
		return slices.Contains(p.Danger.Values, v)
	case []string:
		return slices.ContainsFunc(v, func(item string) bool { return slices.Contains(p.Danger.Values, item) })
	}
	return false
}
