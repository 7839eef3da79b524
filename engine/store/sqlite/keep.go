package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/llm-cli-gateway/gateway/engine/store"
)

// Works that are done from time to time, each of which remembers how far it has come.
const (
	dropWork   = "drop"
	searchWork = "search"
)

// quietFor is the time after which no more rows come with ids of then, but for those that are
// imported: the id of a call is made before its row.
const quietFor = 10 * time.Minute

// dropBatch is how many rows lose their texts in one transaction: each was perhaps searchable,
// and others wait meanwhile.
const dropBatch = 20

const (
	// What was asked stands in the command line and its arguments, too.
	dropSQL = `UPDATE job SET prompt = NULL, response = NULL, args = NULL, argv = NULL, question = NULL, texts_dropped_ns = ?
		WHERE id IN (SELECT id FROM job WHERE id >= ? AND id < ? AND state = 'done' AND ended_ns < ? AND texts_dropped_ns IS NULL ORDER BY id LIMIT ?)`

	leftSQL = "SELECT coalesce(min(id), ?2) FROM job WHERE id >= ?1 AND id < ?2 AND (state = 'live' OR ended_ns >= ?3)"
)

// DropTexts removes what was asked and answered in calls that ended before a time: the prompt,
// the answer, the arguments and the command line. The rest of their rows stays. It returns of
// how many, 20 at most: it is called until that is 0.
func (s *Store) DropTexts(ctx context.Context, before time.Time) (dropped int, err error) {
	if err = s.checkFile(); err == nil {
		err = s.inTx(ctx, func(tx *sql.Tx) error {
			from, err := workedUpTo(ctx, tx, dropWork)
			if err != nil {
				return err
			}
			result, err := tx.ExecContext(ctx, dropSQL, time.Now().UnixNano(), from, store.FirstID(before), before.UnixNano(), dropBatch)
			if err != nil {
				return err
			}
			n, err := result.RowsAffected()
			if dropped = int(n); err != nil || dropped == 0 || dropped == dropBatch {
				return err
			}
			var upto string
			if err := tx.QueryRowContext(ctx, leftSQL, from, store.FirstID(before), before.UnixNano()).Scan(&upto); err != nil {
				return err
			}
			return setWorkedUpTo(ctx, tx, dropWork, upto)
		})
	}
	if err != nil {
		return 0, fmt.Errorf("drop texts of calls: %w", fileError(s.path, err))
	}
	return dropped, nil
}

// row is a database or a transaction of it.
type row interface {
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

// workedUpTo is the id up to which a work has nothing more to do.
func workedUpTo(ctx context.Context, q row, work string) (id string, err error) {
	err = q.QueryRowContext(ctx, "SELECT upto FROM upkeep WHERE work = ?", work).Scan(&id)
	if errors.Is(err, sql.ErrNoRows) {
		err = nil
	}
	return id, err
}

func setWorkedUpTo(ctx context.Context, tx *sql.Tx, work, id string) error {
	_, err := tx.ExecContext(ctx, "INSERT INTO upkeep(work, upto) VALUES(?, ?) ON CONFLICT(work) DO UPDATE SET upto = excluded.upto", work, id)
	return err
}

// reopenWorks has all works look at a row that came late.
func (s *Store) reopenWorks(ctx context.Context, id string) error {
	if time.Since(store.IDTime(id)) < quietFor {
		return nil
	}
	_, err := s.writer.ExecContext(ctx, "UPDATE upkeep SET upto = ?1 WHERE upto > ?1", id)
	return err
}
