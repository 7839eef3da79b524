// Package gate decides whether a call may run. It has one question, to which approve,
// deny and "a person decides" are the answers, and gives the reasons.
//
// It hides how strategy, policy and score come together. It decides about what was
// asked for and can change nothing of it: neither does it return a call, nor does
// rendering one look at what it said. It must not read or write anything, nor know how
// a person is asked.
package policy

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/llm-cli-gateway/gateway/engine/catalog"
)

// Verdict is what is said of a call.
type Verdict string

const (
	Approve Verdict = "approve"
	Human   Verdict = "human" // a person decides
	Deny    Verdict = "deny"
)

// Decision is a verdict and how it came about.
type Decision struct {
	Strategy string            `json:"strategy"`         // plan.Legacy or plan.Managed
	Policy   string            `json:"policy,omitempty"` // that decided, with plan.Managed
	Verdict  Verdict           `json:"verdict"`
	Score    int               `json:"score"`
	Reasons  []catalog.RiskHit `json:"reasons,omitempty"` // rules that hold, whose scores add up to Score
	Note     string            `json:"note,omitempty"`    // what else decided
}

// Decide says whether a call may run. A call that names a policy is decided by it; one
// that names nothing by what the settings say.
func Decide(c *catalog.Catalog, call *catalog.Call) Decision {
	set := c.Settings.Approvals
	strategy := cmp.Or(call.Strategy, set.Strategy, catalog.Legacy)
	if call.Strategy == "" && call.Policy != "" || set.Enforce {
		strategy = catalog.Managed
	}
	hits := c.Risks(call)
	if strategy != catalog.Managed {
		return legacy(set.Danger, call.Dared(), hits)
	}
	name, note := cmp.Or(call.Policy, set.Policy), ""
	if set.Enforce {
		name, note = enforced(c, set.Policy, call.Policy)
	}
	policy, ok := c.Policy(name)
	if !ok { // as in specs of one's own without any policy
		return Decision{Strategy: catalog.Managed, Policy: name, Verdict: Deny, Score: total(hits), Reasons: hits, Note: fmt.Sprintf("there is no policy %q (gateway.approvals.policy)", name)}
	}
	d := Under(policy, hits)
	if note != "" {
		d.Note = strings.TrimPrefix(d.Note+"; "+note, "; ")
	}
	return d
}

// enforced is the policy where callers may only choose stricter ones than the owner.
func enforced(c *catalog.Catalog, own, asked string) (name, note string) {
	policy, ok := c.Policy(own)
	switch {
	case asked == "" || asked == own:
		return own, ""
	case ok && policy.Covers(asked):
		return asked, ""
	}
	return own, fmt.Sprintf("%s was asked for, and gateway.approvals.enforce allows only %s and what it includes", asked, own)
}

// Under is what a policy says of a call for which rules hold.
func Under(p *catalog.Policy, hits []catalog.RiskHit) Decision {
	d := Decision{Strategy: catalog.Managed, Policy: p.Name, Score: total(hits), Reasons: hits}
	switch {
	case d.Score <= p.Approve:
		d.Verdict = Approve
	case d.Score <= p.Limit():
		d.Verdict = Human
	default:
		d.Verdict = Deny
	}
	for _, hit := range hits {
		if slices.Contains(p.Deny, hit.ID) {
			d.Verdict, d.Note = Deny, fmt.Sprintf("%s denies %q whatever the score", p.Name, hit.ID)
			break
		}
	}
	return d
}

// legacy is what the settings say of a call that no policy decides.
func legacy(setting string, dared []string, hits []catalog.RiskHit) Decision {
	d := Decision{Strategy: catalog.Legacy, Verdict: Approve, Score: total(hits), Reasons: hits}
	if setting == "deny" && len(dared) > 0 {
		d.Verdict, d.Note = Deny, "gateway.approvals.danger denies "+strings.Join(dared, ", ")
	}
	return d
}

// Each is what legacy and each of the policies would say of a call, whatever it names.
// The reasons are the same for all, and left out.
func Each(c *catalog.Catalog, call *catalog.Call) []Decision {
	hits := c.Risks(call)
	all := []Decision{legacy(c.Settings.Approvals.Danger, call.Dared(), hits)}
	for _, p := range c.Policies {
		all = append(all, Under(p, hits))
	}
	for i := range all {
		all[i].Reasons = nil
	}
	return all
}

// Wider are the names of the policies under which the call would run unasked and that
// its caller may name.
func Wider(c *catalog.Catalog, call *catalog.Call) (names []string) {
	set := c.Settings.Approvals
	hits := c.Risks(call)
	own, known := c.Policy(set.Policy)
	for _, p := range c.Policies {
		allowed := !set.Enforce || known && own.Covers(p.Name)
		if allowed && Under(p, hits).Verdict == Approve {
			names = append(names, p.Name)
		}
	}
	return names
}

func total(hits []catalog.RiskHit) (sum int) {
	for _, hit := range hits {
		sum += hit.Score
	}
	return sum
}
