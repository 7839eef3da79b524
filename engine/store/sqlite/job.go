package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/llm-cli-gateway/gateway/engine/store"
)

// Begin makes the live row of a job. Start nothing unless it returned nil: from
// then on the row survives a crash of the gateway and of the machine. The error
// is ErrDuplicate if another live job of the principal has the same dedup key,
// ErrSessionBegun if it opens a session that another job has opened, that of Fit.Check if it does
// not fit. Where another process holds the file's write
// lock, ctx is not looked at until SQLite gives up, after 10 s.
func (s *Store) Begin(ctx context.Context, job store.Job) error {
	if err := s.checkNewJob(&job); err != nil {
		return err
	}
	var err error
	if job.Opens || job.Fit != nil {
		err = s.inTx(ctx, func(tx *sql.Tx) error { return s.insert(ctx, tx, job) })
	} else {
		_, err = s.insertJob.ExecContext(ctx, values(insertColumns(&job))...)
	}
	if uniqueViolation(err) {
		return s.jobError("begin", job.ID, store.ErrDuplicate)
	}
	if err != nil {
		return s.jobError("begin", job.ID, err)
	}
	return nil
}

// insert makes the live row of a job if it fits into the budgets, and opens its session if it is
// the first turn.
func (s *Store) insert(ctx context.Context, tx *sql.Tx, job store.Job) error {
	if err := fit(ctx, tx, job.Fit); err != nil {
		return err
	}
	if job.Opens {
		if err := beginSession(ctx, tx, job); err != nil {
			return err
		}
	}
	_, err := tx.StmtContext(ctx, s.insertJob).ExecContext(ctx, values(insertColumns(&job))...)
	return err
}

// FindJoinable returns the job that a request of the principal with this dedup key may
// share: a live one, else the newest that ended well at or after a time. The error is
// ErrNotFound if there is none.
func (s *Store) FindJoinable(ctx context.Context, principal, key string, since time.Time) (store.Job, error) {
	var job store.Job
	err := store.CheckPrincipal(principal)
	var find *sql.Stmt
	if err == nil {
		find, err = s.joinableRead.get(s.reader, joinableSQL)
	}
	if err == nil {
		err = find.QueryRowContext(ctx, key, since.UnixNano(), principal).Scan(values(jobColumns(&job))...)
	}
	if errors.Is(err, sql.ErrNoRows) {
		return store.Job{}, store.ErrNotFound
	}
	if err != nil {
		return store.Job{}, fmt.Errorf("find a job to join: %w", fileError(s.path, err))
	}
	return job, nil
}

// BeginOrJoin makes the live row of a job, unless there is one that its request may
// share, see FindJoinable: then that one is returned and no row is made. Of any number of
// callers in any number of processes one makes the row. The error is ErrSessionBegun, or that
// of Fit.Check, as for Begin.
func (s *Store) BeginOrJoin(ctx context.Context, job store.Job, since time.Time) (joined *store.Job, err error) {
	if err := s.checkNewJob(&job); err != nil {
		return nil, err
	}
	if !job.Opens && job.Fit == nil {
		result, err := s.insertUnlessJoinable.ExecContext(ctx, append(values(insertColumns(&job)), job.DedupKey, since.UnixNano(), job.Principal)...)
		if err != nil {
			return nil, s.jobError("begin", job.ID, err)
		}
		if made, err := result.RowsAffected(); err != nil || made > 0 {
			return nil, err
		}
		// Which one it was is looked at below; should it have gone meanwhile, this is begun.
	}
	tx, err := s.writer.BeginTx(ctx, nil)
	if err != nil {
		return nil, s.jobError("begin", job.ID, err)
	}
	defer tx.Rollback()
	var other store.Job
	err = tx.StmtContext(ctx, s.joinable).QueryRowContext(ctx, job.DedupKey, since.UnixNano(), job.Principal).Scan(values(jobColumns(&other))...)
	if err == nil {
		return &other, nil
	}
	if errors.Is(err, sql.ErrNoRows) {
		err = s.insert(ctx, tx, job)
	}
	if err == nil {
		err = tx.Commit()
	}
	if err != nil {
		return nil, s.jobError("begin", job.ID, err)
	}
	return nil, nil
}

