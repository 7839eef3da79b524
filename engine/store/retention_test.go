package store

import (
	"errors"
	"path/filepath"
	"slices"
	"testing"
	"time"
)

func TestExpiredAndDelete(t *testing.T) {
	s, err := Open(filepath.Join(t.TempDir(), "logs.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	day := func(n int) time.Time { return time.Now().AddDate(0, 0, -n) }
	add := func(tool string, created, ended time.Time) string {
		t.Helper()
		id := FirstID(created)[:10] + NewID()[10:]
		if err := s.Begin(t.Context(), Job{ID: id, Tool: tool, Created: created}); err != nil {
			t.Fatal(err)
		}
		if !ended.IsZero() {
			if err := s.Finish(t.Context(), id, Outcome{Ending: EndOK, Ended: ended}); err != nil {
				t.Fatal(err)
			}
		}
		return id
	}
	sync := add("acme_request", day(60), day(60))
	older := add("acme_request_async", day(50), day(49))
	old := add("acme_request_async", day(40), day(35))
	long := add("acme_request_async", day(40), day(2))
	live := add("acme_request_async", day(61), time.Time{})
	fresh := add("acme_request_async", day(1), day(1))

	got, err := s.Expired(t.Context(), day(30))
	if err != nil || !slices.Equal(got, []string{sync, older, old}) {
		t.Errorf("expired: %q, %v; want %q", got, err, []string{sync, older, old})
	}
	for _, id := range append(got, live, NewID()) {
		if err := s.Delete(t.Context(), id); err != nil {
			t.Error(err)
		}
	}
	if _, err := s.Job(t.Context(), old); !errors.Is(err, ErrNotFound) {
		t.Errorf("the row is still there: %v", err)
	}
	for _, id := range []string{long, live, fresh} {
		if _, err := s.Job(t.Context(), id); err != nil {
			t.Error(err)
		}
	}
	jobs, err := s.Jobs(t.Context(), Filter{Endings: []Ending{EndOK, EndLost}})
	if err != nil || len(jobs) != 2 || jobs[0].ID != fresh || jobs[1].ID != long {
		t.Errorf("%v %v", jobs, err)
	}
}
