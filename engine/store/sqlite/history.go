package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"github.com/llm-cli-gateway/gateway/engine/store"
)

// History is what was taken over from the record of an earlier gateway.
type History struct {
	Path  string // of that record, which stays
	Calls int    // that are rows now
	Err   error  // why the rest could not be read, or nothing at all; nil if all was
}

// ImportEarlier takes over the calls in the records of an earlier gateway that Open has put
// aside, each file once: of any number of callers in any number of processes one does. The calls
// become finished jobs of the local user, which nobody shares; change sees each of them before it
// is stored. A damaged file is read as far as it goes, and that once. It returns what it did,
// nothing if there was nothing to do.
func (s *Store) ImportEarlier(ctx context.Context, change func(*store.Job)) []History {
	var all []History
	for n := 1; !s.Volatile() && taken(earlierName(s.path, n)); n++ {
		path := earlierName(s.path, n)
		if done, err := s.Imported(ctx, path); done && err == nil {
			continue
		}
		h := History{Path: path}
		fresh, err := s.importHistory(ctx, &h, change)
		if err != nil {
			h.Calls, h.Err = 0, err
		}
		if fresh || err != nil {
			all = append(all, h)
		}
	}
	return all
}

// importHistory writes the rows of one file, and that it is imported, or neither. fresh is false
// if another gateway has done so.
func (s *Store) importHistory(ctx context.Context, h *History, change func(*store.Job)) (fresh bool, err error) {
	db, err := connect(dataSource(h.Path, true), 1)
	if err != nil {
		return false, err
	}
	defer db.Close()
	err = s.inTx(ctx, func(tx *sql.Tx) error {
		if fresh, err = markImported(ctx, tx, h.Path); err != nil || !fresh {
			return err
		}
		insert, err := tx.PrepareContext(ctx, insertSQL("job", names(jobColumns(new(store.Job))))) // closed with the transaction
		if err != nil {
			return err
		}
		first := ""
		reading, err := readHistory(ctx, db, h.Path, func(job *store.Job) error {
			job.ResponseBytes = int64(len(job.Outcome.Response))
			change(job)
			job.Outcome.Response = clip(job.Outcome.Response, store.MaxResponse)
			if first == "" || job.ID < first {
				first = job.ID
			}
			h.Calls++
			_, err := insert.ExecContext(ctx, values(jobColumns(job))...)
			return err
		})
		if err != nil {
			return err
		}
		if h.Err = reading; reading != nil && !damaged(reading) {
			return reading // it can be read another time
		}
		if first != "" {
			_, err = tx.ExecContext(ctx, "UPDATE upkeep SET upto = ?1 WHERE upto > ?1", first)
		}
		return err
	})
	return fresh, err
}

// damaged reports whether reading a file fails every time.
func damaged(err error) bool {
	var driver *sqlite.Error
	return errors.As(err, &driver) && slices.Contains([]int{sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_ERROR}, driver.Code()&0xff)
}

// historyColumns are what is read, where it is there: of two tables, r and m.
var historyColumns = []struct{ table, name string }{
	{"r", "id"}, {"r", "cli"}, {"r", "model"}, {"r", "prompt"}, {"r", "response"}, {"r", "session_id"},
	{"r", "duration_ms"}, {"r", "datetime_utc"}, {"r", "input_tokens"}, {"r", "output_tokens"},
	{"r", "cache_read_tokens"}, {"r", "cache_creation_tokens"},
	{"m", "cost_usd"}, {"m", "exit_code"}, {"m", "error_message"}, {"m", "status"},
}

// readHistory calls write with each call of an earlier gateway's record, in the order in which
// they were stored. reading says why the file could not be read to its end; err comes from write.
func readHistory(ctx context.Context, db *sql.DB, path string, write func(*store.Job) error) (reading, err error) {
	there := map[string]bool{}
	for alias, table := range map[string]string{"r": "requests", "m": "gateway_metadata"} {
		list, err := queryAll(ctx, db, scanOne[string], "SELECT name FROM pragma_table_info(?)", table)
		if err != nil {
			return err, nil
		}
		for _, name := range list {
			there[alias+"."+name] = true
		}
	}
	joined := there["r.id"] && there["m.request_id"]
	var list []string
	for _, c := range historyColumns {
		if name := c.table + "." + c.name; there[name] && (c.table == "r" || joined) {
			list = append(list, name)
		} else {
			list = append(list, "NULL")
		}
	}
	query := "SELECT " + strings.Join(list, ", ") + " FROM requests r"
	if joined {
		query += " LEFT JOIN gateway_metadata m ON m.request_id = r.id"
	}
	rows, err := db.QueryContext(ctx, query)
	if err != nil {
		return err, nil
	}
	defer rows.Close()
	old := history{last: modified(path)}
	for rows.Next() {
		cells := make([]any, len(historyColumns))
		into := make([]any, len(cells))
		for i := range cells {
			into[i] = &cells[i]
		}
		if err := rows.Scan(into...); err != nil {
			return err, nil
		}
		row := map[string]any{}
		for i, c := range historyColumns {
			row[c.name] = cells[i]
		}
		job := old.job(row)
		if err := write(&job); err != nil {
			return nil, err
		}
	}
	return rows.Err(), nil
}

