package engine

import (
	"context"
	"strings"
	"time"

	"github.com/llm-cli-gateway/gateway/engine/budget"
	"github.com/llm-cli-gateway/gateway/engine/call"
	"github.com/llm-cli-gateway/gateway/engine/store/sqlite"
)

// budgets says what calls may cost and what counts against it, and by which prices costs are
// reckoned.
func (d *doctor) budgets(ctx context.Context) (found []Finding) {
	limits := call.Limits(d.catalog)
	now := time.Now()
	sums := budget.Sums(limits, now)
	if path := d.engine.record.path; path != "" && len(limits) > 0 {
		counted, err := sqlite.InspectCosts(ctx, path, sums)
		if err != nil {
			return []Finding{{Area: AreaBudgets, Name: "costs", State: FindingProblem, Text: "what calls have cost cannot be read: " + err.Error(), Fix: "until this is solved no call is made that has a budget"}}
		}
		sums = counted
	} else if len(limits) > 0 {
		found = append(found, Finding{Area: AreaBudgets, Name: "costs", State: FindingNote, Text: "jobs are kept in memory only, so that each gateway counts its own calls", Fix: "set gateway.jobs.db to a database"})
	}
	for _, u := range budget.Uses(limits, sums) {
		f := Finding{Area: AreaBudgets, Name: u.Setting(), State: FindingOK, Text: u.State(now)}
		switch {
		case u.Reached():
			f.State, f.Fix = FindingNote, "until then a person decides about each call, or it is refused; a person can raise "+u.Setting()
		case u.Near():
			f.State = FindingNote
		}
		found = append(found, f)
	}
	for _, cli := range d.catalog.CLIs {
		var prices []string
		for name, p := range cli.Models.Prices.All() {
			prices = append(prices, name+" of "+p.AsOf)
		}
		if len(prices) > 0 {
			found = append(found, Finding{Area: AreaBudgets, Name: cli.Name, Title: cli.DisplayName(), State: FindingOK, Text: "prices: " + strings.Join(prices, ", ")})
		}
	}
	return found
}
