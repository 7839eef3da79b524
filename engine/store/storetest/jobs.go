package storetest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/llm-cli-gateway/gateway/engine/store"
)

// later are the fields of a job that had more than one attempt, of rows that are not whole, and what
// is never read.
var later = []string{"Attempt", "Begun", "Next", "Asked", "Fit", "Refused", "TextsDropped"}

func jobFieldsSurvive(t *testing.T, s Store) {
	want := FullJob()
	wantNoZeroField(t, want, append([]string{"State", "Outcome", "ResponseBytes"}, later...)...)
	if err := s.Begin(ctx, want); err != nil {
		t.Fatal(err)
	}
	want.State = store.Live
	if got := jobOf(t, s, want.ID); !reflect.DeepEqual(got, want) {
		t.Errorf("after Begin:\n got %+v\nwant %+v", got, want)
	}

	outcome := FullOutcome()
	wantNoZeroField(t, outcome, "Model")
	if err := s.Finish(ctx, want.ID, outcome, nil); err != nil {
		t.Fatal(err)
	}
	want.State, want.Outcome, want.ResponseBytes = store.Done, outcome, int64(len(outcome.Response))
	wantNoZeroField(t, want, later...)
	if got := jobOf(t, s, want.ID); !reflect.DeepEqual(got, want) {
		t.Errorf("after Finish:\n got %+v\nwant %+v", got, want)
	}
	list, err := s.Jobs(ctx, store.Filter{Principal: store.Local})
	if err != nil || len(list) != 1 || !reflect.DeepEqual(list[0], want) {
		t.Errorf("Jobs:\n got %+v, %v\nwant %+v", list, err, want)
	}
}

func finishOnce(t *testing.T, s Store) {
	id := begin(t, s, store.Job{})
	finish(t, s, id, store.Outcome{Ending: store.EndOK, Response: "first"})
	if err := s.Finish(ctx, id, store.Outcome{Ending: store.EndLost, Response: "second"}, nil); !errors.Is(err, store.ErrDone) {
		t.Errorf("second Finish: %v, want ErrDone", err)
	}
	if job := jobOf(t, s, id); job.Outcome.Ending != store.EndOK || job.Outcome.Response != "first" {
		t.Errorf("the second Finish changed the row: %+v", job.Outcome)
	}
	if err := s.Finish(ctx, store.NewID(), store.Outcome{Ending: store.EndOK}, nil); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("Finish of nothing: %v, want ErrNotFound", err)
	}
	if _, err := s.Job(ctx, store.Local, store.NewID()); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("Job of nothing: %v, want ErrNotFound", err)
	}
}

func finishNeedsEnding(t *testing.T, s Store) {
	id := begin(t, s, store.Job{})
	for _, ending := range []store.Ending{"", "splendid"} {
		if err := s.Finish(ctx, id, store.Outcome{Ending: ending}, nil); err == nil {
			t.Errorf("ending %q was accepted", ending)
		}
	}
	if job := jobOf(t, s, id); job.State != store.Live {
		t.Errorf("state %q", job.State)
	}
}

func finishOutlivesContext(t *testing.T, s Store) {
	gone, cancel := context.WithCancel(ctx)
	cancel()
	id := begin(t, s, store.Job{})
	if err := s.Finish(gone, id, store.Outcome{Ending: store.EndCanceled}, nil); err != nil {
		t.Errorf("Finish: %v", err)
	}
	if err := s.Begin(gone, store.Job{Principal: store.Local, ID: store.NewID(), Tool: "x"}); !errors.Is(err, context.Canceled) {
		t.Errorf("Begin: %v, want the context's error", err)
	}
}

