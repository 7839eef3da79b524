package tools

import (
	"cmp"
	"fmt"

	"github.com/llm-cli-gateway/gateway/engine/call"
	"github.com/llm-cli-gateway/gateway/engine/store"
)

// attempt is one run of the program of a call that had more than one.
type attempt struct {
	N          int    `json:"n"`
	CLI        string `json:"cli"`
	Model      string `json:"model,omitempty"`
	Class      string `json:"class,omitempty"` // of its failure
	Message    string `json:"message,omitempty"`
	DurationMs int64  `json:"durationMs"`
	Tries      int    `json:"tries,omitempty"`  // of the program itself
	WaitMs     int64  `json:"waitMs,omitempty"` // before the next one
	Next       string `json:"next,omitempty"`   // what followed, or why nothing did
}

func (t *Tools) attemptsOf(j call.Job) (list []attempt) {
	for _, a := range j.Attempts {
		list = append(list, attempt{a.N, a.CLI, a.Model, a.Outcome.ErrorClass, t.Catalog().Secrets.Redact(a.Outcome.ErrorMessage), a.Outcome.Duration.Milliseconds(), a.Tries, a.Wait.Milliseconds(), a.Next})
	}
	return list
}

// went says how a call came to its end that had more than one attempt; nil for others.
func (t *Tools) went(j call.Job) (warnings []string) {
	if n := len(j.Attempts); n > 1 {
		last := j.Attempts[n-2]
		warnings = append(warnings, fmt.Sprintf("this was attempt %d: the one before failed (%s: %s)", n, last.Outcome.ErrorClass, t.Catalog().Secrets.Redact(last.Outcome.ErrorMessage)))
	}
	for _, a := range j.Attempts {
		if a.Next == store.NextFallback && j.State.Ended() {
			who := t.heading(j)
			if j.Row.Asked == "" {
				who += " with the model " + cmp.Or(j.Row.Model, "that is its default")
			}
			warnings = append(warnings, fmt.Sprintf("%s was asked instead, because of %s", who, a.Outcome.ErrorClass))
		}
	}
	return warnings
}
