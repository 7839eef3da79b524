package budget

import (
	"errors"
	"math"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/llm-cli-gateway/gateway/engine/lang"
)

func at(t *testing.T, zone, text string) time.Time {
	t.Helper()
	location, err := time.LoadLocation(zone)
	if err != nil {
		t.Skip(err)
	}
	when, err := time.ParseInLocation("2006-01-02 15:04", text, location)
	if err != nil {
		t.Fatal(err)
	}
	return when
}

func TestWindows(t *testing.T) {
	for _, tt := range []struct {
		window     Window
		zone, now  string
		start, end string
		hours      float64
	}{
		{Day, "UTC", "2026-12-01 03:00", "2026-12-01 00:00", "2026-12-02 00:00", 24},
		{Day, "UTC", "2026-12-31 23:59", "2026-12-31 00:00", "2027-01-01 00:00", 24},
		{Month, "UTC", "2026-12-31 23:59", "2026-12-01 00:00", "2027-01-01 00:00", 31 * 24},
		{Month, "UTC", "2028-02-29 12:00", "2028-02-01 00:00", "2028-03-01 00:00", 29 * 24},
		{Day, "Asia/Kolkata", "2026-12-01 03:00", "2026-12-01 00:00", "2026-12-02 00:00", 24},
		// The clock is put forward, and back.
		{Day, "Europe/Berlin", "2026-03-29 12:00", "2026-03-29 00:00", "2026-03-30 00:00", 23},
		{Day, "Europe/Berlin", "2026-10-25 12:00", "2026-10-25 00:00", "2026-10-26 00:00", 25},
		{Month, "Europe/Berlin", "2026-03-29 12:00", "2026-03-01 00:00", "2026-04-01 00:00", 31*24 - 1},
	} {
		now := at(t, tt.zone, tt.now)
		start, end := tt.window.Start(now), tt.window.End(now)
		if !start.Equal(at(t, tt.zone, tt.start)) || !end.Equal(at(t, tt.zone, tt.end)) || end.Sub(start).Hours() != tt.hours {
			t.Errorf("%s of %s: %s to %s, %v", tt.window, now, start, end, end.Sub(start))
		}
	}
}

func usd(v float64) *float64 { return &v }

func TestLimits(t *testing.T) {
	got := Limits(lang.GatewayBudget{Month: usd(100), EstimateUSD: 1}, "acme", lang.BudgetSpec{Day: usd(0), Month: usd(30)})
	want := []Limit{{"", Month, 100}, {"acme", Day, 0}, {"acme", Month, 30}}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%v", got)
	}
	if got[0].Setting() != "gateway.budget.month" || got[1].Setting() != "cli.acme.budget.day" {
		t.Errorf("%s, %s", got[0].Setting(), got[1].Setting())
	}
	if got := Limits(lang.GatewayBudget{EstimateUSD: 1}, "acme", lang.BudgetSpec{}); got != nil {
		t.Errorf("%v", got)
	}
}

func TestDecide(t *testing.T) {
	day, month := Limit{"", Day, 10}, Limit{"", Month, 100}
	own := Limit{"acme", Day, 4}
	for name, tt := range map[string]struct {
		uses []Use
		usd  float64
		over string // its setting
		near int
	}{
		"no limit":                     {nil, 1e9, "", 0},
		"nothing spent":                {[]Use{{Limit: day}}, 1, "", 0},
		"below the threshold":          {[]Use{{Limit: day, Spent: 6.9}}, 1, "", 0},
		"at the threshold":             {[]Use{{Limit: day, Spent: 7}}, 1, "", 1},
		"the rest exactly":             {[]Use{{Limit: day, Spent: 9}}, 1, "", 1},
		"the last exceeds the rest":    {[]Use{{Limit: day, Spent: 9}}, 3, "", 1},
		"not beside another":           {[]Use{{Limit: day, Spent: 9, Reserved: 0.1}}, 1, "gateway.budget.day", 0},
		"reservations count":           {[]Use{{Limit: day, Spent: 4, Reserved: 5.5}}, 1, "gateway.budget.day", 0},
		"one call over the whole":      {[]Use{{Limit: day}}, 11, "", 1},
		"a free call fits":             {[]Use{{Limit: day, Spent: 1}}, 0, "", 0},
		"nothing is left for a free":   {[]Use{{Limit: day, Spent: 10}}, 0, "gateway.budget.day", 0},
		"a limit of nothing":           {[]Use{{Limit: Limit{"", Day, 0}}}, 0, "gateway.budget.day", 0},
		"the one that holds longest":   {[]Use{{Limit: day, Spent: 10}, {Limit: month, Spent: 100}, {Limit: own, Spent: 4}}, 1, "gateway.budget.month", 0},
		"of the CLI":                   {[]Use{{Limit: day, Spent: 3}, {Limit: own, Spent: 3, Reserved: 0.5}}, 1, "cli.acme.budget.day", 0},
		"near both":                    {[]Use{{Limit: Limit{"", Day, 4}, Spent: 3}, {Limit: own, Spent: 3}}, 0.5, "", 2},
		"ten times a tenth is a whole": {[]Use{{Limit: Limit{"", Day, 1}, Spent: 0.1 + 0.1 + 0.1 + 0.1 + 0.1 + 0.1 + 0.1 + 0.1 + 0.1}}, 0.1, "", 1},
	} {
		t.Run(name, func(t *testing.T) {
			d := Decide(tt.uses, tt.usd, at(t, "UTC", "2026-12-01 03:00"))
			over := ""
			if d.Over != nil {
				over = d.Over.Setting()
			}
			if over != tt.over || len(d.Near) != tt.near || len(d.Warnings()) != tt.near {
				t.Errorf("over %q, near %v", over, d.Near)
			}
			if (d.Err() != nil) != (tt.over != "") || (d.Reason() != "") != (tt.over != "") {
				t.Errorf("%v, %q", d.Err(), d.Reason())
			}
		})
	}
}