func beginRefuses(t *testing.T, s Store) {
	first := begin(t, s, store.Job{DedupKey: "k"})
	if err := s.Begin(ctx, store.Job{Principal: store.Local, ID: store.NewID(), Tool: "x", DedupKey: "k"}); !errors.Is(err, store.ErrDuplicate) {
		t.Errorf("same dedup key: %v, want ErrDuplicate", err)
	}
	for name, job := range map[string]store.Job{
		"same id":  {ID: first, Tool: "x"},
		"no tool":  {ID: store.NewID()},
		"no id":    {Tool: "x"},
		"path id":  {ID: "../../../etc/passwd/aaaaaaa", Tool: "x"},
		"bad args": {ID: store.NewID(), Tool: "x", Args: json.RawMessage("{")},
	} {
		job.Principal = store.Local
		if err := s.Begin(ctx, job); err == nil || errors.Is(err, store.ErrDuplicate) {
			t.Errorf("%s: %v", name, err)
		}
	}
	finish(t, s, first, store.Outcome{Ending: store.EndOK})
	begin(t, s, store.Job{DedupKey: "k"}) // the key is free again
}

func answeringModel(t *testing.T, s Store) {
	for answered, want := range map[string]string{"": "asked", "other": "other"} {
		id := begin(t, s, store.Job{Model: "asked"})
		finish(t, s, id, store.Outcome{Ending: store.EndOK, Model: answered})
		if got := jobOf(t, s, id).Model; got != want {
			t.Errorf("answered %q: model %q, want %q", answered, got, want)
		}
	}
}

func longAndInvalidTexts(t *testing.T, s Store) {
	prompt := strings.Repeat("世", 100_000)
	long := strings.Repeat("a", store.MaxResponse-1) + "世 and the rest"
	id := begin(t, s, store.Job{Prompt: prompt + "\xff\xfe|\x00|"})
	finish(t, s, id, store.Outcome{Ending: store.EndOK, Response: long})
	job := jobOf(t, s, id)
	if want := prompt + "\uFFFD|\uFFFD|"; job.Prompt != want {
		t.Errorf("prompt of %d bytes, want %d", len(job.Prompt), len(want))
	}
	if want := long[:store.MaxResponse-1]; job.Outcome.Response != want {
		t.Errorf("response of %d bytes, want %d", len(job.Outcome.Response), len(want))
	}
	if job.ResponseBytes != int64(len(long)) {
		t.Errorf("ResponseBytes %d, want %d", job.ResponseBytes, len(long))
	}
	list, err := s.Jobs(ctx, store.Filter{Principal: store.Local})
	if err != nil {
		t.Fatal(err)
	}
	if got := list[0].Prompt; got != strings.Repeat("世", 1000) {
		t.Errorf("listed prompt of %d bytes", len(got))
	}
	if got := len(list[0].Outcome.Response); got != 1000 {
		t.Errorf("listed response of %d bytes", got)
	}
}

func filter(t *testing.T, s Store) {
	var ids []string
	for i := range 6 {
		job := store.Job{CLI: []string{"acme", "zeta"}[i%2], Tool: fmt.Sprintf("tool%d", i%3), CorrelationID: "cor"}
		if i == 5 {
			job.CorrelationID = "other"
		}
		ids = append(ids, begin(t, s, job))
	}
	for _, i := range []int{0, 1} {
		finish(t, s, ids[i], store.Outcome{Ending: store.EndError})
	}
	tests := []struct {
		name   string
		filter store.Filter
		want   []int
	}{
		{"all, newest first", store.Filter{Principal: store.Local}, []int{5, 4, 3, 2, 1, 0}},
		{"cli", store.Filter{Principal: store.Local, CLI: "acme"}, []int{4, 2, 0}},
		{"tool", store.Filter{Principal: store.Local, Tool: "tool1"}, []int{4, 1}},
		{"correlation", store.Filter{Principal: store.Local, CorrelationID: "cor"}, []int{4, 3, 2, 1, 0}},
		{"state", store.Filter{Principal: store.Local, State: store.Done}, []int{1, 0}},
		{"limit", store.Filter{Principal: store.Local, Limit: 2}, []int{5, 4}},
		{"before", store.Filter{Principal: store.Local, Before: ids[3]}, []int{2, 1, 0}},
		{"every field", store.Filter{Principal: store.Local, CLI: "acme", Tool: "tool2", CorrelationID: "cor", State: store.Live, Limit: 9, Before: ids[4]}, []int{2}},
		{"nothing", store.Filter{Principal: store.Local, CLI: "' OR 1=1 --"}, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			list, err := s.Jobs(ctx, tt.filter)
			if err != nil {
				t.Fatal(err)
			}
			var got, want []string
			for _, job := range list {
				got = append(got, job.ID)
			}
			for _, i := range tt.want {
				want = append(want, ids[i])
			}
			if !reflect.DeepEqual(got, want) {
				t.Errorf("got %v, want %v", got, want)
			}
		})
	}
}

