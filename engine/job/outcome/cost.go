package outcome

import (
	"cmp"

	"github.com/llm-cli-gateway/gateway/engine/budget"
	"github.com/llm-cli-gateway/gateway/engine/catalog"
	"github.com/llm-cli-gateway/gateway/engine/catalog/extract"
	"github.com/llm-cli-gateway/gateway/engine/store"
)

// Price reckons what a call has cost whose program did not say so, out of its tokens and the
// prices of its model, and marks that as an estimate: in the end of its row, and in its answer.
// Where the tokens of the call or a price are not known, neither is the cost. bound is nil if
// there is no spec any more.
func Price(bound *catalog.Call, row store.Job, end *store.Outcome, a *extract.Answer) {
	if bound == nil || end.CostUSD != nil || end.UsageScope != "" {
		return
	}
	tokens := budget.Tokens{Input: end.InputTokens, Output: end.OutputTokens, CacheRead: end.CacheReadTokens, CacheWrite: end.CacheWriteTokens}
	if usd, known := budget.Cost(bound.CLI.Models.Prices, cmp.Or(end.Model, row.Model), tokens, bound.CLI.Output.Usage.InputCached); known {
		end.CostUSD, end.CostEstimated = &usd, true
		a.CostUSD, a.Estimated = &usd, true
	}
}

// Unstarted notes that a call for which something is reserved has cost nothing, because its program
// was not started.
func Unstarted(row store.Job, end *store.Outcome) {
	if row.Reserved != nil && row.N() == 1 {
		end.CostUSD = new(float64)
	}
}
