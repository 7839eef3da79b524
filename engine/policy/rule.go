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
	Access  string   // what it may do: "read", "edit", "full", or "own" if that is left to the CLI
	Widened bool     // that is more than the first turn of its conversation had
	Place   Place    // where it runs
}

// Place is what rules may know of a working directory.
type Place struct {
	Trusted bool   // somebody has trusted it
	Outside bool   // it is in none of the directories that the client works in
	Broad   bool   // it is the root of a file system, or a home
	Loads   string // what the CLI takes from it although nobody has trusted it
}

// ruleScope is what a rule for calls of any CLI may name.
var ruleScope = extract.ScopeOf(map[string]any{"cli": "", "mode": "", "prompt": "", "danger": []string{}, "access": "", "widened": false, "trusted": false, "outside": false, "broad": false, "loads": ""})

// Hits are the rules that hold for a call. One that cannot be evaluated holds: what nobody
// can evaluate is not safe.
func (s Set) Hits(f Facts) (hits []Hit) {
	if len(s.Rules) == 0 {
		return nil
	}
	scope := map[string]any{"cli": f.CLI, "mode": string(f.Mode), "prompt": f.Prompt, "danger": f.Dangers, "access": f.Access,
		"widened": f.Widened, "trusted": f.Place.Trusted, "outside": f.Place.Outside, "broad": f.Place.Broad, "loads": f.Place.Loads}
	for _, r := range s.Rules {
		if r.when.HoldsOrFails(scope) {
			hits = append(hits, Hit{ID: r.ID, Score: r.Score, Reason: r.Reason})
		}
	}
	return hits
}
