package extract

import (
	"cmp"

	"github.com/llm-cli-gateway/gateway/engine/lang"
)

// Effects is what is known of what a run changed.
type Effects int

// A spec may say nothing of the effects of its program. A run changed nothing, as its records
// say, or it may have changed something.
const (
	EffectsUnknown Effects = iota
	EffectsNone
	EffectsSome
)

// Whose failure it is that may pass: other calls of the CLI would fail as well, or other calls
// of the model, or none.
const (
	BlameCLI   = "cli"
	BlameModel = "model"
	BlameCall  = "call"
)

// noteTry looks at a record for what it says of effects and of tries.
func (d *decoder) noteTry(env map[string]any) {
	if out := d.out; out.effects != nil && !d.changes {
		d.changes = out.effects.Holds(env)
	}
	if d.out.tries != nil && d.out.tries.Holds(env) {
		d.tries++
	}
}

// effects is what the records say of what the run changed. One that cannot be read may have
// told of a change, and so may one that was cut off.
func (d *decoder) effects(run Run) Effects {
	switch {
	case d.out.effects == nil, d.records == 0 && d.out.spec.Output.Format == "json":
		return EffectsUnknown
	case d.changes || d.torn || d.lost > 0 || run.Cut:
		return EffectsSome
	}
	return EffectsNone
}

// tried is how often the program tried, if its spec says which records tell of that.
func (d *decoder) tried() int {
	if d.out.tries == nil || d.records == 0 {
		return 0
	}
	return d.tries + 1
}

// passing says of a failure whether it may pass, and whose it is. What the engine names itself,
// as a time that was too short, does not count: the caller can change it.
func (d *decoder) passing(f *lang.Failure, ruled *failure) (passing bool, blame string) {
	if f == nil || ruled == nil || !f.Retryable {
		return false, ""
	}
	return ruled.Retry.Yes, cmp.Or(ruled.Scope, BlameCLI)
}
