package store

import "testing"

func TestWithout(t *testing.T) {
	for name, c := range map[string]struct {
		out    Outcome
		before Spent
		input  int64
		cost   float64
		scopes [2]string
	}{
		"of the call":    {Outcome{}, Spent{Usage: true, Cost: true, InputTokens: 5, CostUSD: 1}, 100, 2, [2]string{}},
		"difference":     {Outcome{UsageScope: ScopeSession, CostScope: ScopeSession}, Spent{Usage: true, Cost: true, InputTokens: 70, CostUSD: 0.5}, 30, 1.5, [2]string{}},
		"not known":      {Outcome{UsageScope: ScopeSession, CostScope: ScopeSession}, Spent{InputTokens: 70, CostUSD: 0.5}, 100, 2, [2]string{ScopeSession, ScopeSession}},
		"began anew":     {Outcome{UsageScope: ScopeSession, CostScope: ScopeSession}, Spent{Usage: true, Cost: true, InputTokens: 101, CostUSD: 3}, 100, 2, [2]string{ScopeSession, ScopeSession}},
		"each by itself": {Outcome{UsageScope: ScopeSession}, Spent{Usage: true, Cost: true, InputTokens: 70, CostUSD: 0.5}, 30, 2, [2]string{}},
	} {
		input, cost := int64(100), 2.0
		c.out.InputTokens, c.out.CostUSD = &input, &cost
		c.out.Without(c.before)
		if *c.out.InputTokens != c.input || *c.out.CostUSD != c.cost || c.out.UsageScope != c.scopes[0] || c.out.CostScope != c.scopes[1] || c.out.OutputTokens != nil {
			t.Errorf("%s: %d %v %q %q", name, *c.out.InputTokens, *c.out.CostUSD, c.out.UsageScope, c.out.CostScope)
		}
	}
}