// ImportJob makes the row of a job that is known from elsewhere, finished or live. A row of
// that id that is there already stays as it is, and made is false.
func (s *Store) ImportJob(ctx context.Context, job store.Job) (made bool, err error) {
	if err := s.checkNewJob(&job); err != nil {
		return false, err
	}
	if job.State == "" {
		job.State = store.Live
	}
	if job.ResponseBytes == 0 {
		job.ResponseBytes = int64(len(job.Outcome.Response))
	}
	job.Outcome.Response = clip(job.Outcome.Response, store.MaxResponse)
	if job.State == store.Done && job.Outcome.Settled(job.Attempt) {
		job.Reserved = nil
	}
	columns := jobColumns(&job)
	if job.State == store.Live { // what has not ended has no end
		columns = append(insertColumns(&job), column{"state", text{(*string)(&job.State)}}, column{"attempt", number{&job.Attempt}}, column{"begun_ns", instant{&job.Begun}}, column{"asked", text{&job.Asked}})
	}
	result, err := s.writer.ExecContext(ctx, insertSQL("job", names(columns))+" ON CONFLICT(id) DO NOTHING", values(columns)...)
	if err != nil {
		return false, s.jobError("import", job.ID, err)
	}
	n, err := result.RowsAffected()
	return n > 0, err
}

// checkNewJob completes a row that is to be made.
func (s *Store) checkNewJob(job *store.Job) error {
	if !store.ValidID(job.ID) {
		return fmt.Errorf("begin job: %q is not an id", job.ID)
	}
	if err := store.CheckPrincipal(job.Principal); err != nil {
		return s.jobError("begin", job.ID, err)
	}
	if job.Created.IsZero() {
		job.Created = time.Now()
	}
	if err := s.checkFile(); err != nil {
		return s.jobError("begin", job.ID, err)
	}
	return nil
}

// Finish writes how a live job ended. It does so once: the error is ErrDone for
// a row that is finished, ErrNotFound where there is none. A cancelled ctx does
// not stop it, since the end of a cancelled call is what must not get lost. What the end
// means for a session is written with it, or neither is; turn is nil where it means nothing.
func (s *Store) Finish(ctx context.Context, id string, outcome store.Outcome, turn *store.Turn) error {
	ctx = context.WithoutCancel(ctx)
	if outcome.Ended.IsZero() {
		outcome.Ended = time.Now()
	}
	job := store.Job{Outcome: outcome, ResponseBytes: int64(len(outcome.Response))}
	job.Outcome.Response = clip(outcome.Response, store.MaxResponse)
	if err := s.checkFile(); err != nil {
		return s.jobError("finish", id, err)
	}
	columns := slices.Concat(values(finishColumns(&job)), []any{text{&outcome.Model}}, settled(&outcome), []any{id})
	fresh := false
	end := func(finish *sql.Stmt) (bool, error) {
		result, err := finish.ExecContext(ctx, columns...)
		if err != nil {
			return false, err
		}
		changed, err := result.RowsAffected()
		fresh = changed == 1
		return fresh, err
	}
	var err error
	if turn == nil || turn.Session == "" && turn.Native == "" {
		_, err = end(s.finishJob)
	} else {
		err = s.finishTurn(ctx, turn, id, outcome.Ended, end)
	}
	if err != nil {
		return s.jobError("finish", id, err)
	}
	if fresh {
		return nil
	}
	if _, err := s.Job(ctx, store.AnyPrincipal, id); err != nil {
		return s.jobError("finish", id, err)
	}
	return s.jobError("finish", id, store.ErrDone)
}

