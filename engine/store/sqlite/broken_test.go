package sqlite

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/llm-cli-gateway/gateway/engine/store"
)

// raw runs SQL on the file with no rule of ours in the way.
func raw(t *testing.T, path string, statements ...string) {
	t.Helper()
	db, err := connect(strings.Split(dataSource(path, false), "?")[0], 1)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	for _, statement := range statements {
		if _, err := db.Exec(statement); err != nil {
			t.Fatalf("%s: %v", statement, err)
		}
	}
}

// used makes a closed database of ours with some rows in it.
func used(t *testing.T, path string, rows int) {
	t.Helper()
	s, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	for range rows {
		mustBegin(t, s, store.Job{Prompt: strings.Repeat("p", 3000)})
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}

func write(t *testing.T, path, content string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

func overwrite(t *testing.T, path string, at int64, content []byte) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteAt(content, at); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
}

func wantFileError(t *testing.T, err error, path, problem string) {
	t.Helper()
	var file *FileError
	if !errors.As(err, &file) {
		t.Fatalf("got %v, want a *FileError", err)
	}
	if !strings.Contains(file.Problem, problem) {
		t.Errorf("problem %q, want one with %q", file.Problem, problem)
	}
	if file.Path != path {
		t.Errorf("path %q, want %q", file.Path, path)
	}
	for _, part := range []string{path, file.Problem, file.Fix} {
		if part == "" || !strings.Contains(err.Error(), part) {
			t.Errorf("the text %q lacks %q", err, part)
		}
	}
	t.Log(err)
}

func TestOpenRefusesAndLeavesTheFileAlone(t *testing.T) {
	tests := []struct {
		name    string
		make    func(t *testing.T, path string)
		problem string
	}{
		{"text file", func(t *testing.T, path string) {
			write(t, path, strings.Repeat("my diary, not a database\n", 400))
		}, "not a SQLite database"},
		{"one byte", func(t *testing.T, path string) {
			write(t, path, "x")
		}, "not a SQLite database"},
		{"half a page", func(t *testing.T, path string) {
			write(t, path, "SQLite format 3\x00 and no more")
		}, "not a SQLite database"},
		{"zeroed header", func(t *testing.T, path string) {
			used(t, path, 5)
			overwrite(t, path, 0, make([]byte, 100))
		}, "not a SQLite database"},
		{"truncated", func(t *testing.T, path string) {
			used(t, path, 20)
			if err := os.Truncate(path, 3*4096); err != nil {
				t.Fatal(err)
			}
		}, "damaged"},
		{"schema page damaged", func(t *testing.T, path string) {
			used(t, path, 5)
			overwrite(t, path, 100, bytes.Repeat([]byte{0xa5}, 3000))
		}, "damaged"},
		{"foreign, unmarked", func(t *testing.T, path string) {
			raw(t, path, "CREATE TABLE logs(id INTEGER)", "INSERT INTO logs VALUES(1)")
		}, "of another program"},
		{"foreign, marked", func(t *testing.T, path string) {
			raw(t, path, "PRAGMA application_id=252006673", "CREATE TABLE job(id INTEGER)")
		}, "of another program"},
		{"foreign, version only", func(t *testing.T, path string) {
			raw(t, path, "PRAGMA user_version=1000")
		}, "of another program"},
		{"newer major", func(t *testing.T, path string) {
			used(t, path, 1)
			raw(t, path, "PRAGMA user_version=2003")
		}, "newer gateway made it (schema 2.3"},
		{"table is missing", func(t *testing.T, path string) {
			used(t, path, 1)
			raw(t, path, "DROP VIEW requests", "DROP TABLE job")
		}, "tables are not those"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "calls.db")
			tt.make(t, path)
			before, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			makesNothing(t, filepath.Dir(path), func() { _, err = Inspect(ctx, path) })
			wantFileError(t, err, path, tt.problem)
			s, err := Open(path)
			if err == nil {
				s.Close()
			}
			wantFileError(t, err, path, tt.problem)
			after, err := os.ReadFile(path)
			if err != nil || !bytes.Equal(before, after) {
				t.Errorf("the file was changed: %d bytes, then %d, %v", len(before), len(after), err)
			}
		})
	}
}

