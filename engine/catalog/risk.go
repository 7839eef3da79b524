package catalog

import (
	"fmt"
	"slices"
	"strings"

	"github.com/llm-cli-gateway/gateway/engine/catalog/access"
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
	return append(hits, c.Approval.Hits(policy.Facts{
		CLI: call.CLI.Name, Mode: call.Mode, Prompt: call.Prompt, Dangers: call.Dangers(), Access: call.scored(), Widened: call.Access.Widened, Place: call.Place.facts(call.CLI),
	})...)
}

// Question is what a policy is asked about the call.
func (c *Catalog) Question(call *Call) policy.Question {
	return policy.Question{Strategy: call.Strategy, Policy: call.Policy, Asked: call.asksForMore(), Hits: c.Risks(call)}
}

// scored is the access by which rules judge the call: what it counts as, or that it is left
// to the program.
func (c *Call) scored() string {
	if c.Access.Words == access.Own {
		return access.Own
	}
	return c.Access.Level
}

// asksForMore says what in the call, or in its conversation, asks for more than reading; ""
// if nothing does. A default is nobody's wish.
func (c *Call) asksForMore() string {
	if c.Access.From == access.FromDefault && !c.Access.Explicit || access.Named(c.Access.Level) <= access.Read {
		return ""
	}
	if by, ok := strings.CutPrefix(c.Access.From, "argument "); ok && by != ParamAccess {
		return by
	}
	return fmt.Sprintf("access %q (%s)", c.scored(), c.Access.From)
}

// facts are what rules may know of the place.
func (p Place) facts(cli *CLI) policy.Place {
	facts := policy.Place{Trusted: p.Trusted, Outside: p.Outside, Broad: p.Broad}
	if !p.Trusted {
		facts.Loads = cli.Loads()
	}
	return facts
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
