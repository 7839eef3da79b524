package sqlite

import (
	"slices"
	"strings"
	"testing"

	"github.com/llm-cli-gateway/gateway/engine/store"
)

// TestIndexIsWhatTheRowsAre: also where others than this gateway change them, or the file is
// tidied up.
func TestIndexIsWhatTheRowsAre(t *testing.T) {
	s := newStore(t)
	var ids []string
	for _, text := range []string{"first needle", "second needle", "third needle", strings.Repeat("needle ", indexChars/7+1), "last needle"} {
		id := mustBegin(t, s, store.Job{Prompt: text})
		if err := s.Finish(ctx, id, store.Outcome{Ending: store.EndOK, Response: "answer"}, nil); err != nil {
			t.Fatal(err)
		}
		ids = append([]string{id}, ids...)
	}
	want := func(left ...string) {
		t.Helper()
		var got []string
		jobs, err := s.Jobs(ctx, store.Filter{Principal: store.Local, Text: "needle answer"})
		for _, job := range jobs {
			got = append(got, job.ID)
		}
		if err != nil || !slices.Equal(got, left) {
			t.Errorf("%q, %v; want %q", got, err, left)
		}
		// With 1 it is compared with the texts of the rows.
		if _, err := s.writer.Exec("INSERT INTO search(search, rank) VALUES('integrity-check', 1)"); err != nil {
			t.Error(err)
		}
		var words int
		if err := s.writer.QueryRow("SELECT count(*) FROM search WHERE search MATCH 'needle'").Scan(&words); err != nil || words != len(left) {
			t.Errorf("%d are in the index, %v", words, err)
		}
	}
	// A long text is a transaction of its own.
	if more, err := s.IndexTexts(ctx); !more || err != nil {
		t.Error(more, err)
	}
	want(ids...)
	// Statements of a person, or of a gateway that knows no index.
	raw(t, s.path, "DELETE FROM job WHERE id = '"+ids[1]+"'", "UPDATE job SET prompt = NULL, response = NULL WHERE id = '"+ids[0]+"'")
	want(ids[2:]...)
	raw(t, s.path, "DELETE FROM job WHERE id = '"+ids[4]+"'", "VACUUM")
	want(ids[2:4]...)
}

// TestNothingToIndexWritesNothing: gateways look often.
func TestNothingToIndexWritesNothing(t *testing.T) {
	s := newStore(t)
	mustBegin(t, s, store.Job{Prompt: "it runs"})
	changes := func() (n int) {
		t.Helper()
		if err := s.writer.QueryRow("SELECT total_changes()").Scan(&n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	before := changes()
	for range 3 {
		if more, err := s.IndexTexts(ctx); more || err != nil {
			t.Error(more, err)
		}
	}
	if after := changes(); after != before {
		t.Errorf("%d rows were changed", after-before)
	}
}
