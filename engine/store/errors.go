package store

import "errors"

// Errors of the verbs that say something about a row, not about the file.
var (
	ErrNotFound  = errors.New("no such job")
	ErrDone      = errors.New("the job is finished already")
	ErrDuplicate = errors.New("a live job has this dedup key")
)
