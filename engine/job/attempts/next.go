package attempts

import (
	"math"
	"slices"
	"time"

	"github.com/llm-cli-gateway/gateway/engine/lang"
)

// Plan is the state of a call over its attempts, as its row keeps it.
type Plan struct {
	// Chain is who may be asked instead, in this order, each once. It is settled when the call
	// is accepted.
	Chain []Target `json:"chain,omitempty"`
	// At is who is asked now: 0 is the CLI and model of the call, and i is Chain[i-1].
	At int `json:"at,omitempty"`
	// Tries is how many attempts of that one have ended.
	Tries int `json:"tries,omitempty"`
	// Last says that no other attempt follows, whatever becomes of this one.
	Last bool `json:"last,omitempty"`
}

// Target is who may be asked instead.
type Target struct {
	CLI   string   `json:"cli,omitempty"`   // "" for that of the call
	Model string   `json:"model,omitempty"` // "" for its default
	On    []string `json:"on,omitempty"`    // classes of failure; nil for those that pass, and an open breaker
}

// Asked is who is asked now; nil for the CLI and model of the call.
func (p Plan) Asked() *Target {
	if p.At < 1 || p.At > len(p.Chain) {
		return nil
	}
	return &p.Chain[p.At-1]
}

// Effects is what is known of what an attempt changed.
type Effects int

// An attempt changed nothing, or it is not known, or it may have changed something.
const (
	EffectsNone Effects = iota
	EffectsUnknown
	EffectsSome
)

// Ended is an attempt that has ended.
type Ended struct {
	OK      bool
	Class   string        // of the failure
	Passing bool          // the spec says that the same call may succeed later
	After   time.Duration // for how long its vendor asks to wait; 0 if it does not
	Effects Effects
	Reads   bool // it was held to reading, so that what is not known is nothing
	// Keeps says that the conversation was there before and keeps what a failed turn said, so
	// that the model would be told it twice.
	Keeps bool
	Last  bool          // the call cannot be made again
	Open  time.Duration // for how long its breaker lets nothing through; 0 if it is not open

	Deadline time.Time // of the call; zero: none
	Jitter   float64   // a random number from 0 to 1
}

// Kind is what follows an attempt.
type Kind int

// The call ends, or the same attempt is made again, or somebody else is asked.
const (
	End Kind = iota
	Retry
	Fallback
)

// Decision is what follows an attempt.
type Decision struct {
	Kind Kind
	Plan Plan          // of the call from then on
	Wait time.Duration // before the next attempt
	Why  string        // why none follows, in a word; "" if there was no failure
	// After is for how long the caller should wait before the call is made again, if it ended
	// although the failure may pass; 0 if nothing is known.
	After time.Duration
}

// Why no attempt follows one that failed.
const (
	WhyFinal        = "final"           // the failure would come again
	WhyEffects      = "effects"         // something may have been changed
	WhyConversation = "conversation"    // the model would be told the prompt twice
	WhyAttempts     = "attempts"        // they are used up
	WhyWait         = "wait"            // the wait that is asked for is too long
	WhyDeadline     = "deadline"        // the time of the call would be over before
	WhyBreaker      = lang.ClassBreaker // no calls are made to the CLI
)

// Next decides what follows an attempt of a call that has ended.
func Next(p Plan, l Limits, e Ended, now time.Time) Decision {
	p.Tries++
	end := Decision{Kind: End, Plan: p}
	switch {
	case e.OK:
		return end
	case !e.Repeatable():
		end.Why = WhyEffects
		return end
	case p.Last || e.Last:
		end.Why = WhyFinal
		return end
	}
	wait, why := l.again(p, e, now)
	if why == "" {
		return Decision{Kind: Retry, Plan: p, Wait: wait}
	}
	if next, ok := p.fallback(e, now); ok {
		return Decision{Kind: Fallback, Plan: next}
	}
	if end.Why = why; e.Passing || e.Class == lang.ClassBreaker {
		end.After = max(e.After, e.Open)
	}
	return end
}

