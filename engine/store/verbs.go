package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"
)

// Begin makes the live row of a job. Start nothing unless it returned nil: from
// then on the row survives a crash of the gateway and of the machine. The error
// is ErrDuplicate if another live job has the same dedup key, ErrBegun if it opens a
// session that another job has opened. Where another process holds the file's write
// lock, ctx is not looked at until SQLite gives up, after 10 s.
func (s *Store) Begin(ctx context.Context, job Job) error {
	if err := s.check(&job); err != nil {
		return err
	}
	var err error
	if job.Opens {
		err = s.within(ctx, func(tx *sql.Tx) error { return s.insert(ctx, tx, job) })
	} else {
		_, err = s.begin.ExecContext(ctx, values(beginColumns(&job))...)
	}
	if uniqueViolation(err) {
		return s.failed("begin", job.ID, ErrDuplicate)
	}
	if err != nil {
		return s.failed("begin", job.ID, err)
	}
	return nil
}

// insert makes the live row of a job, and opens its session if it is the first turn.
func (s *Store) insert(ctx context.Context, tx *sql.Tx, job Job) error {
	if job.Opens {
		if err := openSession(ctx, tx, job); err != nil {
			return err
		}
	}
	_, err := tx.StmtContext(ctx, s.begin).ExecContext(ctx, values(beginColumns(&job))...)
	return err
}

// Joinable is the job that a request with this dedup key may share: a live one, else
// the newest that ended well at or after a time. The error is ErrNotFound if there is
// none.
func (s *Store) Joinable(ctx context.Context, key string, since time.Time) (Job, error) {
	var job Job
	glance, err := s.glance.on(s.reader, joinableSQL)
	if err == nil {
		err = glance.QueryRowContext(ctx, key, since.UnixNano()).Scan(values(jobColumns(&job))...)
	}
	if errors.Is(err, sql.ErrNoRows) {
		return Job{}, ErrNotFound
	}
	if err != nil {
		return Job{}, fmt.Errorf("look for a job to join: %w", fileError(s.path, err))
	}
	return job, nil
}

// BeginOnce makes the live row of a job, unless there is one that its request may
// share, see Joinable: then that one is returned and no row is made. Of any number of
// callers in any number of processes one makes the row. The error is ErrBegun as for
// Begin.
func (s *Store) BeginOnce(ctx context.Context, job Job, since time.Time) (joined *Job, err error) {
	if err := s.check(&job); err != nil {
		return nil, err
	}
	if !job.Opens {
		result, err := s.once.ExecContext(ctx, append(values(beginColumns(&job)), job.DedupKey, since.UnixNano())...)
		if err != nil {
			return nil, s.failed("begin", job.ID, err)
		}
		if made, err := result.RowsAffected(); err != nil || made > 0 {
			return nil, err
		}
		// Which one it was is looked at below; should it have gone meanwhile, this is begun.
	}
	tx, err := s.writer.BeginTx(ctx, nil)
	if err != nil {
		return nil, s.failed("begin", job.ID, err)
	}
	defer tx.Rollback()
	var other Job
	err = tx.StmtContext(ctx, s.joinable).QueryRowContext(ctx, job.DedupKey, since.UnixNano()).Scan(values(jobColumns(&other))...)
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
		return nil, s.failed("begin", job.ID, err)
	}
	return nil, nil
}

// Put makes the row of a job that is known from elsewhere, finished or live. A row of
// that id that is there already stays as it is; made tells.
func (s *Store) Put(ctx context.Context, job Job) (made bool, err error) {
	if err := s.check(&job); err != nil {
		return false, err
	}
	if job.State == "" {
		job.State = Live
	}
	if job.ResponseBytes == 0 {
		job.ResponseBytes = int64(len(job.Outcome.Response))
	}
	job.Outcome.Response = clip(job.Outcome.Response, MaxResponse)
	columns := jobColumns(&job)
	if job.State == Live { // what has not ended has no end
		columns = append(beginColumns(&job), column{"state", text{(*string)(&job.State)}})
	}
	result, err := s.writer.ExecContext(ctx, insertSQL("job", names(columns))+" ON CONFLICT(id) DO NOTHING", values(columns)...)
	if err != nil {
		return false, s.failed("import", job.ID, err)
	}
	n, err := result.RowsAffected()
	return n > 0, err
}

