package store

import (
	"context"
	"encoding/json"
	"errors"
	"path/filepath"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"
)

// each runs a test on a database of either kind.
func each(t *testing.T, test func(t *testing.T, s *Store)) {
	t.Run("file", func(t *testing.T) {
		s, err := Open(filepath.Join(t.TempDir(), "logs.db"))
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		if s.Volatile() {
			t.Error("a file is volatile")
		}
		test(t, s)
	})
	t.Run("memory", func(t *testing.T) {
		s, err := OpenMemory()
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		if !s.Volatile() {
			t.Error("memory is not volatile")
		}
		test(t, s)
	})
}

func keyed(key string) Job { return Job{ID: NewID(), Tool: "acme_request", DedupKey: key} }

func TestBeginOnce(t *testing.T) {
	each(t, func(t *testing.T, s *Store) {
		ctx, hour := t.Context(), time.Now().Add(-time.Hour)
		begin := func(job Job, since time.Time) string {
			t.Helper()
			joined, err := s.BeginOnce(ctx, job, since)
			if err != nil {
				t.Fatal(err)
			}
			if joined == nil {
				return ""
			}
			return joined.ID
		}
		finish := func(job Job, e Ending, ended time.Time) {
			t.Helper()
			if err := s.Finish(ctx, job.ID, Outcome{Ending: e, Ended: ended}); err != nil {
				t.Fatal(err)
			}
		}
		first := keyed("k")
		if id := begin(first, hour); id != "" {
			t.Fatalf("joined %s of nobody", id)
		}
		if id := begin(keyed("k"), hour); id != first.ID {
			t.Errorf("a live one: joined %q", id)
		}
		if id := begin(keyed("other"), hour); id != "" {
			t.Errorf("another key: joined %q", id)
		}
		finish(first, EndError, time.Now())
		second := keyed("k")
		if id := begin(second, hour); id != "" {
			t.Errorf("a failed one: joined %q", id)
		}
		finish(second, EndOK, time.Now())
		if id := begin(keyed("k"), hour); id != second.ID {
			t.Errorf("a good one: joined %q", id)
		}
		// One that ended before the window is not joined, and a live one goes first.
		third := keyed("k")
		if id := begin(third, time.Now().Add(time.Minute)); id != "" {
			t.Errorf("an old one: joined %q", id)
		}
		if job, err := s.Joinable(ctx, "k", hour); err != nil || job.ID != third.ID {
			t.Errorf("%v %v", job.ID, err)
		}
		if _, err := s.Joinable(ctx, "nobody", hour); !errors.Is(err, ErrNotFound) {
			t.Error(err)
		}
		if err := s.Begin(ctx, keyed("k")); !errors.Is(err, ErrDuplicate) {
			t.Error(err)
		}
	})
}

// TestBeginOnceInARace: of many callers over two handles of one file one makes the row.
func TestBeginOnceInARace(t *testing.T) {
	path := filepath.Join(t.TempDir(), "logs.db")
	var handles []*Store
	for range 2 {
		s, err := Open(path)
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		handles = append(handles, s)
	}
	for _, key := range []string{"a", "b", "c", "d"} {
		var mu sync.Mutex
		made, joined := "", map[string]int{}
		var wg sync.WaitGroup
		for i := range 12 {
			wg.Go(func() {
				job := keyed(key)
				other, err := handles[i%2].BeginOnce(context.Background(), job, time.Now().Add(-time.Hour))
				mu.Lock()
				defer mu.Unlock()
				switch {
				case err != nil:
					t.Error(err)
				case other != nil:
					joined[other.ID]++
				case made != "":
					t.Errorf("%s and %s were both made", made, job.ID)
				default:
					made = job.ID
				}
			})
		}
		wg.Wait()
		if len(joined) != 1 || joined[made] != 11 {
			t.Errorf("made %s, joined %v", made, joined)
		}
	}
}

func TestPut(t *testing.T) {
	each(t, func(t *testing.T, s *Store) {
		ctx := t.Context()
		code := 0
		done := Job{ID: NewID(), Tool: "acme_request", Prompt: "hi", State: Done,
			Outcome: Outcome{Ending: EndOK, Response: strings.Repeat("é", MaxResponse), ExitCode: &code, Ended: time.Now()}}
		live := Job{ID: NewID(), Tool: "acme_request", DedupKey: "k", Owner: "me"}
		for _, job := range []Job{done, live} {
			if made, err := s.Put(ctx, job); !made || err != nil {
				t.Fatalf("%v %v", made, err)
			}
			if made, err := s.Put(ctx, job); made || err != nil {
				t.Errorf("twice: %v %v", made, err)
			}
		}
		if row, err := s.Job(ctx, done.ID); err != nil || row.State != Done || row.Outcome.Ending != EndOK || *row.Outcome.ExitCode != 0 ||
			row.ResponseBytes != 2*MaxResponse || len(row.Outcome.Response) != MaxResponse || row.Prompt != "hi" {
			t.Errorf("%v %d %v", row.State, row.ResponseBytes, err)
		}
		if err := s.Finish(ctx, live.ID, Outcome{Ending: EndCanceled}); err != nil {
			t.Error(err)
		}
		if _, err := s.Put(ctx, Job{ID: "../x", Tool: "t"}); err == nil {
			t.Error("what is no id was taken")
		}
	})
}

func TestJoins(t *testing.T) {
	each(t, func(t *testing.T, s *Store) {
		ctx, at := t.Context(), time.Unix(0, 1_900_000_000_123_456_789).UTC()
		job, other := keyed("k"), keyed("other")
		for _, j := range []Job{job, other} {
			if err := s.Begin(ctx, j); err != nil {
				t.Fatal(err)
			}
		}
		first := Join{JobID: job.ID, Tool: "acme_request", ParentID: NewID(), CorrelationID: "cor", Approval: json.RawMessage(`{"score":1}`),
			GatewayVersion: "1", ClientName: "desk", ClientVersion: "2", Created: at}
		second := Join{JobID: job.ID, Tool: "acme_request_async", Created: at} // the same moment
		strange := Join{JobID: other.ID, Tool: "acme_request"}
		for _, j := range []Join{first, second, strange} {
			if err := s.Join(ctx, j); err != nil {
				t.Fatal(err)
			}
		}
		if got, err := s.Joins(ctx, job.ID, 0); err != nil || !reflect.DeepEqual(got, []Join{second, first}) {
			t.Errorf("%+v, %v", got, err)
		}
		if got, err := s.Joins(ctx, job.ID, 1); err != nil || !reflect.DeepEqual(got, []Join{second}) {
			t.Errorf("one: %+v, %v", got, err)
		}
		if got, err := s.Joins(ctx, other.ID, 0); err != nil || len(got) != 1 || time.Since(got[0].Created) > time.Hour {
			t.Errorf("%+v, %v", got, err)
		}
		if err := s.Join(ctx, Join{JobID: "../x", Tool: "t"}); err == nil {
			t.Error("what is no id was joined")
		}
		// They go with the job, and not before.
		for _, id := range []string{job.ID, other.ID} {
			if id == job.ID {
				if err := s.Finish(ctx, id, Outcome{Ending: EndOK}); err != nil {
					t.Fatal(err)
				}
			}
			if err := s.Delete(ctx, id); err != nil {
				t.Fatal(err)
			}
			if got, err := s.Joins(ctx, id, 0); err != nil || (len(got) > 0) != (id == other.ID) {
				t.Errorf("%+v, %v", got, err)
			}
		}
	})
}
