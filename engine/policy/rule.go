package policy

import (
	"github.com/llm-cli-gateway/gateway/engine/catalog/extract"
	"github.com/llm-cli-gateway/gateway/engine/lang"
)

// Rule is a rule that scores calls of all CLIs, compiled.
type Rule struct {
	ID string
	lang.RuleSpec
	when *extract.Expression
}

// Hit is a rule that holds for a call.
type Hit struct {
	ID     string `json:"id"`
	Score  int    `json:"score"`
	Reason string `json:"reason,omitempty"`
}

// Facts are what the rules for all CLIs may know of a call.
type Facts struct {
	CLI     string
	Mode    lang.Mode
	Prompt  string
	Dangers []string // parameters by which it lets the CLI act without asking
}

// ruleScope is what a rule for calls of any CLI may name.
var ruleScope = extract.ScopeOf(map[string]any{"cli": "", "mode": "", "prompt": "", "danger": []string{}})

// Hits are the rules that hold for a call. One that cannot be evaluated holds: what nobody
// can evaluate is not safe.
func (s Set) Hits(f Facts) (hits []Hit) {
	if len(s.Rules) == 0 {
		return nil
	}
	scope := map[string]any{"cli": f.CLI, "mode": string(f.Mode), "prompt": f.Prompt, "danger": f.Dangers}
	for _, r := range s.Rules {
		if r.when.HoldsOrFails(scope) {
			hits = append(hits, Hit{ID: r.ID, Score: r.Score, Reason: r.Reason})
		}
	}
	return hits
}