// check completes a row that is to be made.
func (s *Store) check(job *Job) error {
	if !ValidID(job.ID) {
		return fmt.Errorf("begin job: %q is not an id", job.ID)
	}
	if job.Created.IsZero() {
		job.Created = time.Now()
	}
	if err := s.present(); err != nil {
		return s.failed("begin", job.ID, err)
	}
	return nil
}

// Finish writes how a live job ended. It does so once: the error is ErrDone for
// a row that is finished, ErrNotFound where there is none. A cancelled ctx does
// not stop it, since the end of a cancelled call is what must not get lost.
func (s *Store) Finish(ctx context.Context, id string, outcome Outcome) error {
	return s.FinishTurn(ctx, id, outcome, nil)
}

// FinishTurn is Finish of a job that was a turn of a session. Both are written, or
// neither.
func (s *Store) FinishTurn(ctx context.Context, id string, outcome Outcome, turn *Turn) error {
	ctx = context.WithoutCancel(ctx)
	if outcome.Ended.IsZero() {
		outcome.Ended = time.Now()
	}
	job := Job{Outcome: outcome, ResponseBytes: int64(len(outcome.Response))}
	job.Outcome.Response = clip(outcome.Response, MaxResponse)
	if err := s.present(); err != nil {
		return s.failed("finish", id, err)
	}
	columns := append(values(finishColumns(&job)), text{&outcome.Model}, id)
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
		_, err = end(s.finish)
	} else {
		err = s.finishTurn(ctx, turn, id, outcome.Ended, end)
	}
	if err != nil {
		return s.failed("finish", id, err)
	}
	if fresh {
		return nil
	}
	if _, err := s.Job(ctx, id); err != nil {
		return s.failed("finish", id, err)
	}
	return s.failed("finish", id, ErrDone)
}

// Job returns the whole row of a job, or ErrNotFound.
func (s *Store) Job(ctx context.Context, id string) (Job, error) {
	var job Job
	err := s.reader.QueryRowContext(ctx, jobSQL+" WHERE id = ?", id).Scan(values(jobColumns(&job))...)
	if errors.Is(err, sql.ErrNoRows) {
		err = ErrNotFound
	}
	if err != nil {
		return Job{}, s.failed("read", id, err)
	}
	return job, nil
}

// Jobs returns the jobs that the filter selects, newest first. Of Prompt and
// Outcome.Response each has the first 1,000 characters at most.
func (s *Store) Jobs(ctx context.Context, f Filter) ([]Job, error) {
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

	query := jobsSQL
	if len(where) > 0 {
		query += " WHERE " + strings.Join(where, " AND ")
	}
	jobs, err := all(ctx, s.reader, func(j *Job) []any { return values(jobColumns(j)) }, query+" ORDER BY id DESC LIMIT ?", append(args, page(f.Limit))...)
	if err != nil {
		return nil, fmt.Errorf("list jobs: %w", fileError(s.path, err))
	}
	return jobs, nil
}

// Expired returns the ids of jobs that ended before a time, oldest first, at most 500.
func (s *Store) Expired(ctx context.Context, before time.Time) ([]string, error) {
	// The id is bounded as well: it is a key, and who ended before began before.
	ids, err := all(ctx, s.reader, itself[string], "SELECT id FROM job WHERE id < ? AND state = 'done' AND ended_ns < ? ORDER BY id LIMIT ?",
		FirstID(before), before.UnixNano(), MaxLimit)
	if err != nil {
		return nil, fmt.Errorf("list expired jobs: %w", fileError(s.path, err))
	}
	return ids, nil
}

// Delete removes the row of a finished job, and what is known of calls that share it. A live
// one stays, and one that is not there is no error.
func (s *Store) Delete(ctx context.Context, id string) error {
	err := s.present()
	if err == nil {
		err = s.within(ctx, func(tx *sql.Tx) error {
			for _, statement := range []string{
				"DELETE FROM job WHERE id = ? AND state = 'done'",
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
		return s.failed("delete", id, err)
	}
	return nil
}
