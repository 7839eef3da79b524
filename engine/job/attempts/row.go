package attempts

import (
	"cmp"
	"encoding/json"
	"strings"
	"time"

	"github.com/llm-cli-gateway/gateway/engine/catalog"
	"github.com/llm-cli-gateway/gateway/engine/catalog/access"
	"github.com/llm-cli-gateway/gateway/engine/catalog/extract"
	"github.com/llm-cli-gateway/gateway/engine/lang"
	"github.com/llm-cli-gateway/gateway/engine/store"
	"github.com/llm-cli-gateway/gateway/engine/supervisor"
)

// Of is the attempt of a row that has its outcome.
func Of(row *store.Job) store.Attempt {
	o := row.Outcome
	o.Response, o.Model = "", ""
	begun := row.Begun
	if begun.IsZero() {
		begun = row.Created
	}
	if o.Ended.IsZero() {
		o.Ended = time.Now()
	}
	o.Duration = max(0, o.Ended.Sub(begun))
	return store.Attempt{Job: row.ID, N: row.N(), Begun: begun, CLI: row.CLI, CLIVersion: row.CLIVersion, Model: cmp.Or(row.Outcome.Model, row.Model), SessionID: row.SessionID, Outcome: o}
}

// PlanOf is the plan of the job of a row. Without one it has no other targets.
func PlanOf(row *store.Job) (p Plan) {
	if len(row.Plan) > 0 && json.Unmarshal(row.Plan, &p) != nil {
		p.Last = true
	}
	return p
}

// EventOf is the end of the attempt of a row, with its answer. Keeps says that conversations of
// its CLI keep what a turn said that failed.
func EventOf(row *store.Job, a extract.Answer, keeps bool) Ended {
	o := row.Outcome
	e := Ended{OK: o.Ending == store.EndOK, Class: o.ErrorClass, Passing: a.Passing || neverBegan(o), Effects: effects[a.Effects], Keeps: keeps && row.Mode != string(lang.New)}
	if o.Ending == store.EndStartFailed {
		e.Effects = EffectsNone
	}
	if f := a.Failure; f != nil {
		e.After = time.Duration(f.RetryAfterMs) * time.Millisecond
	}
	if known := catalog.AccessIn(row.Args); known != nil {
		e.Reads = known.Level == access.Read.String()
	}
	return e
}

// Repeatable reports whether to make the attempt again changes nothing twice.
func (e Ended) Repeatable() bool {
	return e.Effects == EffectsNone || e.Effects == EffectsUnknown && e.Reads
}

var effects = map[extract.Effects]Effects{extract.EffectsUnknown: EffectsUnknown, extract.EffectsNone: EffectsNone, extract.EffectsSome: EffectsSome}

// neverBegan reports whether a gateway ended before it had started the program. What could not
// be started would not start now.
func neverBegan(o store.Outcome) bool {
	return o.Ending == store.EndStartFailed && strings.HasPrefix(o.Detail, string(supervisor.NeverStarted))
}
