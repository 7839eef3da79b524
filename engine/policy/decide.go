package policy

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/llm-cli-gateway/gateway/engine/lang"
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
	Strategy string  `json:"strategy"`         // Legacy or Managed
	Policy   string  `json:"policy,omitempty"` // that decided, with Managed
	Verdict  Verdict `json:"verdict"`
	Score    int     `json:"score"`
	Reasons  []Hit   `json:"reasons,omitempty"` // rules that hold, whose scores add up to Score
	Note     string  `json:"note,omitempty"`    // what else decided
}

// Question is what is decided of a call.
type Question struct {
	Strategy string // as asked for: Legacy, Managed or ""
	Policy   string // as asked for; "" for the default
	Asked    string // what asks for more than reading, in words; "" if nothing does
	Hits     []Hit  // rules that hold
}

// Managing reports whether a policy decides a call that asks for a strategy and a policy.
func Managing(settings lang.ApprovalsSpec, strategy, policy string) bool {
	return settings.Enforce || strategy == "" && policy != "" || cmp.Or(strategy, settings.Strategy, Legacy) == Managed
}

// Decide says whether a call may run. A call that names a policy is decided by it; one
// that names nothing by what the settings say.
func Decide(s Set, settings lang.ApprovalsSpec, q Question) Decision {
	if !Managing(settings, q.Strategy, q.Policy) {
		return legacy(settings.Danger, q)
	}
	name, note := cmp.Or(q.Policy, settings.Policy), ""
	if settings.Enforce {
		name, note = enforced(s, settings.Policy, q.Policy)
	}
	policy, ok := s.Policy(name)
	if !ok { // as in specs of one's own without any policy
		return Decision{Strategy: Managed, Policy: name, Verdict: Deny, Score: total(q.Hits), Reasons: q.Hits, Note: fmt.Sprintf("there is no policy %q (gateway.approvals.policy)", name)}
	}
	d := Under(policy, q.Hits)
	if note != "" {
		d.Note = strings.TrimPrefix(d.Note+"; "+note, "; ")
	}
	return d
}

// enforced is the policy where callers may only choose stricter ones than the owner.
func enforced(s Set, own, asked string) (name, note string) {
	policy, ok := s.Policy(own)
	switch {
	case asked == "" || asked == own:
		return own, ""
	case ok && policy.Covers(asked):
		return asked, ""
	}
	return own, fmt.Sprintf("%s was asked for, and gateway.approvals.enforce allows only %s and what it includes", asked, own)
}

// Under is the decision of a policy about a call for which rules hold.
func Under(p *Policy, hits []Hit) Decision {
	d := Decision{Strategy: Managed, Policy: p.Name, Score: total(hits), Reasons: hits}
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

// legacy is the decision of the settings about a call that no policy decides.
func legacy(setting string, q Question) Decision {
	d := Decision{Strategy: Legacy, Verdict: Approve, Score: total(q.Hits), Reasons: q.Hits}
	if setting == "deny" && q.Asked != "" {
		d.Verdict, d.Note = Deny, "gateway.approvals.danger denies "+q.Asked
	}
	return d
}

// Each is the decision of legacy and of each policy about a call, whichever it names.
// The reasons are the same for all, and left out.
func Each(s Set, settings lang.ApprovalsSpec, q Question) []Decision {
	all := []Decision{legacy(settings.Danger, q)}
	for _, p := range s.Policies {
		all = append(all, Under(p, q.Hits))
	}
	for i := range all {
		all[i].Reasons = nil
	}
	return all
}

// Wider are the names of the policies under which the call would run unasked and that
// its caller may name.
func Wider(s Set, settings lang.ApprovalsSpec, q Question) (names []string) {
	own, known := s.Policy(settings.Policy)
	for _, p := range s.Policies {
		allowed := !settings.Enforce || known && own.Covers(p.Name)
		if allowed && Under(p, q.Hits).Verdict == Approve {
			names = append(names, p.Name)
		}
	}
	return names
}

func total(hits []Hit) (sum int) {
	for _, hit := range hits {
		sum += hit.Score
	}
	return sum
}