func modified(path string) time.Time {
	if info, err := os.Stat(path); err == nil {
		return info.ModTime()
	}
	return time.Now()
}

// history makes rows of the calls of an earlier gateway.
type history struct {
	last time.Time // of the call before, or for a first one without a time
	id   string    // of the call before
}

// job is a call as a row. What has no time has that of the call before, and what is not of the
// type that belongs into a column is left out.
func (h *history) job(row map[string]any) store.Job {
	created, ok := when(row["datetime_utc"])
	if now := time.Now(); !ok {
		created = h.last
	} else if created.After(now) {
		created = now // its id would be above those of all calls to come
	}
	h.last = created
	// Calls of one millisecond keep their order.
	at := created
	if before := store.IDTime(h.id); h.id != "" && !at.Truncate(time.Millisecond).After(before) && before.Sub(at) < time.Second {
		at = before.Add(time.Millisecond)
	}
	h.id = store.IDAt(at)

	cli := cellText(row["cli"])
	job := store.Job{
		ID: h.id, Principal: store.Local, Tool: strings.TrimPrefix(cli+"_request", "_"), CLI: cli, State: store.Done, Created: created,
		Model: cellText(row["model"]), ModelAsked: cellText(row["model"]), Prompt: cellText(row["prompt"]),
		SessionID: cellText(row["session_id"]), CorrelationID: cellText(row["id"]),
		Outcome: store.Outcome{
			Response: cellText(row["response"]), ErrorMessage: cellText(row["error_message"]),
			InputTokens: cellCount(row["input_tokens"]), OutputTokens: cellCount(row["output_tokens"]),
			CacheReadTokens: cellCount(row["cache_read_tokens"]), CacheWriteTokens: cellCount(row["cache_creation_tokens"]),
		},
	}
	o := &job.Outcome
	if cost, ok := cellNumber(row["cost_usd"]); ok && cost >= 0 {
		o.CostUSD = &cost
	}
	if code := cellCount(row["exit_code"]); code != nil {
		o.ExitCode = new(int(*code))
	}
	if ms := cellCount(row["duration_ms"]); ms != nil {
		o.Duration = time.Duration(min(*ms, int64(maxEarlier/time.Millisecond))) * time.Millisecond
	}
	o.Ended = created.Add(o.Duration)
	switch status := cellText(row["status"]); {
	case status == "failed", status == "" && (o.ErrorMessage != "" || o.ExitCode != nil && *o.ExitCode != 0):
		o.Ending = store.EndError
	case status == "completed", status == "" && o.Response != "":
		o.Ending = store.EndOK
	default:
		o.Ending, o.Detail = store.EndLost, "the earlier gateway recorded no end"
	}
	return job
}

// maxEarlier is the longest time that is believed of a call.
const maxEarlier = 365 * 24 * time.Hour

// when reads a time as an earlier gateway wrote it, in UTC.
func when(v any) (time.Time, bool) {
	text := cellText(v)
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02 15:04:05.999999999", "2006-01-02T15:04:05.999999999"} {
		if t, err := time.Parse(layout, text); err == nil && t.Unix() >= 0 {
			return t, true
		}
	}
	return time.Time{}, false
}

// cellText is a cell as text.
func cellText(v any) string {
	switch v := v.(type) {
	case nil:
		return ""
	case []byte:
		return string(v)
	case time.Time:
		return v.Format(time.RFC3339Nano)
	}
	return fmt.Sprint(v)
}

// cellNumber is a cell as a number, also one that was written as text.
func cellNumber(v any) (float64, bool) {
	n, err := strconv.ParseFloat(cellText(v), 64)
	return n, err == nil && n-n == 0 // neither infinite nor NaN
}

// cellCount is a cell as a number that counts; nil if it is none.
func cellCount(v any) *int64 {
	if n, ok := cellNumber(v); ok && n >= 0 && n < 1<<53 {
		return new(int64(n))
	}
	return nil
}
