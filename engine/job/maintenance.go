package job

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/llm-cli-gateway/gateway/engine/job/attempts"
	"github.com/llm-cli-gateway/gateway/engine/job/jobdir"
	"github.com/llm-cli-gateway/gateway/engine/store"
	"github.com/llm-cli-gateway/gateway/engine/supervisor"
	"github.com/llm-cli-gateway/gateway/engine/text"
)

const (
	maintainEvery = 30 * time.Second
	pruneEvery    = time.Hour
	abandoned     = time.Hour // a prepared job without a row is garbage after this time
	rowDelay      = time.Minute
)

// Maintain records the ends of jobs whose gateways are gone, and removes old jobs: once
// opened is closed, which says that the record is in use, and from time to time until
// ctx ends.
func (r *Runner) Maintain(ctx context.Context, opened <-chan struct{}, log *slog.Logger) {
	select {
	case <-opened:
	case <-ctx.Done():
		return
	}
	tick := time.NewTicker(maintainEvery)
	defer tick.Stop()
	pruned := time.Time{}
	for {
		if err := r.Reconcile(ctx); err != nil && ctx.Err() == nil {
			log.Warn("the ends of jobs of other gateways could not be recorded", "error", err)
		}
		if time.Since(pruned) >= pruneEvery {
			pruned = time.Now()
			switch n, err := r.Import(ctx, pruned); {
			case err != nil && ctx.Err() == nil:
				log.Warn("jobs without a row could not be recorded again", "error", err)
			case n > 0:
				log.Info("jobs without a row were recorded again", "jobs", n)
			}
			if _, err := r.Prune(ctx, pruned); err != nil && ctx.Err() == nil {
				log.Warn("old jobs could not be removed", "error", err)
			}
		}
		if err := r.IndexTexts(ctx); err != nil && ctx.Err() == nil {
			log.Warn("calls could not be made searchable", "error", err)
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

// Reconcile records the end of every job that has ended and of which the record does
// not know it yet. Any number of gateways may do so at once.
func (r *Runner) Reconcile(ctx context.Context) error {
	records, err := r.Record()
	if err != nil {
		return err
	}
	_, lost := r.ReapDeadOwners(ctx, records)
	return errors.Join(lost, r.recover(ctx, records), r.reconcile(ctx, records))
}

func (r *Runner) reconcile(ctx context.Context, records Store) error {
	var failed error
	f := store.Filter{Principal: store.AnyPrincipal, State: store.Live, Limit: 500}
	for {
		rows, err := records.Jobs(ctx, f)
		if err != nil || len(rows) == 0 {
			return errors.Join(failed, err)
		}
		for _, row := range rows {
			// A job whose status cannot be read must not delay the others.
			_, err := r.status(ctx, records, row)
			if err = errors.Join(err, r.restartReleased(ctx, records, row)); err != nil && failed == nil {
				failed = err
			}
			f.Before = row.ID
		}
	}
}

// orphanedDirs are the directories of jobs of which the record does not know, but for those
// that are so young that their row may be on its way.
func (r *Runner) orphanedDirs(ctx context.Context, records Store, now time.Time) ([]jobdir.Orphan, error) {
	return jobdir.Orphans(r.folder(), now.Add(-rowDelay), unknownTo(ctx, records))
}

// unknownTo reports whether a record knows nothing of a job.
func unknownTo(ctx context.Context, records Store) func(id string) bool {
	return func(id string) bool {
		_, err := records.Job(ctx, store.AnyPrincipal, id)
		return errors.Is(err, store.ErrNotFound)
	}
}

// recover gives rows to the jobs that lost theirs, once for each record that is opened: the
// one before may have been deleted.
func (r *Runner) recover(ctx context.Context, records Store) error {
	r.mu.Lock()
	known := r.recovered == records || r.Volatile // what is in memory has lost nothing
	r.mu.Unlock()
	if known {
		return nil
	}
	_, err := r.Import(ctx, time.Now())
	if err == nil {
		r.mu.Lock()
		r.recovered = records
		r.mu.Unlock()
	}
	return err
}

// recoverJob is recover for the job of an id that a caller knows.
func (r *Runner) recoverJob(ctx context.Context, records Store, id string) error {
	found, ok := jobdir.OrphanOf(jobdir.Last(r.folder(), id), time.Now().Add(-rowDelay), unknownTo(ctx, records))
	if !ok || r.Volatile {
		return nil
	}
	_, err := r.importDir(ctx, records, found)
	return err
}

// Import gives rows to jobs that lost theirs, as with a record that was deleted or
// brought back from an older copy. Jobs of other records stay theirs. It returns how
// many rows were made.
func (r *Runner) Import(ctx context.Context, now time.Time) (made int, err error) {
	records, err := r.Record()
	if err != nil {
		return 0, err
	}
	orphaned, err := r.orphanedDirs(ctx, records, now)
	if err != nil {
		return 0, err
	}
	for _, s := range orphaned {
		fresh, err := r.importDir(ctx, records, s)
		if fresh {
			made++
		}
		if err != nil {
			return made, err
		}
	}
	return made, nil
}

func (r *Runner) importDir(ctx context.Context, records Store, s jobdir.Orphan) (fresh bool, err error) {
	if s.Dir.Path() != jobdir.Last(r.folder(), jobdir.Job(s.Dir.ID())) {
		return false, nil // of a job its last attempt counts
	}
	if s.State.Phase == supervisor.Lost && s.State.Exit.Reason == supervisor.NeverStarted {
		return false, nil
	}
	row, ok := jobdir.Row(s.Dir.Path(), r.RecordName)
	if !ok {
		return false, nil
	}
	row.DedupKey = ""                                   // an equal call may have been made meanwhile
	row.Plan = text.MustJSON(attempts.Plan{Last: true}) // and nobody waits for another attempt
	if fresh, err = records.ImportJob(ctx, row); err == nil {
		_, err = r.status(ctx, records, row)
	}
	return fresh, err
}

// pruneOrphanedDirs removes directories without a row. One with output may belong to another
// record than ours, so it is kept as long as a job with a row.
func (r *Runner) pruneOrphanedDirs(ctx context.Context, records Store, now, before time.Time, expire bool) error {
	orphaned, err := r.orphanedDirs(ctx, records, now)
	if err != nil {
		return err
	}
	for _, s := range orphaned {
		idle := s.State.Phase == supervisor.Lost && s.State.Exit.Reason == supervisor.NeverStarted && now.Sub(s.Made) >= abandoned
		old := expire && s.Made.Before(before) && (s.State.Phase == supervisor.Ended || s.State.Phase == supervisor.Lost)
		if idle || old {
			if err := s.Dir.Remove(); err != nil && !errors.Is(err, supervisor.ErrLive) {
				return err
			}
		}
	}
	return nil
}
