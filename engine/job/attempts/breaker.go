package attempts

import (
	"cmp"
	"time"

	"github.com/llm-cli-gateway/gateway/engine/lang"
	"github.com/llm-cli-gateway/gateway/engine/store"
)

// BreakerLimits say when a breaker opens, and for how long.
type BreakerLimits struct {
	Failures int // in a row; 0: it never opens
	Open     time.Duration
}

// Defaults of BreakerLimits.
const (
	DefaultFailures = 5
	DefaultOpen     = time.Minute
)

// BreakerLimitsOf are the limits of a CLI over those of all.
func BreakerLimitsOf(all, cli lang.BreakerSpec) BreakerLimits {
	l := BreakerLimits{DefaultFailures, DefaultOpen}
	for _, b := range []lang.BreakerSpec{all, cli} {
		if b.Failures != nil {
			l.Failures = *b.Failures
		}
		if b.OpenMs != nil {
			l.Open = time.Duration(*b.OpenMs) * time.Millisecond
		}
	}
	return l
}

// Try is an attempt as breakers see it.
type Try struct {
	Job     string
	Begun   time.Time
	Class   string // of its failure
	Message string
}

// Keys are the breakers by which a call passes: that of its CLI, and that of its model.
func Keys(cli, model string) []string {
	if model == "" {
		return []string{cli}
	}
	return []string{cli, ModelKey(cli, model)}
}

// ModelKey is the breaker of a model of a CLI.
func ModelKey(cli, model string) string { return cli + "/" + model }

// Succeeded is the breaker after an attempt that succeeded.
func Succeeded(b store.Breaker, t Try, now time.Time) store.Breaker {
	switch {
	case b.State == store.BreakerHalfOpen && b.Trial == t.Job,
		b.State == store.BreakerClosed && b.Failures > 0 && !t.Begun.Before(b.Opened):
		return store.Breaker{Key: b.Key, State: store.BreakerClosed, Opened: b.Opened, Changed: now}
	}
	return b
}

// Failed is the breaker after an attempt that failed for a reason that may pass. One that began
// before the breaker opened says nothing new.
func Failed(b store.Breaker, l BreakerLimits, t Try, now time.Time) store.Breaker {
	trial := b.State == store.BreakerHalfOpen && b.Trial == t.Job
	if !trial && (b.State != store.BreakerClosed || t.Begun.Before(b.Opened)) {
		return b
	}
	b.Failures++
	b.Class, b.Message, b.Changed = t.Class, t.Message, now
	if trial || l.Failures > 0 && b.Failures >= l.Failures {
		b.State, b.Trial, b.Opened, b.Until = store.BreakerOpen, "", now, now.Add(l.Open)
	}
	return b
}

// Vanished is the breaker after an attempt that ended without saying anything of its CLI, as
// one that was canceled: if it was the trial, the next call is.
func Vanished(b store.Breaker, t Try, now time.Time) store.Breaker {
	if b.State == store.BreakerHalfOpen && b.Trial == t.Job {
		b.State, b.Trial, b.Until, b.Changed = store.BreakerOpen, "", now, now
	}
	return b
}

// Lost is the breaker after an attempt that was lost: if it was the trial, it failed.
func Lost(b store.Breaker, l BreakerLimits, t Try, now time.Time) store.Breaker {
	if b.State == store.BreakerHalfOpen && b.Trial == t.Job {
		t.Class, t.Message = cmp.Or(t.Class, lang.ClassLost), cmp.Or(t.Message, "the trial was lost")
		return Failed(b, l, t, now)
	}
	return b
}

// Admit says whether an attempt may begin, and what the breaker is then; with a wait it may not
// before. Whether the job of the trial lives counts only at one that is half open.
func Admit(b store.Breaker, l BreakerLimits, job string, trialLives bool, now time.Time) (after store.Breaker, wait time.Duration) {
	switch {
	case b.State == store.BreakerClosed || b.State == "" || l.Failures == 0 || b.Trial == job:
		return b, 0
	case b.State == store.BreakerOpen && now.Before(b.Until):
		return b, b.Until.Sub(now)
	case b.State == store.BreakerHalfOpen && trialLives:
		return b, max(time.Second, b.Until.Sub(now))
	}
	b.State, b.Trial, b.Until, b.Changed = store.BreakerHalfOpen, job, now.Add(l.Open), now
	return b, 0
}