func TestOpenRefusesWhatIsNoFile(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "file"), "")
	for _, tt := range []struct{ name, path, reported, problem string }{
		{"empty path", "", `""`, "path is empty"},
		{"folder", dir, dir, "is a folder"},
		{"device", os.DevNull, os.DevNull, "not a regular file"},
		{"below a file", filepath.Join(dir, "file", "calls.db"), filepath.Join(dir, "file", "calls.db"), "folder cannot be made"},
		{"NUL", filepath.Join(dir, "a\x00b"), filepath.Join(dir, "a\x00b"), "cannot be used here"},
		{"name too long", filepath.Join(dir, strings.Repeat("n", 300)), filepath.Join(dir, strings.Repeat("n", 300)), "cannot be used here"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := Open(tt.path)
			wantFileError(t, err, tt.reported, tt.problem)
			_, err = Inspect(ctx, tt.path)
			wantFileError(t, err, tt.reported, tt.problem)
		})
	}
}

func TestEmptyFileIsNew(t *testing.T) {
	path := filepath.Join(t.TempDir(), "calls.db")
	write(t, path, "")
	mustBegin(t, mustOpen(t, path), store.Job{})
}

// A damage that no header shows is found by the verb that meets it.
func TestDamageInsideIsReported(t *testing.T) {
	path := filepath.Join(t.TempDir(), "calls.db")
	used(t, path, 40)
	for _, page := range pagesOf(t, path, "job") {
		overwrite(t, path, 4096*(page-1), bytes.Repeat([]byte{0xa5}, 4096))
	}
	s := mustOpen(t, path)
	wantFileError(t, s.Begin(ctx, store.Job{Principal: store.Local, ID: store.NewID(), Tool: "x"}), path, "damaged")
	_, err := s.Jobs(ctx, store.Filter{Principal: store.Local})
	wantFileError(t, err, path, "damaged")
	_, err = s.Job(ctx, store.Local, store.NewID())
	wantFileError(t, err, path, "damaged")
}

// pagesOf are the first pages of a table and of its indices.
func pagesOf(t *testing.T, path, table string) (pages []int64) {
	t.Helper()
	s := mustOpen(t, path)
	defer s.Close()
	rows, err := s.reader.Query("SELECT rootpage FROM sqlite_schema WHERE tbl_name = ? AND rootpage > 0", table)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var page int64
		if err := rows.Scan(&page); err != nil {
			t.Fatal(err)
		}
		pages = append(pages, page)
	}
	return pages
}

func TestFullDiskIsReportedAndPasses(t *testing.T) {
	s := newStore(t)
	id := mustBegin(t, s, store.Job{})
	limit := func(pages int) {
		t.Helper()
		if _, err := s.writer.Exec(fmt.Sprintf("PRAGMA max_page_count=%d", pages)); err != nil {
			t.Fatal(err)
		}
	}
	limit(1) // SQLite makes it the present size
	big := store.Outcome{Ending: store.EndOK, Response: strings.Repeat("r", 100_000)}
	wantFileError(t, s.Finish(ctx, id, big, nil), s.path, "disk is full")
	if job := mustJob(t, s, id); job.State != store.Live {
		t.Errorf("state %q after a failed Finish", job.State)
	}
	limit(1 << 30)
	if err := s.Finish(ctx, id, big, nil); err != nil {
		t.Errorf("with space again: %v", err)
	}
}

func TestMovedFileIsNoticed(t *testing.T) {
	s := newStore(t)
	id := mustBegin(t, s, store.Job{})
	aside := s.path + ".old"
	if err := os.Rename(s.path, aside); err != nil {
		t.Fatal(err)
	}
	wantFileError(t, s.Begin(ctx, store.Job{Principal: store.Local, ID: store.NewID(), Tool: "x"}), s.path, "moved")
	write(t, s.path, "")
	wantFileError(t, s.Finish(ctx, id, store.Outcome{Ending: store.EndOK}, nil), s.path, "moved")
	if err := os.Rename(aside, s.path); err != nil {
		t.Fatal(err)
	}
	if err := s.Finish(ctx, id, store.Outcome{Ending: store.EndOK}, nil); err != nil {
		t.Error(err)
	}
}

func TestLockedIsReported(t *testing.T) {
	path := filepath.Join(t.TempDir(), "calls.db")
	unlock, err := lockOpening(path, 0)
	if err != nil {
		t.Fatal(err)
	}
	_, err = lockOpening(path, 0)
	wantFileError(t, err, path, "another program keeps it locked")
	unlock()
	unlock, err = lockOpening(path, 0)
	if err != nil {
		t.Fatal(err)
	}
	unlock()
}

func TestBusyIsReportedAndBounded(t *testing.T) {
	s := newStore(t)
	other := mustOpen(t, s.path)
	tx, err := other.writer.BeginTx(ctx, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer tx.Rollback()

	if _, err := s.writer.Exec("PRAGMA busy_timeout=1"); err != nil {
		t.Fatal(err)
	}
	wantFileError(t, s.Begin(ctx, store.Job{Principal: store.Local, ID: store.NewID(), Tool: "x"}), s.path, "locked")
}
