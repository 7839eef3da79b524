package storetest

import (
	"errors"
	"reflect"
	"sync"
	"testing"
	"time"

	"github.com/llm-cli-gateway/gateway/engine/store"
)

func beginOrJoin(t *testing.T, s Store) {
	hour := time.Now().Add(-time.Hour)
	begin := func(job store.Job, since time.Time) string {
		t.Helper()
		joined, err := s.BeginOrJoin(ctx, job, since)
		if err != nil {
			t.Fatal(err)
		}
		if joined == nil {
			return ""
		}
		return joined.ID
	}
	finish := func(job store.Job, e store.Ending, ended time.Time) {
		t.Helper()
		if err := s.Finish(ctx, job.ID, store.Outcome{Ending: e, Ended: ended}, nil); err != nil {
			t.Fatal(err)
		}
	}
	first := keyedJob(store.Local, "k")
	if id := begin(first, hour); id != "" {
		t.Fatalf("joined %s of nobody", id)
	}
	if id := begin(keyedJob(store.Local, "k"), hour); id != first.ID {
		t.Errorf("a live one: joined %q", id)
	}
	if id := begin(keyedJob(store.Local, "other"), hour); id != "" {
		t.Errorf("another key: joined %q", id)
	}
	finish(first, store.EndError, time.Now())
	second := keyedJob(store.Local, "k")
	if id := begin(second, hour); id != "" {
		t.Errorf("a failed one: joined %q", id)
	}
	finish(second, store.EndOK, time.Now())
	if id := begin(keyedJob(store.Local, "k"), hour); id != second.ID {
		t.Errorf("a good one: joined %q", id)
	}
	// One that ended before the window is not joined, and a live one goes first.
	third := keyedJob(store.Local, "k")
	if id := begin(third, time.Now().Add(time.Minute)); id != "" {
		t.Errorf("an old one: joined %q", id)
	}
	if job, err := s.FindJoinable(ctx, store.Local, "k", hour); err != nil || job.ID != third.ID {
		t.Errorf("%v %v", job.ID, err)
	}
	if _, err := s.FindJoinable(ctx, store.Local, "nobody", hour); !errors.Is(err, store.ErrNotFound) {
		t.Error(err)
	}
	if err := s.Begin(ctx, keyedJob(store.Local, "k")); !errors.Is(err, store.ErrDuplicate) {
		t.Error(err)
	}
}

func joinsSurvive(t *testing.T, s Store) {
	job, other := keyedJob(store.Local, "k"), keyedJob(store.Local, "other")
	for _, j := range []store.Job{job, other} {
		if err := s.Begin(ctx, j); err != nil {
			t.Fatal(err)
		}
	}
	first := fullJoin(job.ID)
	wantNoZeroField(t, first)
	second := store.Join{Principal: store.Local, JobID: job.ID, Tool: "acme_request_async", Created: first.Created} // the same moment
	strange := store.Join{Principal: store.Local, JobID: other.ID, Tool: "acme_request"}
	for _, j := range []store.Join{first, second, strange} {
		if err := s.RecordJoin(ctx, j); err != nil {
			t.Fatal(err)
		}
	}
	if got, err := s.Joins(ctx, store.Local, job.ID, 0); err != nil || !reflect.DeepEqual(got, []store.Join{second, first}) {
		t.Errorf("%+v, %v", got, err)
	}
	if got, err := s.Joins(ctx, store.Local, job.ID, 1); err != nil || !reflect.DeepEqual(got, []store.Join{second}) {
		t.Errorf("one: %+v, %v", got, err)
	}
	if got, err := s.Joins(ctx, store.Local, other.ID, 0); err != nil || len(got) != 1 || time.Since(got[0].Created) > time.Hour {
		t.Errorf("%+v, %v", got, err)
	}
	if err := s.RecordJoin(ctx, store.Join{Principal: store.Local, JobID: "../x", Tool: "t"}); err == nil {
		t.Error("what is no id was joined")
	}
	// They go with the job, and not before.
	for _, id := range []string{job.ID, other.ID} {
		if id == job.ID {
			finish(t, s, id, store.Outcome{Ending: store.EndOK})
		}
		if err := s.DeleteJob(ctx, id); err != nil {
			t.Fatal(err)
		}
		if got, err := s.Joins(ctx, store.Local, id, 0); err != nil || (len(got) > 0) != (id == other.ID) {
			t.Errorf("%+v, %v", got, err)
		}
	}
}

// OneBegins tests that of many equal calls at once one makes the row, and the others join
// it. The handles are of one store.
func OneBegins(t *testing.T, handles ...Store) {
	for _, key := range []string{"a", "b", "c", "d"} {
		var mu sync.Mutex
		made, joined := "", map[string]int{}
		var wait sync.WaitGroup
		for i := range 12 {
			wait.Go(func() {
				job := keyedJob(store.Local, key)
				other, err := handles[i%len(handles)].BeginOrJoin(ctx, job, time.Now().Add(-time.Hour))
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
		wait.Wait()
		if len(joined) != 1 || joined[made] != 11 {
			t.Errorf("made %s, joined %v", made, joined)
		}
	}
}
