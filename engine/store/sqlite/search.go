package sqlite

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
	"time"

	"github.com/llm-cli-gateway/gateway/engine/store"
)

// Texts are made searchable after their calls have ended, so that no call waits for it: by
// maintenance, and before a search. The triggers of the schema forget what is removed.

// A transaction makes so many calls searchable at most, and so many characters unless one call
// has more: others wait for it.
const (
	indexRows  = 16
	indexChars = 256 << 10
)

// maxIndexing bounds how often a search makes more calls searchable before it looks.
const maxIndexing = 100

const (
	unsearchedSQL = `SELECT id, coalesce(length(prompt), 0) + coalesce(length(response), 0) FROM job
		WHERE id >= ? AND state = 'done' AND (prompt IS NOT NULL OR response IS NOT NULL)
		AND NOT EXISTS (SELECT 1 FROM searched WHERE job_id = job.id) ORDER BY id LIMIT ?`

	// The last row that is done, with all that have smaller ids.
	searchedSQL = `SELECT coalesce(max(id), '') FROM job WHERE id < ?2
		AND id < coalesce((SELECT min(id) FROM job WHERE state = 'live' AND id >= ?1), 'zz')`

	numberSQL = `INSERT INTO searched(job_id) SELECT id FROM job WHERE id = ? AND state = 'done' AND (prompt IS NOT NULL OR response IS NOT NULL)
		ON CONFLICT(job_id) DO NOTHING`
	indexSQL = "INSERT INTO search(rowid, prompt, response) SELECT n, prompt, response FROM searched_text WHERE n = ?"

	// The condition of rows that have words.
	matchSQL = "id IN (SELECT job_id FROM searched WHERE n IN (SELECT rowid FROM search WHERE search MATCH ?))"
)

// IndexTexts makes the prompts and answers of some calls searchable that have ended since the
// last time. more says that there may be others: it is called until there are none.
func (s *Store) IndexTexts(ctx context.Context) (more bool, err error) {
	if err = s.checkFile(); err == nil {
		more, err = s.indexTexts(ctx)
	}
	if err != nil {
		return false, fmt.Errorf("make calls searchable: %w", fileError(s.path, err))
	}
	return more, nil
}

// unsearched is a call that is not searchable.
type unsearched struct {
	id    string
	chars int
}

func (s *Store) indexTexts(ctx context.Context) (more bool, err error) {
	from, err := workedUpTo(ctx, s.reader, searchWork)
	if err != nil {
		return false, err
	}
	list, err := queryAll(ctx, s.reader, func(u *unsearched) []any { return []any{&u.id, &u.chars} }, unsearchedSQL, from, indexRows)
	if err != nil {
		return false, err
	}
	upto := from
	if more = len(list) == indexRows; !more {
		if err := s.reader.QueryRowContext(ctx, searchedSQL, from, store.FirstID(time.Now().Add(-quietFor))).Scan(&upto); err != nil {
			return false, err
		}
	}
	if len(list) == 0 && upto <= from {
		return false, nil
	}
	return more, s.inTx(ctx, func(tx *sql.Tx) error {
		chars := 0
		for i, u := range list {
			if chars += u.chars; i > 0 && chars > indexChars {
				more = true
				return nil
			}
			result, err := tx.ExecContext(ctx, numberSQL, u.id)
			if err != nil {
				return err
			}
			if made, err := result.RowsAffected(); err != nil || made == 0 { // others were first
				if err != nil {
					return err
				}
				continue
			}
			n, err := result.LastInsertId()
			if err != nil {
				return err
			}
			if _, err := tx.ExecContext(ctx, indexSQL, n); err != nil {
				return err
			}
		}
		if upto <= from {
			return nil
		}
		return setWorkedUpTo(ctx, tx, searchWork, upto)
	})
}

// words is a text as a query for all of its words.
func words(text string) string {
	list := strings.Fields(text)
	for i, word := range list {
		list[i] = `"` + strings.ReplaceAll(word, `"`, `""`) + `"`
	}
	return strings.Join(list, " ")
}

// indexAll makes all calls searchable that have ended, within reason.
func (s *Store) indexAll(ctx context.Context) error {
	for range maxIndexing {
		if more, err := s.IndexTexts(ctx); err != nil || !more {
			return err
		}
	}
	return nil
}
