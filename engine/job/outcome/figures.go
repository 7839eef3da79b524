package outcome

import (
	"context"

	"github.com/llm-cli-gateway/gateway/engine/catalog/extract"
	"github.com/llm-cli-gateway/gateway/engine/store"
)

// A program may count what it uses since its conversation began. Callers and records are told
// what a call used, as far as the turns before it are on record.

// Record is what PerCall needs of the record.
type Record interface {
	// Spent is what the turns of a conversation used before a job.
	Spent(ctx context.Context, principal, cli, native, before string) (store.Spent, error)
}

// PerCall makes figures of a conversation figures of the call that has ended: in the end of
// its row, and in its answer. Where the record cannot be read they stay marked as they are.
func PerCall(records Record, row store.Job, end *store.Outcome, a *extract.Answer) {
	if end.UsageScope+end.CostScope == "" || end.NativeSessionID == "" {
		return
	}
	before, err := records.Spent(context.Background(), row.Principal, row.CLI, end.NativeSessionID, row.ID)
	if err != nil {
		return
	}
	end.Without(before)
	SetFigures(a, *end)
}

// SetFigures puts the figures of a row into an answer.
func SetFigures(a *extract.Answer, o store.Outcome) {
	a.Usage = map[string]int64{}
	for name, n := range map[string]*int64{
		extract.UsageInput: o.InputTokens, extract.UsageOutput: o.OutputTokens, extract.UsageCacheRead: o.CacheReadTokens,
		extract.UsageCacheWrite: o.CacheWriteTokens, extract.UsageReasoning: o.ReasoningTokens,
	} {
		if n != nil {
			a.Usage[name] = *n
		}
	}
	a.CostUSD, a.Scope, a.CostScope, a.Estimated = o.CostUSD, o.UsageScope, o.CostScope, o.CostEstimated
}

// Total adds to the end of a job, and to its answer, what the attempts before have used.
func Total(before []store.Attempt, end *store.Outcome, a *extract.Answer) {
	for _, attempt := range before {
		end.Use(attempt.Outcome)
	}
	scope, costScope := a.Scope, a.CostScope
	SetFigures(a, *end)
	a.Scope, a.CostScope = scope, costScope
}
