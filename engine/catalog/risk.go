package catalog

import "slices"

// RiskHit is a risk rule that holds for a call.
type RiskHit struct {
	ID     string `json:"id"`
	Score  int    `json:"score"`
	Reason string `json:"reason,omitempty"`
}

// Risks are the rules that hold for a call: those of its CLI, then those for all. They
// do not depend on any policy. A rule that cannot be evaluated holds: what nobody can
// judge is not safe.
func (c *Catalog) Risks(call *Call) []RiskHit {
	var hits []RiskHit
	if len(call.CLI.risk) > 0 {
		scope := call.scope()
		for i, r := range call.CLI.Risk {
			if call.CLI.risk[i].HoldsOrFails(scope) {
				hits = append(hits, RiskHit{ID: r.ID, Score: r.Score, Reason: r.Reason})
			}
		}
	}
	if len(c.rules) > 0 {
		scope := map[string]any{"cli": call.CLI.Name, "mode": string(call.Mode), "prompt": call.Prompt, "danger": call.Dangers()}
		for _, r := range c.rules {
			if r.when.HoldsOrFails(scope) {
				hits = append(hits, r.RiskHit)
			}
		}
	}
	return hits
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

// Dared are those of the dangers that the caller asked for.
func (c *Call) Dared() []string {
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
