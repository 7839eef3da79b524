package call

import (
	"context"
	"slices"
	"time"

	"github.com/llm-cli-gateway/gateway/engine/budget"
	"github.com/llm-cli-gateway/gateway/engine/catalog"
	"github.com/llm-cli-gateway/gateway/engine/lang"
	"github.com/llm-cli-gateway/gateway/engine/store"
)

// Costs is the record of what calls have cost.
type Costs interface {
	// Costs are what counts, for each CLI and time that is asked for.
	Costs(ctx context.Context, sums []store.Costs) ([]store.Costs, error)
	// MeanCost is what the last calls of a CLI, and of a model unless that is "", have cost on
	// average since a time, and of how many calls that is the mean.
	MeanCost(ctx context.Context, cli, model string, since time.Time) (usd float64, known int, err error)
}

// Charge is what is reserved for a call in its row.
type Charge struct {
	USD float64
	Fit *store.Fit // nil: whatever others have spent, because a person said so
}

// costMemory is for how long the cost of a call tells what the next one may cost.
const costMemory = 30 * 24 * time.Hour

// budget lets a call go on as far as its budgets allow. What they allow is decided in the
// transaction that makes its row, so that a call which joins another is free, and of many at once
// only those begin for which there is money. A person may let a call begin all the same.
func (s *Service) budget(next Handler) Handler {
	return HandlerFunc(func(ctx context.Context, req *Request) (*Outcome, error) {
		cli, settings := req.Bound.CLI, req.Catalog.Settings.Budget
		limits := budget.Limits(settings, cli.Name, cli.Budget)
		if len(limits) == 0 {
			return next.Call(ctx, req)
		}
		usd, err := s.estimate(ctx, req)
		if err != nil {
			return &Outcome{Request: req, Refused: true, Failure: &lang.Failure{Class: lang.ClassRecord, Message: "it cannot be found out what calls have cost: " + err.Error(), Hint: "a call whose budget is not known is not made"}}, nil
		}
		var decision budget.Decision
		req.Charge = &Charge{USD: usd, Fit: budget.Fit(limits, usd, time.Now(), &decision)}
		out, err := next.Call(ctx, req)
		switch {
		case err != nil:
			return nil, err
		case out.Failure == nil:
			out.Job.Notes = append(out.Job.Notes, decision.Warnings()...)
			return out, nil
		case decision.Over == nil || settings.AtLimit == "refuse" || req.Ask == nil && !req.AskNextRound:
			return out, nil
		}
		req.askBeyond(decision)
		return next.Call(ctx, req)
	})
}

// askBeyond has a person decide whether the call may begin although it does not fit.
func (r *Request) askBeyond(d budget.Decision) {
	about := d.Question(r.Bound.CLI.DisplayName())
	if r.Asked == nil {
		r.Asked = asked(r, about)
	} else {
		r.Asked = &Asked{Question: r.Asked.Question + "\n" + about, Recorded: r.Asked.Recorded + "\n" + about, For: r.Asked.For}
	}
	a := *r.Approval
	a.Verdict, a.Budget = Undecided, d.Reason()
	r.Approval, r.Charge.Fit = &a, nil
}

// estimate is what the call may cost: as much as the last ones of its CLI, with its model if that
// is known.
func (s *Service) estimate(ctx context.Context, req *Request) (float64, error) {
	costs, err := s.Costs()
	if err != nil {
		return 0, err
	}
	models := []string{""}
	if req.Bound.Model != "" {
		models = []string{req.Bound.Model, ""}
	}
	for _, model := range models {
		usd, known, err := costs.MeanCost(ctx, req.Bound.CLI.Name, model, time.Now().Add(-costMemory))
		if err != nil || known > 0 {
			return usd, err
		}
	}
	return req.Catalog.Settings.Budget.EstimateUSD, nil
}

// Further lets the next attempt of a job begin, by a CLI, if that is within its budgets; nil if
// there are none, or a person has said that the call may begin. What is reserved for the job
// already counts for the attempt.
func Further(c *catalog.Catalog, cli *catalog.CLI, row store.Job) *store.Fit {
	limits := budget.Limits(c.Settings.Budget, cli.Name, cli.Budget)
	if len(limits) == 0 || row.Reserved == nil || readApproval(row.Approval).Budget != "" {
		return nil
	}
	usd := *row.Reserved / float64(row.N()+1) // as much for each attempt
	fit := budget.Fit(limits, usd, time.Now(), new(budget.Decision))
	check := fit.Check
	fit.Check = func(sums []store.Costs) error {
		others := slices.Clone(sums)
		for i, sum := range sums {
			if !row.Created.Before(sum.Since) && (sum.CLI == "" || sum.CLI == row.CLI) {
				others[i].Reserved = max(0, sum.Reserved-usd)
			}
		}
		return check(others)
	}
	return fit
}

// Limits are all that a catalog sets to what calls may cost.
func Limits(c *catalog.Catalog) []budget.Limit {
	limits := budget.Limits(c.Settings.Budget, "", lang.BudgetSpec{})
	for _, cli := range c.CLIs {
		limits = append(limits, budget.Limits(lang.GatewayBudget{}, cli.Name, cli.Budget)...)
	}
	return limits
}

// Budgets are the limits of a catalog, with what counts against each now.
func (s *Service) Budgets(ctx context.Context, c *catalog.Catalog) ([]budget.Use, error) {
	limits := Limits(c)
	if len(limits) == 0 {
		return nil, nil
	}
	costs, err := s.Costs()
	if err != nil {
		return nil, err
	}
	sums, err := costs.Costs(ctx, budget.Sums(limits, time.Now()))
	if err != nil {
		return nil, err
	}
	return budget.Uses(limits, sums), nil
}
