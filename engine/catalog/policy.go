package catalog

import (
	"slices"
	"strings"

	"github.com/llm-cli-gateway/gateway/engine/catalog/extract"
	"github.com/llm-cli-gateway/gateway/engine/lang"
	"github.com/llm-cli-gateway/gateway/engine/text"
)

// Strategies of approval.
const (
	Legacy  = "legacy"      // the call runs as it was asked for
	Managed = "mcp_managed" // a policy decides whether it runs
)

// Policy is a policy of approval, compiled.
type Policy struct {
	Name string
	lang.PolicySpec
	within []string // itself, and the stricter policies that it includes
}

// Limit is the highest score that is not denied: it is approved, or a person decides.
func (p *Policy) Limit() int {
	if p.Ask == nil || p.Human == "deny" {
		return p.Approve
	}
	return max(p.Approve, *p.Ask)
}

// Covers reports whether the policy approves whatever that of the name approves, as the
// specs promise and vet has checked. A policy covers itself.
func (p *Policy) Covers(name string) bool { return slices.Contains(p.within, name) }

// rule is a risk rule for all CLIs.
type rule struct {
	RiskHit
	when *extract.Expression
}

// ruleScope is what a rule for calls of any CLI may name.
var ruleScope = extract.ScopeOf(map[string]any{"cli": "", "mode": "", "prompt": "", "danger": []string{}})

// NamedRule is a rule that scores calls of all CLIs.
type NamedRule struct {
	ID string
	lang.RuleSpec
}

// Rules are those for all CLIs, in the order of the specs.
func (c *Catalog) Rules() (all []NamedRule) {
	for _, r := range c.rules {
		named := NamedRule{r.ID, lang.RuleSpec{Score: r.Score, Reason: r.Reason}}
		named.When = r.when.Source()
		all = append(all, named)
	}
	return all
}

// Policy returns the policy of that name.
func (c *Catalog) Policy(name string) (*Policy, bool) {
	i := slices.IndexFunc(c.Policies, func(p *Policy) bool { return p.Name == name })
	if i < 0 {
		return nil, false
	}
	return c.Policies[i], true
}

// approval compiles the policies and the rules for all CLIs.
func (c *Catalog) approval(s *lang.Spec, vetted bool, ps lang.Problems) {
	for name, spec := range s.Risk.All() {
		e := extract.Condition(spec.When, ruleScope, vetted, ps.At("risk", name, "when"))
		c.rules = append(c.rules, rule{RiskHit{ID: name, Score: spec.Score, Reason: spec.Reason}, e})
	}
	for name, spec := range s.Policy.All() {
		p := &Policy{Name: name, PolicySpec: spec, within: []string{name}}
		c.Policies = append(c.Policies, p)
		at := ps.At("policy", name)
		if p.Ask != nil && *p.Ask < p.Approve {
			at.At("ask").Add("bounds", "ask %d is below approve %d, so nobody would ever be asked", *p.Ask, p.Approve)
		}
		c.denies(p, s, at.At("deny"))
	}
	for _, p := range c.Policies {
		c.includes(p, ps.At("policy", p.Name))
	}
	// Settings may be compiled alone, when nothing else of the specs has changed.
	if name := s.Gateway.Approvals.Policy; name != "" && len(c.Policies) > 0 {
		if _, ok := c.Policy(name); !ok {
			ps.At("gateway", "approvals", "policy").Add("relation", "unknown policy %q", name).Hint = c.otherPolicy(name)
		}
	}
}

func (c *Catalog) otherPolicy(name string) string {
	names := []string{}
	for _, p := range c.Policies {
		names = append(names, p.Name)
	}
	if near := text.DidYouMean(name, names); near != "" {
		return near
	}
	return "there are " + strings.Join(names, ", ")
}

// denies warns of a rule that there is not: what was meant to deny would not. It is no
// error, because the rule may have gone with the CLI that somebody took away.
func (c *Catalog) denies(p *Policy, s *lang.Spec, ps lang.Problems) {
	ids := slices.Clone(s.Risk.Keys())
	for _, cli := range c.CLIs {
		for _, r := range cli.Risk {
			ids = append(ids, r.ID)
		}
	}
	for i, id := range p.Deny {
		if len(c.CLIs) > 0 && !slices.Contains(ids, id) {
			problem := ps.At(i).Add("relation", "no risk rule has the id %q", id)
			problem.Hint, problem.Warning = text.DidYouMean(id, ids), true
		}
	}
}

// includes holds a policy against the stricter one that it includes. All policies score
// alike, so that bounds and rules can be compared.
func (c *Catalog) includes(p *Policy, ps lang.Problems) {
	at := ps.At("includes")
	name := p.Includes
	stricter, ok := c.Policy(name)
	switch {
	case name == "":
		return
	case !ok:
		at.Add("relation", "unknown policy %q", name).Hint = c.otherPolicy(name)
		return
	}
	for next := stricter; next != nil; next, _ = c.Policy(next.Includes) {
		if slices.Contains(p.within, next.Name) {
			at.Add("cycle", "the policies include each other: %s", strings.Join(append(p.within, next.Name), ", "))
			return
		}
		p.within = append(p.within, next.Name)
	}
	if p.Approve < stricter.Approve {
		ps.At("approve").Add("policy", "approves up to %d, but %q, which it includes, up to %d", p.Approve, name, stricter.Approve)
	}
	if p.Limit() < stricter.Limit() {
		ps.Add("policy", "denies from %d on, but %q, which it includes, lets a person approve up to %d", p.Limit()+1, name, stricter.Limit()).Key = true
	}
	for i, id := range p.Deny {
		if !slices.Contains(stricter.Deny, id) {
			ps.At("deny", i).Add("policy", "denies %q always, but %q, which it includes, does not", id, name)
		}
	}
}
