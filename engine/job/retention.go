package job

import (
	"context"
	"errors"
	"os"
	"time"

	"github.com/llm-cli-gateway/gateway/engine/job/jobdir"
	"github.com/llm-cli-gateway/gateway/engine/job/retention"
	"github.com/llm-cli-gateway/gateway/engine/store"
	"github.com/llm-cli-gateway/gateway/engine/supervisor"
)

// Prune removes what was kept for longer than the catalog says: directories of jobs that have
// ended, rows, and texts in rows. It also removes directories of jobs that were never started,
// unused pools, expired sessions, and what Pruners remove. A live job is never touched.
func (r *Runner) Prune(ctx context.Context, now time.Time) (done retention.Removed, err error) {
	records, err := r.Record()
	if err != nil {
		return done, err
	}
	settings := r.Current().Settings
	calls, files := retention.LimitsOf(settings, now), retention.DaysAgo(now, settings.Jobs.RetentionDays)
	jobs := calls
	if r.JobsApart {
		jobs.Rows = files
	}
	all := []error{r.pruneDirs(ctx, records, jobs.Files, &done), jobs.Prune(ctx, records, r.removeDirs, &done)}
	if log, err := r.callLog(); err != nil || log != nil {
		if err == nil {
			err = calls.Prune(ctx, log, func(string) error { return nil }, &done)
		}
		all = append(all, err)
	}
	if unused := retention.DaysAgo(now, settings.Sessions.RetentionDays); !unused.IsZero() {
		_, err := records.PruneSessions(ctx, unused)
		all = append(all, err)
	}
	for _, p := range r.Pruners {
		all = append(all, p.Prune(ctx, now))
	}
	r.pruneStored(ctx, records, now)
	// A conversation has a pool of its own, which nobody needs between two turns.
	_, pools := supervisor.SweepSemaphores(r.Pools, now.Add(-abandoned))
	return done, errors.Join(append(all, pools, r.pruneOrphanedDirs(ctx, records, now, files, !files.IsZero()))...)
}

// removeDirs removes the directories of a job.
func (r *Runner) removeDirs(id string) error { return jobdir.Remove(r.folder(), id) }

// callLog is the record of calls where that is not the one of jobs, else nil.
func (r *Runner) callLog() (CallStore, error) {
	if r.Log == nil {
		return nil, nil
	}
	return r.Log()
}

// pruneDirs removes the directories of jobs that ended before a time.
func (r *Runner) pruneDirs(ctx context.Context, records Store, before time.Time, done *retention.Removed) (failed error) {
	if before.IsZero() {
		return nil
	}
	entries, err := os.ReadDir(r.folder())
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	for _, entry := range entries {
		id := entry.Name() // not of further attempts, which go with the first
		if made := store.IDTime(id); !entry.IsDir() || made.IsZero() || !made.Before(before) {
			continue
		}
		row, err := records.Job(ctx, store.AnyPrincipal, id)
		if errors.Is(err, store.ErrNotFound) || err == nil && (row.State != store.Done || !row.Outcome.Ended.Before(before)) {
			continue // see pruneOrphanedDirs for those without a row
		}
		if err == nil {
			err = r.removeDirs(id)
		}
		if err != nil { // one that cannot be removed must not keep the others
			failed = err
			continue
		}
		done.Jobs++
	}
	return errors.Join(err, failed)
}

// IndexTexts makes calls searchable that have ended.
func (r *Runner) IndexTexts(ctx context.Context) error {
	log, err := r.callLog()
	if err != nil || log == nil && r.JobsApart {
		return err
	}
	if log != nil {
		return retention.Index(ctx, log)
	}
	records, err := r.Record()
	if err != nil {
		return err
	}
	return retention.Index(ctx, records)
}
