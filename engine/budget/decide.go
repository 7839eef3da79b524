package budget

import (
	"fmt"
	"strings"
	"time"

	"github.com/llm-cli-gateway/gateway/engine/lang"
)

// warnAt is the part of a limit from which on there is a warning.
const warnAt = 0.8

// rounding is by how many US dollars sums of costs may be off.
const rounding = 1e-9

// Use is a limit and what counts against it, in US dollars.
type Use struct {
	Limit
	Spent     float64 // by calls that have ended
	Reserved  float64 // for calls that have not
	Estimated float64 // the part of what is spent that nobody has told
}

// Counts is what is spent or reserved.
func (u Use) Counts() float64 { return u.Spent + u.Reserved }

// fits reports whether a call of that cost may begin. The last one may exceed the limit, if
// nothing is reserved beside it: else what is left would never be used, and of a limit below the
// cost of a call nothing. Where the limit is reached nothing is left for a call that costs
// nothing, either.
func (u Use) fits(usd float64) bool {
	return !u.Reached() && (u.Counts()+usd <= u.USD+rounding || u.Reserved == 0)
}

// Decision says whether a call may begin.
type Decision struct {
	// Over is the limit that the call would exceed; of several the one that holds longest. It
	// is nil if the call may begin.
	Over *Use
	// Near are limits of which little is left once the call has been made.
	Near []Use

	usd float64 // of the call
	now time.Time
}

// Decide decides about a call of an estimated cost at a time, whose zone is that of the windows.
func Decide(uses []Use, usd float64, now time.Time) Decision {
	d := Decision{usd: usd, now: now}
	for _, u := range uses {
		switch {
		case !u.fits(usd):
			if d.Over == nil || u.Window.End(now).After(d.Over.Window.End(now)) {
				d.Over = &u
			}
		case u.Counts()+usd >= warnAt*u.USD-rounding:
			d.Near = append(d.Near, u)
		}
	}
	return d
}

// Err is the decision as an error: an *Exceeded, or nil if the call may begin.
func (d Decision) Err() error {
	if d.Over == nil {
		return nil
	}
	return &Exceeded{d}
}

// Exceeded says that a call did not fit into a budget.
type Exceeded struct{ Decision Decision }

func (e *Exceeded) Error() string { return e.Decision.Reason() }

// Warnings say which limits are near, one each.
func (d Decision) Warnings() (list []string) {
	for _, u := range d.Near {
		list = append(list, fmt.Sprintf("%.0f %% of %s", 100*(u.Counts()+d.usd)/u.USD, d.state(u)))
	}
	return list
}

// Reason says why the call may not begin; "" if it may.
func (d Decision) Reason() string {
	if d.Over == nil {
		return ""
	}
	return "this call, which is taken to cost " + Dollars(d.usd) + ", does not fit into " + d.state(*d.Over)
}

// state is a limit, and how much of it is used.
func (d Decision) state(u Use) string {
	whose := "all CLIs"
	if u.CLI != "" {
		whose = u.CLI
	}
	return fmt.Sprintf("the budget of the %s for %s (%s): %s", u.Window, whose, u.Setting(), u.State(d.now))
}

// Near reports whether little is left.
func (u Use) Near() bool { return u.Counts() >= warnAt*u.USD-rounding }

// Reached reports whether nothing is left.
func (u Use) Reached() bool { return u.Counts() >= u.USD-rounding }

// State is what counts against the limit at a time, and until when, in words.
func (u Use) State(now time.Time) string {
	text := Dollars(u.Spent) + " spent"
	if u.Estimated > 0 {
		text += ", of which " + Dollars(u.Estimated) + " estimated,"
	}
	if u.Reserved > 0 {
		text += " and " + Dollars(u.Reserved) + " reserved for calls that have not ended,"
	}
	return strings.TrimSuffix(text, ",") + " of " + Dollars(u.USD) + "; it resets at " + u.Window.End(now).Format(time.RFC3339)
}

// Failure is the refusal of the call.
func (d Decision) Failure() *lang.Failure {
	end := d.Over.Window.End(d.now)
	return &lang.Failure{
		Class: lang.ClassBudget, Message: "nothing was run: " + d.Reason(),
		Hint:      "wait until then; a person can raise " + d.Over.Setting(),
		Retryable: true, RetryAfterMs: max(1, end.Sub(d.now).Milliseconds()),
	}
}

// Question asks a person whether a call may be made all the same.
func (d Decision) Question(program string) string {
	return fmt.Sprintf("May %s be called although %s? A yes holds for this call alone.", program, d.Reason())
}

// Dollars shows an amount of US dollars with two digits, or with up to four where it needs them.
func Dollars(usd float64) string {
	text := fmt.Sprintf("$%.4f", usd)
	for range 2 {
		text = strings.TrimSuffix(text, "0")
	}
	return text
}