func expireAndDelete(t *testing.T, s Store) {
	day := func(n int) time.Time { return time.Now().AddDate(0, 0, -n) }
	add := func(tool string, created, ended time.Time) string {
		t.Helper()
		id := idAt(created)
		begin(t, s, store.Job{ID: id, Tool: tool, Created: created})
		if !ended.IsZero() {
			finish(t, s, id, store.Outcome{Ending: store.EndOK, Ended: ended})
		}
		return id
	}
	sync := add("acme_request", day(60), day(60))
	older := add("acme_request_async", day(50), day(49))
	old := add("acme_request_async", day(40), day(35))
	long := add("acme_request_async", day(40), day(2))
	live := add("acme_request_async", day(61), time.Time{})
	fresh := add("acme_request_async", day(1), day(1))

	got, err := s.ExpiredJobs(ctx, day(30))
	if err != nil || !slices.Equal(got, []string{sync, older, old}) {
		t.Errorf("expired: %q, %v; want %q", got, err, []string{sync, older, old})
	}
	for _, id := range append(got, live, store.NewID()) {
		if err := s.DeleteJob(ctx, id); err != nil {
			t.Error(err)
		}
	}
	if _, err := s.Job(ctx, store.Local, old); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("the row is still there: %v", err)
	}
	for _, id := range []string{long, live, fresh} {
		if _, err := s.Job(ctx, store.Local, id); err != nil {
			t.Error(err)
		}
	}
	jobs, err := s.Jobs(ctx, store.Filter{Principal: store.Local, Endings: []store.Ending{store.EndOK, store.EndLost}})
	if err != nil || len(jobs) != 2 || jobs[0].ID != fresh || jobs[1].ID != long {
		t.Errorf("%v %v", jobs, err)
	}
}

func emptyFields(t *testing.T, s Store) {
	before := time.Now().Truncate(0)
	id := begin(t, s, store.Job{})
	finish(t, s, id, store.Outcome{Ending: store.EndOK})
	job := jobOf(t, s, id)
	if job.Created.Before(before) || job.Outcome.Ended.Before(job.Created) || job.Outcome.ExitCode != nil || job.Argv != nil {
		t.Errorf("got %+v", job)
	}
}

func jobLimit(t *testing.T, s Store) {
	const rows = store.DefaultLimit + 2
	for range rows {
		begin(t, s, store.Job{})
	}
	for limit, want := range map[int]int{0: store.DefaultLimit, -1: store.DefaultLimit, 7: 7, 1000: rows} {
		if got, err := s.Jobs(ctx, store.Filter{Principal: store.Local, Limit: limit}); err != nil || len(got) != want {
			t.Errorf("limit %d: %d, %v", limit, len(got), err)
		}
	}
}

