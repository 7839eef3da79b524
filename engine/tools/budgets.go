package tools

import (
	"context"
	"slices"
	"time"
)

// Budget is what calls may cost in a window, and what counts against it, in US dollars.
type Budget struct {
	Setting      string  `json:"setting"` // that says it, as in gateway.budget.day
	LimitUSD     float64 `json:"limitUsd"`
	SpentUSD     float64 `json:"spentUsd"`
	EstimatedUSD float64 `json:"estimatedUsd,omitempty"` // the part of it that no program told
	ReservedUSD  float64 `json:"reservedUsd,omitempty"`  // for calls that have not ended
	Resets       string  `json:"resets"`

	text string
}

// addBudgets adds what is spent of budgets to a status, or why that is not known.
func (t *Tools) addBudgets(ctx context.Context, s *Status) {
	uses, err := t.Calls.Budgets(ctx, t.Catalog())
	if err != nil {
		s.Warnings = append(slices.Clone(s.Warnings), "It cannot be found out what is spent of the budgets: "+err.Error())
	}
	now := time.Now()
	for _, u := range uses {
		s.Budgets = append(s.Budgets, Budget{Setting: u.Setting(), LimitUSD: u.USD, SpentUSD: u.Spent, EstimatedUSD: u.Estimated, ReservedUSD: u.Reserved,
			Resets: u.Window.End(now).Format(time.RFC3339), text: u.Setting() + ": " + u.State(now) + "."})
	}
}
