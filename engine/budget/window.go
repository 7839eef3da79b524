package budget

import (
	"time"

	"github.com/llm-cli-gateway/gateway/engine/lang"
	"github.com/llm-cli-gateway/gateway/engine/store"
)

// Window is a span of time by the calendar, in the time zone of the times it is given.
type Window string

// The windows.
const (
	Day   Window = "day"
	Month Window = "month"
)

// Start is when the window began in which t lies.
func (w Window) Start(t time.Time) time.Time { return w.start(t, 0) }

// End is when the window ends in which t lies, and the next one begins.
func (w Window) End(t time.Time) time.Time { return w.start(t, 1) }

// start is when the window begins that comes n after that of t.
func (w Window) start(t time.Time, n int) time.Time {
	year, month, day := t.Date()
	if w == Month {
		return time.Date(year, month+time.Month(n), 1, 0, 0, 0, 0, t.Location())
	}
	return time.Date(year, month, day+n, 0, 0, 0, 0, t.Location())
}

// Limit is what calls may cost in a window.
type Limit struct {
	CLI    string // whose calls; "": those of all
	Window Window
	USD    float64
}

// Setting is the path of the setting that says it.
func (l Limit) Setting() string {
	if l.CLI == "" {
		return "gateway.budget." + string(l.Window)
	}
	return "cli." + l.CLI + ".budget." + string(l.Window)
}

// Sums are the costs that must be known to decide by limits at a time, in their order.
func Sums(limits []Limit, now time.Time) []store.Costs {
	sums := make([]store.Costs, len(limits))
	for i, l := range limits {
		sums[i] = store.Costs{CLI: l.CLI, Since: l.Window.Start(now)}
	}
	return sums
}

// Uses are limits with what counts against each, as Sums asks for it.
func Uses(limits []Limit, sums []store.Costs) []Use {
	uses := make([]Use, len(limits))
	for i, l := range limits {
		uses[i] = Use{Limit: l, Spent: sums[i].Spent, Reserved: sums[i].Reserved, Estimated: sums[i].Estimated}
	}
	return uses
}

// Fit lets a call of an estimated cost begin if it is within the limits when its row is made; the
// error is an *Exceeded otherwise. What is decided then is put into decision.
func Fit(limits []Limit, usd float64, now time.Time, decision *Decision) *store.Fit {
	return &store.Fit{Sums: Sums(limits, now), Check: func(sums []store.Costs) error {
		*decision = Decide(Uses(limits, sums), usd, now)
		return decision.Err()
	}}
}

// Limits are those that a call of a CLI must keep: of all CLIs, then its own.
func Limits(all lang.GatewayBudget, cli string, own lang.BudgetSpec) (limits []Limit) {
	for _, l := range []struct {
		cli        string
		day, month *float64
	}{{"", all.Day, all.Month}, {cli, own.Day, own.Month}} {
		if l.day != nil {
			limits = append(limits, Limit{l.cli, Day, *l.day})
		}
		if l.month != nil {
			limits = append(limits, Limit{l.cli, Month, *l.month})
		}
	}
	return limits
}
