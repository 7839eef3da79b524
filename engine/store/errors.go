package store

import "errors"

// Errors about a row. Those about the place where rows are kept are of the store that keeps them.
var (
	ErrNotFound     = errors.New("no such job")
	ErrDone         = errors.New("the job is finished already")
	ErrDuplicate    = errors.New("a live job has this dedup key")
	ErrRecorded     = errors.New("the decision is recorded already")
	ErrNotWaiting   = errors.New("the job does not wait for a decision")
	ErrNoSession    = errors.New("no such session")
	ErrSessionBegun = errors.New("the session has begun already") // it cannot be the first turn of it
)
