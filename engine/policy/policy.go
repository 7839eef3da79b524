package policy

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

// Set is the policies and the rules for all CLIs, compiled.
type Set struct {
	Policies []*Policy // in the order of the specs
	Rules    []Rule    // likewise
}

// Policy returns the policy of that name.
func (s Set) Policy(name string) (*Policy, bool) {
	i := slices.IndexFunc(s.Policies, func(p *Policy) bool { return p.Name == name })
	if i < 0 {
		return nil, false
	}
	return s.Policies[i], true
}

// Compile compiles the policies and the rules for all CLIs. The rules of the CLIs
// themselves have the given ids; nil means that no CLI is known. Conditions that were vetted
// are left to their first use.
func Compile(spec *lang.Spec, cliRules []string, vetted bool, ps lang.Problems) Set {
	var s Set
	for name, rule := range spec.Risk.All() {
		s.Rules = append(s.Rules, Rule{name, rule, extract.Condition(rule.When, ruleScope, vetted, ps.At("risk", name, "when"))})
	}
	for name, policy := range spec.Policy.All() {
		p := &Policy{Name: name, PolicySpec: policy, within: []string{name}}
		s.Policies = append(s.Policies, p)
		at := ps.At("policy", name)
		if p.Ask != nil && *p.Ask < p.Approve {
			at.At("ask").Add("bounds", "ask %d is below approve %d, so nobody would ever be asked", *p.Ask, p.Approve)
		}
		if cliRules != nil {
			denies(p, slices.Concat(spec.Risk.Keys(), cliRules), at.At("deny"))
		}
	}
	for _, p := range s.Policies {
		s.includes(p, ps.At("policy", p.Name))
	}
	// Settings may be compiled alone, when nothing else of the specs has changed.
	if name := spec.Gateway.Approvals.Policy; name != "" && len(s.Policies) > 0 {
		if _, ok := s.Policy(name); !ok {
			ps.At("gateway", "approvals", "policy").Add("relation", "unknown policy %q", name).Hint = s.otherPolicy(name)
		}
	}
	return s
}

func (s Set) otherPolicy(name string) string {
	names := []string{}
	for _, p := range s.Policies {
		names = append(names, p.Name)
	}
	if near := text.DidYouMean(name, names); near != "" {
		return near
	}
	return "there are " + strings.Join(names, ", ")
}

// denies warns of a rule that there is not: what was meant to deny would not. It is no
// error, because the rule may have been removed with its CLI.
func denies(p *Policy, ids []string, ps lang.Problems) {
	for i, id := range p.Deny {
		if !slices.Contains(ids, id) {
			problem := ps.At(i).Add("relation", "no risk rule has the id %q", id)
			problem.Hint, problem.Warning = text.DidYouMean(id, ids), true
		}
	}
}

// includes holds a policy against the stricter one that it includes. All policies score
// alike, so that bounds and rules can be compared.
func (s Set) includes(p *Policy, ps lang.Problems) {
	at := ps.At("includes")
	name := p.Includes
	stricter, ok := s.Policy(name)
	switch {
	case name == "":
		return
	case !ok:
		at.Add("relation", "unknown policy %q", name).Hint = s.otherPolicy(name)
		return
	}
	for next := stricter; next != nil; next, _ = s.Policy(next.Includes) {
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