// Job returns the whole row of a job of the principal, or ErrNotFound.
func (s *Store) Job(ctx context.Context, principal, id string) (store.Job, error) {
	if principal == "" {
		return store.Job{}, s.jobError("read", id, store.ErrNoPrincipal)
	}
	var job store.Job
	err := s.reader.QueryRowContext(ctx, jobSQL+" WHERE id = ?", id).Scan(values(jobColumns(&job))...)
	if errors.Is(err, sql.ErrNoRows) || err == nil && principal != job.Principal && principal != store.AnyPrincipal {
		err = store.ErrNotFound
	}
	if err != nil {
		return store.Job{}, s.jobError("read", id, err)
	}
	return job, nil
}

// Jobs returns the jobs that the filter selects, newest first. Of Prompt and
// Outcome.Response each has the first 1,000 characters at most.
func (s *Store) Jobs(ctx context.Context, f store.Filter) ([]store.Job, error) {
	if f.Principal == "" {
		return nil, fmt.Errorf("list jobs: %w", store.ErrNoPrincipal)
	}
	var where []string
	var args []any
	narrow := func(condition, value string) {
		if value != "" {
			where, args = append(where, condition), append(args, value)
		}
	}
	narrow("cli = ?", f.CLI)
	narrow("tool = ?", f.Tool)
	narrow("correlation_id = ?", f.CorrelationID)
	narrow("parent_id = ?", f.ParentID)
	narrow("state = ?", string(f.State))
	narrow("id < ?", f.Before)

	if len(f.Endings) > 0 {
		where = append(where, "outcome IN (?"+strings.Repeat(", ?", len(f.Endings)-1)+")")
		for _, e := range f.Endings {
			args = append(args, string(e))
		}
	}

	if f.Principal != store.AnyPrincipal {
		narrow("principal = ?", f.Principal)
	}
	query := jobsSQL
	if len(where) > 0 {
		query += " WHERE " + strings.Join(where, " AND ")
	}
	jobs, err := queryAll(ctx, s.reader, func(j *store.Job) []any { return values(jobColumns(j)) }, query+" ORDER BY id DESC LIMIT ?", append(args, rowLimit(f.Limit))...)
	if err != nil {
		return nil, fmt.Errorf("list jobs: %w", fileError(s.path, err))
	}
	return jobs, nil
}

// ExpiredJobs returns the ids of jobs that ended before a time, of any
// principal, oldest first, at most 500.
func (s *Store) ExpiredJobs(ctx context.Context, before time.Time) ([]string, error) {
	// The id is bounded as well: it is a key, and who ended before began before.
	ids, err := queryAll(ctx, s.reader, scanOne[string], "SELECT id FROM job WHERE id < ? AND state = 'done' AND ended_ns < ? ORDER BY id LIMIT ?",
		store.FirstID(before), before.UnixNano(), store.MaxLimit)
	if err != nil {
		return nil, fmt.Errorf("list expired jobs: %w", fileError(s.path, err))
	}
	return ids, nil
}

// DeleteJob removes the row of a finished job, its attempts, and what is known of calls that share it. A live
// one stays, and one that is not there is no error.
func (s *Store) DeleteJob(ctx context.Context, id string) error {
	err := s.checkFile()
	if err == nil {
		err = s.inTx(ctx, func(tx *sql.Tx) error {
			for _, statement := range []string{
				"DELETE FROM job WHERE id = ? AND state = 'done'",
				"DELETE FROM attempt WHERE job_id = ?1 AND NOT EXISTS (SELECT 1 FROM job WHERE id = ?1)",
				"DELETE FROM joined WHERE job_id = ?1 AND NOT EXISTS (SELECT 1 FROM job WHERE id = ?1)",
			} {
				if _, err := tx.ExecContext(ctx, statement, id); err != nil {
					return err
				}
			}
			return nil
		})
	}
	if err != nil {
		return s.jobError("delete", id, err)
	}
	return nil
}
