package catalog

import (
	"slices"
	"strings"
)

// Strategies of approval.
const (
	Legacy  = "legacy"      // the call runs as it was asked for
	Managed = "mcp_managed" // a policy decides whether it runs
)

// Policy is a policy of approval, compiled.
type Policy struct {
	Name string
	PolicySpec
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
	when *expression
}

// NamedRule is a rule that scores calls of all CLIs.
type NamedRule struct {
	ID string
	RuleSpec
}

// Rules are those for all CLIs, in the order of the specs.
func (c *Catalog) Rules() (all []NamedRule) {
	for _, r := range c.rules {
		named := NamedRule{r.ID, RuleSpec{Score: r.Score, Reason: r.Reason}}
		if r.when != nil {
			named.When = r.when.src
		}
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
func (c *Catalog) approval(s *Spec, vetted bool, ps problems) {
	for name, spec := range s.Risk.All() {
		e := compiler{vetted: vetted}.expression(&expression{src: spec.When, scope: ruleScope, want: asBool}, ps.at("risk", name, "when"))
		c.rules = append(c.rules, rule{RiskHit{ID: name, Score: spec.Score, Reason: spec.Reason}, e})
	}
	for name, spec := range s.Policy.All() {
		p := &Policy{Name: name, PolicySpec: spec, within: []string{name}}
		c.Policies = append(c.Policies, p)
		at := ps.at("policy", name)
		if p.Ask != nil && *p.Ask < p.Approve {
			at.at("ask").add("bounds", "ask %d is below approve %d, so nobody would ever be asked", *p.Ask, p.Approve)
		}
		c.denies(p, s, at.at("deny"))
	}
	for _, p := range c.Policies {
		c.includes(p, ps.at("policy", p.Name))
	}
	// Settings may be compiled alone, when nothing else of the specs has changed.
	if name := s.Gateway.Approvals.Policy; name != "" && len(c.Policies) > 0 {
		if _, ok := c.Policy(name); !ok {
			ps.at("gateway", "approvals", "policy").add("relation", "unknown policy %q", name).Hint = c.otherPolicy(name)
		}
	}
}

func (c *Catalog) otherPolicy(name string) string {
	names := []string{}
	for _, p := range c.Policies {
		names = append(names, p.Name)
	}
	if near := didYouMean(name, names); near != "" {
		return near
	}
	return "there are " + strings.Join(names, ", ")
}

// denies warns of a rule that there is not: what was meant to deny would not. It is no
// error, because the rule may have gone with the CLI that somebody took away.
func (c *Catalog) denies(p *Policy, s *Spec, ps problems) {
	ids := slices.Clone(s.Risk.Keys())
	for _, cli := range c.CLIs {
		for _, r := range cli.Risk {
			ids = append(ids, r.ID)
		}
	}
	for i, id := range p.Deny {
		if len(c.CLIs) > 0 && !slices.Contains(ids, id) {
			problem := ps.at(i).add("relation", "no risk rule has the id %q", id)
			problem.Hint, problem.Warning = didYouMean(id, ids), true
		}
	}
}

// includes holds a policy against the stricter one that it includes. All policies score
// alike, so that bounds and rules can be compared.
func (c *Catalog) includes(p *Policy, ps problems) {
	at := ps.at("includes")
	name := p.Includes
	stricter, ok := c.Policy(name)
	switch {
	case name == "":
		return
	case !ok:
		at.add("relation", "unknown policy %q", name).Hint = c.otherPolicy(name)
		return
	}
	for next := stricter; next != nil; next, _ = c.Policy(next.Includes) {
		if slices.Contains(p.within, next.Name) {
			at.add("cycle", "the policies include each other: %s", strings.Join(append(p.within, next.Name), ", "))
			return
		}
		p.within = append(p.within, next.Name)
	}
	if p.Approve < stricter.Approve {
		ps.at("approve").add("policy", "approves up to %d, but %q, which it includes, up to %d", p.Approve, name, stricter.Approve)
	}
	if p.Limit() < stricter.Limit() {
		ps.add("policy", "denies from %d on, but %q, which it includes, lets a person approve up to %d", p.Limit()+1, name, stricter.Limit()).Key = true
	}
	for i, id := range p.Deny {
		if !slices.Contains(stricter.Deny, id) {
			ps.at("deny", i).add("policy", "denies %q always, but %q, which it includes, does not", id, name)
		}
	}
}