// again is the wait before the same attempt is made again, or why it is not.
func (l Limits) again(p Plan, e Ended, now time.Time) (wait time.Duration, why string) {
	l = l.of(e.Class)
	wait = l.backoff(p.Tries, e.Jitter)
	switch {
	case e.Open > 0:
		return 0, WhyBreaker
	case !e.Passing:
		return 0, WhyFinal
	case e.Keeps:
		return 0, WhyConversation
	case p.Tries >= l.Attempts:
		return 0, WhyAttempts
	case e.After > l.MaxAfter:
		return 0, WhyWait
	}
	if wait = max(wait, e.After); late(e.Deadline, now.Add(wait)) {
		return 0, WhyDeadline
	}
	return wait, ""
}

// fallback is the plan in which the first of those not asked yet is asked.
func (p Plan) fallback(e Ended, now time.Time) (Plan, bool) {
	if late(e.Deadline, now) {
		return p, false
	}
	for i := p.At; i < len(p.Chain); i++ {
		t := p.Chain[i]
		if fits := slices.Contains(t.On, e.Class) || t.On == nil && (e.Passing || e.Class == lang.ClassBreaker); !fits || t.CLI == "" && e.Keeps {
			continue
		}
		p.At, p.Tries = i+1, 0
		return p, true
	}
	return p, false
}

func late(deadline, at time.Time) bool { return !deadline.IsZero() && !at.Before(deadline) }

// Limits is how often and when an attempt is made again.
type Limits struct {
	Attempts int // of a call in all
	Base     time.Duration
	Factor   float64
	Max      time.Duration // of a wait of ours
	MaxAfter time.Duration // of a wait that is asked for
	Classes  map[string]lang.ClassRetry
}

// Defaults of Limits. A program that tries again by itself gets fewer attempts: each of them
// is several requests.
const (
	DefaultAttempts = 5
	OwnAttempts     = 2
	DefaultBase     = time.Second
	DefaultFactor   = 2
	DefaultMax      = 30 * time.Second
	DefaultMaxAfter = 2 * time.Minute
)

// LimitsOf are the limits of a CLI over those of all.
func LimitsOf(all, cli lang.RetryPolicy) Limits {
	l := Limits{Attempts: DefaultAttempts, Base: DefaultBase, Factor: DefaultFactor, Max: DefaultMax, MaxAfter: DefaultMaxAfter, Classes: map[string]lang.ClassRetry{}}
	if cli.Own {
		l.Attempts = OwnAttempts
	}
	for _, p := range []lang.RetryPolicy{all, cli} {
		l.set(p.Attempts, p.BaseMs, p.MaxMs)
		if p.Factor != nil {
			l.Factor = *p.Factor
		}
		if p.MaxAfterMs != nil {
			l.MaxAfter = time.Duration(*p.MaxAfterMs) * time.Millisecond
		}
		for class, c := range p.Classes {
			l.Classes[class] = c
		}
	}
	return l
}

func (l *Limits) set(attempts *int, baseMs, maxMs *int64) {
	if attempts != nil {
		l.Attempts = *attempts
	}
	if baseMs != nil {
		l.Base = time.Duration(*baseMs) * time.Millisecond
	}
	if maxMs != nil {
		l.Max = time.Duration(*maxMs) * time.Millisecond
	}
}

// of are the limits for a class of failure.
func (l Limits) of(class string) Limits {
	c := l.Classes[class]
	l.set(c.Attempts, c.BaseMs, c.MaxMs)
	return l
}

// backoff is the wait after so many attempts: exponential, with full jitter.
func (l Limits) backoff(tries int, jitter float64) time.Duration {
	most := float64(l.Base) * math.Pow(l.Factor, float64(tries-1))
	return time.Duration(min(most, float64(l.Max)) * min(max(jitter, 0), 1))
}
