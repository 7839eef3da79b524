package attempts

import (
	"reflect"
	"testing"
	"time"

	"github.com/llm-cli-gateway/gateway/engine/lang"
)

var now = time.Unix(1_800_000_000, 0)

var limits = LimitsOf(lang.RetryPolicy{}, lang.RetryPolicy{})

// passing is a failure that may pass, of an attempt that changed nothing.
var passing = Ended{Class: "transient", Passing: true, Jitter: 1}

func with(change func(*Ended)) Ended {
	e := passing
	change(&e)
	return e
}

func TestNext(t *testing.T) {
	chain := []Target{{Model: "small", On: []string{"overloaded"}}, {CLI: "zeta"}}
	for name, c := range map[string]struct {
		plan  Plan
		ended Ended
		want  Decision
	}{
		"success":                        {Plan{}, Ended{OK: true}, Decision{Plan: Plan{Tries: 1}}},
		"success of the third":           {Plan{Tries: 2}, Ended{OK: true}, Decision{Plan: Plan{Tries: 3}}},
		"passing":                        {Plan{}, passing, Decision{Kind: Retry, Plan: Plan{Tries: 1}, Wait: time.Second}},
		"half the jitter":                {Plan{}, with(func(e *Ended) { e.Jitter = 0.5 }), Decision{Kind: Retry, Plan: Plan{Tries: 1}, Wait: time.Second / 2}},
		"the fourth waits longer":        {Plan{Tries: 3}, passing, Decision{Kind: Retry, Plan: Plan{Tries: 4}, Wait: 8 * time.Second}},
		"the fifth is the last":          {Plan{Tries: 4}, passing, Decision{Plan: Plan{Tries: 5}, Why: WhyAttempts}},
		"not passing":                    {Plan{}, Ended{Class: "auth"}, Decision{Plan: Plan{Tries: 1}, Why: WhyFinal}},
		"effects":                        {Plan{Chain: chain}, with(func(e *Ended) { e.Effects = EffectsSome }), Decision{Plan: Plan{Chain: chain, Tries: 1}, Why: WhyEffects}},
		"effects of a reader":            {Plan{}, with(func(e *Ended) { e.Effects, e.Reads = EffectsSome, true }), Decision{Plan: Plan{Tries: 1}, Why: WhyEffects}},
		"unknown effects":                {Plan{}, with(func(e *Ended) { e.Effects = EffectsUnknown }), Decision{Plan: Plan{Tries: 1}, Why: WhyEffects}},
		"unknown effects of a reader":    {Plan{}, with(func(e *Ended) { e.Effects, e.Reads = EffectsUnknown, true }), Decision{Kind: Retry, Plan: Plan{Tries: 1}, Wait: time.Second}},
		"the prompt would be told twice": {Plan{}, with(func(e *Ended) { e.Keeps = true }), Decision{Plan: Plan{Tries: 1}, Why: WhyConversation}},
		"last":                           {Plan{Last: true}, passing, Decision{Plan: Plan{Last: true, Tries: 1}, Why: WhyFinal}},
		"a wait is asked for":            {Plan{}, with(func(e *Ended) { e.After = 40 * time.Second }), Decision{Kind: Retry, Plan: Plan{Tries: 1}, Wait: 40 * time.Second}},
		"a longer wait than its own":     {Plan{Tries: 3}, with(func(e *Ended) { e.After = time.Second }), Decision{Kind: Retry, Plan: Plan{Tries: 4}, Wait: 8 * time.Second}},
		"too long a wait":                {Plan{}, with(func(e *Ended) { e.After = 3 * time.Hour }), Decision{Plan: Plan{Tries: 1}, Why: WhyWait, After: 3 * time.Hour}},
		"the time would be over":         {Plan{}, with(func(e *Ended) { e.Deadline = now.Add(time.Second) }), Decision{Plan: Plan{Tries: 1}, Why: WhyDeadline}},
		"the time is just enough":        {Plan{}, with(func(e *Ended) { e.Deadline = now.Add(time.Second + 1) }), Decision{Kind: Retry, Plan: Plan{Tries: 1}, Wait: time.Second}},
		"the time is over for a wait":    {Plan{}, with(func(e *Ended) { e.Deadline, e.After = now.Add(time.Second), time.Minute }), Decision{Plan: Plan{Tries: 1}, Why: WhyDeadline, After: time.Minute}},
		"its breaker opened":             {Plan{}, with(func(e *Ended) { e.Open = time.Minute }), Decision{Plan: Plan{Tries: 1}, Why: WhyBreaker, After: time.Minute}},
		"another CLI for an open breaker": {Plan{Chain: chain}, Ended{Class: lang.ClassBreaker, Open: time.Minute},
			Decision{Kind: Fallback, Plan: Plan{Chain: chain, At: 2}}},
		"another model by its class": {Plan{Chain: chain}, Ended{Class: "overloaded"}, Decision{Kind: Fallback, Plan: Plan{Chain: chain, At: 1}}},
		"attempts first, then another": {Plan{Chain: chain, Tries: 4}, passing,
			Decision{Kind: Fallback, Plan: Plan{Chain: chain, At: 2}}},
		"each of the chain once": {Plan{Chain: chain, At: 2, Tries: 4}, passing, Decision{Plan: Plan{Chain: chain, At: 2, Tries: 5}, Why: WhyAttempts}},
		"no model in a conversation that keeps the prompt, but another CLI": {Plan{Chain: []Target{{Model: "small"}, {CLI: "zeta"}}}, with(func(e *Ended) { e.Keeps = true }),
			Decision{Kind: Fallback, Plan: Plan{Chain: []Target{{Model: "small"}, {CLI: "zeta"}}, At: 2}}},
		"a class that no target names": {Plan{Chain: chain[:1]}, Ended{Class: "auth"}, Decision{Plan: Plan{Chain: chain[:1], Tries: 1}, Why: WhyFinal}},
		"nobody is asked when the time is over": {Plan{Chain: chain, Tries: 4}, with(func(e *Ended) { e.Deadline = now }),
			Decision{Plan: Plan{Chain: chain, Tries: 5}, Why: WhyAttempts}},
	} {
		if got := Next(c.plan, limits, c.ended, now); !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s:\n got %+v\nwant %+v", name, got, c.want)
		}
	}
}

