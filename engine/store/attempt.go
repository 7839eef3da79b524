package store

import (
	"encoding/json"
	"time"
)

// Attempt is one run of the program of a job. The row of a job has the one that runs or ran
// last; the attempts of jobs that had more than one are rows of their own.
type Attempt struct {
	Job   string
	N     int // from 1
	Begun time.Time

	CLI        string // never empty
	CLIVersion string
	Model      string
	SessionID  string // the conversation that was asked for, as its CLI names it

	// Outcome is how it ended and what it used itself. Of its texts the row has those of the
	// failure.
	Outcome Outcome

	Tries   int    // of the program itself, where it tells of them
	Effects bool   // it may have changed something
	Next    string // what followed: NextRetry, NextFallback, or why nothing did
	Wait    time.Duration
	Breaker BreakerState // of its CLI or model when it had ended
}

// What follows an attempt that failed, if the job goes on.
const (
	NextRetry    = "retry"
	NextFallback = "fallback"
)

// Between reports whether the job of a row is between two attempts: it is live, and nothing of
// it runs.
func (j *Job) Between() bool { return j.State == Live && !j.Next.IsZero() }

// N is the number of the attempt that runs or ran last.
func (j *Job) N() int { return max(1, j.Attempt) }

// Step is the end of an attempt of a job, and what follows it.
type Step struct {
	Attempt Attempt
	// Next is when the next attempt may start; zero if the job ends with this one.
	Next time.Time
	Plan json.RawMessage // of the job from then on
	// Outcome and Turn are those of the job, if it ends.
	Outcome Outcome
	Turn    *Turn
	// Waiting is set where the job is between two attempts: then it ends, and Attempt.N is
	// that of the attempt before.
	Waiting bool
	// Breakers are changed with it.
	Breakers []BreakerChange
}

// Breaker says whether calls go to a CLI or a model. One of which nothing is known is closed.
type Breaker struct {
	Key      string // CLI, or CLI/model
	State    BreakerState
	Failures int       // transient ones without a success between them
	Opened   time.Time // when it opened last
	Until    time.Time // from then on one trial is let through
	Trial    string    // the job whose attempt is the trial
	Class    string    // of the last failure
	Message  string
	Changed  time.Time
}

// BreakerState says whether calls go through.
type BreakerState string

// Calls go through a closed breaker, none through an open one, and a trial is under way at one
// that is half open.
const (
	BreakerClosed   BreakerState = "closed"
	BreakerOpen     BreakerState = "open"
	BreakerHalfOpen BreakerState = "half_open"
)

// BreakerChange changes a breaker, in a transaction. Change must be pure; what it returns is
// written unless it is what it was given.
type BreakerChange struct {
	Key    string
	Change func(Breaker) Breaker
}