func manyGoroutines(t *testing.T, s Store) {
	const makers, each = 8, 25
	var wait sync.WaitGroup
	for range makers {
		wait.Go(func() {
			for range each {
				id := store.NewID()
				err := s.Begin(ctx, store.Job{ID: id, Principal: store.Local, Tool: "acme_request", Prompt: strings.Repeat("p", 2000)})
				if err == nil {
					err = s.Finish(ctx, id, store.Outcome{Ending: store.EndOK, Response: strings.Repeat("r", 2000)}, nil)
				}
				if err != nil {
					t.Error(err)
				}
				if _, err := s.Jobs(ctx, store.Filter{Principal: store.Local, Limit: 3}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wait.Wait()
	if done, err := s.Jobs(ctx, store.Filter{Principal: store.Local, State: store.Done, Limit: store.MaxLimit}); err != nil || len(done) != makers*each {
		t.Errorf("%d jobs, %v", len(done), err)
	}
}

func closed(t *testing.T, s Store) {
	id := begin(t, s, store.Job{})
	for range 2 {
		if err := s.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	}
	if err := s.Finish(ctx, id, store.Outcome{Ending: store.EndOK}, nil); err == nil {
		t.Error("a closed store finished a job")
	}
	if _, err := s.Job(ctx, store.Local, id); err == nil || errors.Is(err, store.ErrNotFound) {
		t.Errorf("a closed store read: %v", err)
	}
}

func recentModels(t *testing.T, s Store) {
	for _, call := range []struct {
		cli, asked, answered string
		ending               store.Ending
	}{
		{"acme", "old", "", store.EndOK},
		{"acme", "big", "", store.EndOK},
		{"zeta", "big", "big-2", store.EndOK},
		{"acme", "", "", store.EndOK},
		{"acme", "wrong", "", store.EndError},
		{"acme", "slow", "", store.EndTimeout},
		{"acme", "old", "", store.EndOK},
		{"acme", "running", "", ""},
	} {
		id := begin(t, s, store.Job{CLI: call.cli, Model: call.asked})
		if call.ending == "" {
			continue
		}
		finish(t, s, id, store.Outcome{Ending: call.ending, Model: call.answered})
	}
	for rows, want := range map[int][]store.UsedModel{
		100: {{CLI: "acme", Model: "old"}, {CLI: "zeta", Model: "big-2"}, {CLI: "acme", Model: "big"}},
		6:   {{CLI: "acme", Model: "old"}, {CLI: "zeta", Model: "big-2"}},
		1:   nil,
	} {
		if got, err := s.RecentModels(ctx, store.Local, rows); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("of %d rows: %v %v, want %v", rows, got, err, want)
		}
	}
}

func importJob(t *testing.T, s Store) {
	code := 0
	done := store.Job{Principal: store.Local, ID: store.NewID(), Tool: "acme_request", Prompt: "hi", State: store.Done,
		Outcome: store.Outcome{Ending: store.EndOK, Response: strings.Repeat("é", store.MaxResponse), ExitCode: &code, Ended: time.Now()}}
	live := store.Job{Principal: store.Local, ID: store.NewID(), Tool: "acme_request", DedupKey: "k", Owner: "me"}
	for _, job := range []store.Job{done, live} {
		if made, err := s.ImportJob(ctx, job); !made || err != nil {
			t.Fatalf("%v %v", made, err)
		}
		if made, err := s.ImportJob(ctx, job); made || err != nil {
			t.Errorf("twice: %v %v", made, err)
		}
	}
	if row, err := s.Job(ctx, store.Local, done.ID); err != nil || row.State != store.Done || row.Outcome.Ending != store.EndOK || *row.Outcome.ExitCode != 0 ||
		row.ResponseBytes != 2*store.MaxResponse || len(row.Outcome.Response) != store.MaxResponse || row.Prompt != "hi" {
		t.Errorf("%v %d %v", row.State, row.ResponseBytes, err)
	}
	if err := s.Finish(ctx, live.ID, store.Outcome{Ending: store.EndCanceled}, nil); err != nil {
		t.Error(err)
	}
	if _, err := s.ImportJob(ctx, store.Job{Principal: store.Local, ID: "../x", Tool: "t"}); err == nil {
		t.Error("what is no id was taken")
	}
}