func ptr[T any](v T) *T { return &v }

func TestLimits(t *testing.T) {
	all := lang.RetryPolicy{Attempts: ptr(4), Classes: map[string]lang.ClassRetry{"rate_limit": {BaseMs: ptr(int64(9000))}}}
	own := lang.RetryPolicy{Own: true, MaxMs: ptr(int64(5000)), Factor: ptr(3.0), MaxAfterMs: ptr(int64(0)), Classes: map[string]lang.ClassRetry{"empty": {Attempts: ptr(1)}}}
	l := LimitsOf(all, own)
	if l.Attempts != 4 || l.of("empty").Attempts != 1 || l.of("rate_limit").Base != 9*time.Second || l.of("transient").Base != time.Second || l.Max != 5*time.Second || l.Factor != 3 || l.MaxAfter != 0 {
		t.Errorf("%+v", l)
	}
	if n := LimitsOf(lang.RetryPolicy{}, lang.RetryPolicy{Own: true}).Attempts; n != OwnAttempts {
		t.Errorf("%d attempts of a program that tries again by itself", n)
	}
	for tries, want := range map[int]time.Duration{1: time.Second, 2: 2 * time.Second, 3: 4 * time.Second, 6: 30 * time.Second, 2000: 30 * time.Second} {
		if got := limits.backoff(tries, 1); got != want {
			t.Errorf("after %d attempts %v, want %v", tries, got, want)
		}
	}
}

// FuzzNext: whatever happens, a call ends after as many attempts as are allowed, what may have
// had effects is never repeated, and no wait ends after the deadline.
func FuzzNext(f *testing.F) {
	f.Add(uint8(5), uint8(2), []byte{1, 2, 3, 200, 7})
	f.Add(uint8(1), uint8(0), []byte{0})
	f.Fuzz(func(t *testing.T, attempts, targets uint8, events []byte) {
		l := limits
		l.Attempts = int(attempts%20) + 1
		var p Plan
		for i := range targets % 5 {
			p.Chain = append(p.Chain, []Target{{Model: "m"}, {CLI: "zeta"}, {On: []string{"auth"}, CLI: "eta"}}[i%3])
		}
		most, at := l.Attempts*(len(p.Chain)+1), now
		for n, b := range events {
			e := Ended{
				OK: b%31 == 0, Passing: b&1 == 0, Class: []string{"transient", "auth", lang.ClassBreaker}[b%3], Effects: Effects(b/8%3) % 3, Reads: b&2 == 0, Keeps: b&64 != 0,
				After: time.Duration(b%7) * time.Minute, Jitter: float64(b) / 255, Deadline: now.Add(time.Hour),
			}
			d := Next(p, l, e, at)
			switch {
			case d.Kind == End:
				if e.OK != (d.Why == "") {
					t.Fatalf("%+v ended with %+v", e, d)
				}
				return
			case e.OK || e.Effects == EffectsSome || e.Effects == EffectsUnknown && !e.Reads:
				t.Fatalf("%+v was followed by %+v", e, d)
			case d.Wait < 0 || !at.Add(d.Wait).Before(e.Deadline):
				t.Fatalf("a wait of %v at %v", d.Wait, at)
			case d.Kind == Fallback && d.Plan.At <= p.At:
				t.Fatalf("%+v after %+v", d.Plan, p)
			case n+1 >= most:
				t.Fatalf("attempt %d follows, of at most %d", n+2, most)
			}
			p, at = d.Plan, at.Add(d.Wait)
		}
	})
}
