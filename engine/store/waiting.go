package store

import "time"

// Waiting is what a job has that waits for a person. It is live and nothing of it runs; who
// decides does so once, whatever others do at the same time.
type Waiting struct {
	Until    time.Time // until when a person may decide; zero: the job waits for nobody
	Holder   string    // the gateway that has its call
	Question string    // that a person is asked
	Released bool      // it was approved, and is not started yet; ignored by Begin
}

// Open reports whether a person may decide about the job of a row.
func (j *Job) Open(now time.Time) bool {
	return j.Waits() && !j.Waiting.Released && now.Before(j.Waiting.Until)
}

// Waits reports whether the job of a row is one that is not started yet, because a person
// has to decide about it, or has just done so.
func (j *Job) Waits() bool { return j.State == Live && !j.Waiting.Until.IsZero() }
