package attempts

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/llm-cli-gateway/gateway/engine/catalog/extract"
	"github.com/llm-cli-gateway/gateway/engine/lang"
	"github.com/llm-cli-gateway/gateway/engine/store"
	"github.com/llm-cli-gateway/gateway/engine/text"
)

// Breakers keeps breakers, for all gateways.
type Breakers interface {
	Breakers(ctx context.Context, keys ...string) ([]store.Breaker, error)
	ChangeBreakers(ctx context.Context, changes ...store.BreakerChange) ([]store.Breaker, error)
}

// Heard is what the end of the attempt of a row means for the breakers of its CLI and its model:
// their changes, for how long they let nothing through then, and the state of the one that is
// not closed. Where they cannot be read nothing changes.
func Heard(records Breakers, l BreakerLimits, row *store.Job, a extract.Answer, now time.Time) (changes []store.BreakerChange, open time.Duration, state store.BreakerState) {
	keys := Keys(row.CLI, row.Model)
	known, err := records.Breakers(context.Background(), keys...)
	if err != nil {
		return nil, 0, ""
	}
	t, blamed := Try{Job: row.ID, Begun: Of(row).Begun, Class: row.Outcome.ErrorClass, Message: row.Outcome.ErrorMessage}, blamed(row, a)
	for _, key := range keys {
		b := store.Breaker{Key: key, State: store.BreakerClosed}
		if i := slices.IndexFunc(known, func(b store.Breaker) bool { return b.Key == key }); i >= 0 {
			b = known[i]
		}
		change := func(b store.Breaker) store.Breaker {
			switch {
			case row.Outcome.Ending == store.EndOK:
				return Succeeded(b, t, now)
			case row.Outcome.Ending == store.EndLost:
				return Lost(b, l, t, now)
			case key == blamed:
				return Failed(b, l, t, now)
			}
			return Vanished(b, t, now)
		}
		after := change(b)
		if after != b {
			changes = append(changes, store.BreakerChange{Key: key, Change: change})
		}
		if after.State == store.BreakerOpen && after.Until.After(now) {
			open = max(open, after.Until.Sub(now))
		}
		if state == "" || state == store.BreakerClosed {
			state = after.State
		}
	}
	return changes, open, state
}

// blamed is the breaker that a failure counts for; "" for none.
func blamed(row *store.Job, a extract.Answer) string {
	switch {
	case !a.Passing || row.Outcome.Ending != store.EndError || a.Blame == extract.BlameCall:
		return ""
	case a.Blame == extract.BlameModel && row.Model != "":
		return ModelKey(row.CLI, row.Model)
	}
	return row.CLI
}

// Ask asks breakers whether an attempt of a job may begin, which is their trial if it is time
// for one. If it may not, it says for how long, and which of them says so. A trial of which the
// job has ended is none any more.
func Ask(ctx context.Context, records Breakers, keys []string, l BreakerLimits, job string, lives func(ctx context.Context, job string) bool) (wait time.Duration, by store.Breaker, err error) {
	known, err := records.Breakers(ctx, keys...)
	if err != nil {
		return 0, by, err
	}
	for _, b := range known {
		trial := b.Trial != "" && b.Trial != job && lives(ctx, b.Trial)
		change := func(b store.Breaker) (after store.Breaker) {
			after, wait = Admit(b, l, job, trial, time.Now())
			return after
		}
		if change(b) != b {
			if _, err := records.ChangeBreakers(ctx, store.BreakerChange{Key: b.Key, Change: change}); err != nil {
				return 0, b, err
			}
		}
		if wait > 0 {
			return wait, b, nil
		}
	}
	return 0, by, nil
}

// Refusal is the failure of a call that a breaker keeps from its CLI, which people know by the name.
func Refusal(b store.Breaker, cli, name string, wait time.Duration) *lang.Failure {
	what := "calls of " + name
	if b.Key != cli {
		what += " with this model"
	}
	return &lang.Failure{Class: lang.ClassBreaker, Retryable: true, RetryAfterMs: wait.Milliseconds(),
		Message: fmt.Sprintf("%d %s failed in a row, the last with %s: %s; nothing was run", b.Failures, what, b.Class, text.Head(text.OneLine(b.Message), 200)),
		Hint:    fmt.Sprintf("call again in %s, or use another model or CLI; `gateway breaker reset %s` lets calls through at once", wait.Round(time.Second), b.Key)}
}

// Reset closes the breaker of a key, and those of its models if it is a CLI. It returns those that
// counted failures, as they were.
func Reset(ctx context.Context, records Breakers, key string) (closed []store.Breaker, err error) {
	list, err := records.Breakers(ctx)
	if err != nil {
		return nil, err
	}
	var changes []store.BreakerChange
	for _, b := range list {
		if b.Key != key && !strings.HasPrefix(b.Key, ModelKey(key, "")) || b.Failures == 0 {
			continue
		}
		closed = append(closed, b)
		changes = append(changes, store.BreakerChange{Key: b.Key, Change: func(b store.Breaker) store.Breaker {
			now := time.Now()
			return store.Breaker{Key: b.Key, State: store.BreakerClosed, Opened: now, Changed: now} // what began before says nothing new
		}})
	}
	_, err = records.ChangeBreakers(ctx, changes...)
	return closed, err
}

// Explain says why the attempt of a row that failed for a passing reason was not made again, and puts
// into the failure when it may be. Keeps is that of EventOf.
func Explain(records Breakers, row *store.Job, a extract.Answer, keeps bool) (warnings []string) {
	switch event := EventOf(row, a, keeps); {
	case !event.Repeatable():
		warnings = append(warnings, "it was not tried again by itself, because it may have changed something: look at what was done before you call again")
	case event.Keeps:
		warnings = append(warnings, "it was not tried again by itself, because the conversation may hold the prompt already")
	}
	list, err := records.Breakers(context.Background(), Keys(row.CLI, row.Model)...)
	if err != nil {
		return warnings
	}
	for _, b := range list {
		if wait := time.Until(b.Until); b.State == store.BreakerOpen && wait > 0 {
			a.Failure.RetryAfterMs = max(a.Failure.RetryAfterMs, wait.Milliseconds())
		}
	}
	return warnings
}