func TestWords(t *testing.T) {
	now := at(t, "UTC", "2026-12-01 21:00")
	d := Decide([]Use{{Limit: Limit{"acme", Day, 10}, Spent: 9, Estimated: 2.5, Reserved: 0.75}}, 0.5, now)
	const reason = "this call, which is taken to cost $0.50, does not fit into the budget of the day for acme (cli.acme.budget.day): $9.00 spent, of which $2.50 estimated, and $0.75 reserved for calls that have not ended of $10.00; it resets at 2026-12-02T00:00:00Z"
	f := d.Failure()
	if f.Class != lang.ClassBudget || f.Message != "nothing was run: "+reason || !f.Retryable || f.RetryAfterMs != 3*3600*1000 || !strings.Contains(f.Hint, "cli.acme.budget.day") {
		t.Errorf("%+v", f)
	}
	if q := d.Question("Acme"); !strings.Contains(q, "May Acme be called") || !strings.Contains(q, "$9.00") || !strings.Contains(q, "$10.00") || !strings.Contains(q, "2026-12-02") {
		t.Error(q)
	}
	var exceeded *Exceeded
	if err := d.Err(); !errors.As(err, &exceeded) || err.Error() != reason {
		t.Errorf("%v", err)
	}
	near := Decide([]Use{{Limit: Limit{"", Month, 10}, Spent: 8.1}}, 0.4, now)
	if w := near.Warnings(); len(w) != 1 || w[0] != "85 % of the budget of the month for all CLIs (gateway.budget.month): $8.10 spent of $10.00; it resets at 2027-01-01T00:00:00Z" {
		t.Errorf("%q", w)
	}
}

func TestCost(t *testing.T) {
	n := func(v int64) *int64 { return &v }
	prices := lang.MapOf("m*", lang.PriceSpec{Input: 10, Output: 20, CacheRead: usd(1)})
	prices.Set("m1", lang.PriceSpec{Input: 1, Output: 2})
	prices.Set("m-*-small", lang.PriceSpec{Input: 3, Output: 3})
	prices.Set("*", lang.PriceSpec{Input: 100, Output: 100})
	for name, tt := range map[string]struct {
		model  string
		tokens Tokens
		cached bool
		want   float64
		known  bool
	}{
		"its own name":            {"m1", Tokens{Input: n(1e6), Output: n(1e6)}, false, 3, true},
		"a pattern":               {"m2", Tokens{Input: n(1e6), Output: n(1e6)}, false, 30, true},
		"the longest pattern":     {"m-7-small", Tokens{Input: n(1e6), Output: n(0)}, false, 3, true},
		"any":                     {"x", Tokens{Input: n(1e4), Output: n(0)}, false, 1, true},
		"cache apart":             {"m2", Tokens{Input: n(1e6), Output: n(0), CacheRead: n(1e6)}, false, 11, true},
		"cache inside":            {"m2", Tokens{Input: n(1e6), Output: n(0), CacheRead: n(4e5)}, true, 6.4, true},
		"cache without a price":   {"m1", Tokens{Input: n(1e6), Output: n(0), CacheWrite: n(1e6)}, false, 2, true},
		"more cached than is":     {"m2", Tokens{Input: n(1), Output: n(0), CacheRead: n(1e6)}, true, 1, true},
		"no tokens of the output": {"m1", Tokens{Input: n(1)}, false, 0, false},
		"no tokens of the input":  {"m1", Tokens{Output: n(1)}, false, 0, false},
		"an unknown model":        {"", Tokens{Input: n(1e4), Output: n(0)}, false, 1, true},
	} {
		t.Run(name, func(t *testing.T) {
			got, known := Cost(prices, tt.model, tt.tokens, tt.cached)
			if math.Abs(got-tt.want) > 1e-9 || known != tt.known {
				t.Errorf("%v, %v", got, known)
			}
		})
	}
	if _, known := Cost(lang.Map[lang.PriceSpec]{}, "m1", Tokens{Input: n(1), Output: n(1)}, false); known {
		t.Error("a cost without a price")
	}
}

func TestMatches(t *testing.T) {
	for _, tt := range []struct {
		pattern, text string
		want          bool
	}{
		{"a", "a", true}, {"a", "ab", false}, {"a*", "ab", true}, {"*b", "ab", true}, {"a*c*e", "abcde", true}, {"a*c*e", "abde", false},
		{"*", "", true}, {"a*a", "a", false}, {"a*b*b", "ab", false}, {"*x*", "axb", true},
	} {
		if got := matches(tt.pattern, tt.text); got != tt.want {
			t.Errorf("%q %q: %v", tt.pattern, tt.text, got)
		}
	}
}
