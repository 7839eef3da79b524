// Package retention removes from a record what was kept for long enough: rows of calls, and
// what was asked and answered in rows. It also keeps the record searchable.
//
// It hides in how many steps that is done, so that others get their turn. It must not know
// where rows are kept, nor that jobs have files.
package retention

import (
	"context"
	"errors"
	"time"

	"github.com/llm-cli-gateway/gateway/engine/lang"
)

// Record is a record whose rows are kept for a time.
type Record interface {
	// ExpiredJobs are ids of calls that ended before a time, some at once.
	ExpiredJobs(ctx context.Context, before time.Time) ([]string, error)
	DeleteJob(ctx context.Context, id string) error
	// DropTexts removes what was asked and answered in some calls that ended before a time,
	// and returns of how many; 0 when there are none left.
	DropTexts(ctx context.Context, before time.Time) (dropped int, err error)
	// IndexTexts makes some calls searchable; more says that there may be others.
	IndexTexts(ctx context.Context) (more bool, err error)
}

// Removed counts what was removed.
type Removed struct {
	Jobs  int // whose files were removed
	Rows  int // of the record
	Texts int // calls whose prompt and answer were removed from their rows
}

// Limits are the times before which what has ended is removed; zero for never.
type Limits struct{ Files, Rows, Texts time.Time }

// LimitsOf are those of the settings. No file outlives its row, or the texts that are in it as
// well: a job without a row would be given one again.
func LimitsOf(s lang.Settings, now time.Time) Limits {
	l := Limits{Rows: DaysAgo(now, s.Record.RetentionDays), Texts: DaysAgo(now, s.Record.TextDays)}
	l.Files = latest(DaysAgo(now, s.Jobs.RetentionDays), l.Rows, l.Texts)
	return l
}

// DaysAgo is so many days before now; zero for 0, which is for ever.
func DaysAgo(now time.Time, days int64) time.Time {
	if days <= 0 {
		return time.Time{}
	}
	return now.AddDate(0, 0, -int(days))
}

func latest(times ...time.Time) (last time.Time) {
	for _, t := range times {
		if t.After(last) {
			last = t
		}
	}
	return last
}

// Prune removes rows and texts of a record, and adds to done how much. What else there is of a
// call is removed by discard before its row.
func (l Limits) Prune(ctx context.Context, records Record, discard func(id string) error, done *Removed) error {
	return errors.Join(l.rows(ctx, records, discard, done), l.texts(ctx, records, done))
}

func (l Limits) rows(ctx context.Context, records Record, discard func(id string) error, done *Removed) (failed error) {
	for !l.Rows.IsZero() && failed == nil {
		ids, err := records.ExpiredJobs(ctx, l.Rows)
		if err != nil || len(ids) == 0 {
			return err
		}
		for _, id := range ids {
			// The row last: what is left if we die now is found by it.
			err := discard(id)
			if err == nil {
				err = records.DeleteJob(ctx, id)
			}
			if err != nil { // one that cannot be removed must not keep the others
				failed = err
				continue
			}
			done.Rows++
		}
	}
	return failed
}

func (l Limits) texts(ctx context.Context, records Record, done *Removed) error {
	for !l.Texts.IsZero() {
		n, err := records.DropTexts(ctx, l.Texts)
		if done.Texts += n; err != nil || n == 0 {
			return err
		}
	}
	return nil
}

// batches is how many times in one look calls are made searchable: others write meanwhile.
const batches = 20

// Index makes calls searchable that have ended.
func Index(ctx context.Context, records Record) error {
	for range batches {
		if more, err := records.IndexTexts(ctx); err != nil || !more {
			return err
		}
	}
	return nil
}
