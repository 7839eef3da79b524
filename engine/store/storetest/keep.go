package storetest

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/llm-cli-gateway/gateway/engine/store"
)

// refusedCall is a call that no job was accepted for.
func refusedCall() store.Job {
	return store.Job{ID: store.NewID(), Principal: store.Local, Tool: "acme_request", CLI: "acme", DedupKey: "k", Refused: true, State: store.Done,
		Args: json.RawMessage(`{"n":"x"}`), Created: time.Unix(1_700_000_000, 0).UTC(),
		Outcome: store.Outcome{Ending: store.EndStartFailed, ErrorClass: "usage", ErrorMessage: "n must be a number", Detail: "arguments", Ended: time.Unix(1_700_000_001, 0).UTC()}}
}

func refusedCalls(t *testing.T, s Store) {
	want := refusedCall()
	if made, err := s.ImportJob(ctx, want); !made || err != nil {
		t.Fatal(made, err)
	}
	if got := jobOf(t, s, want.ID); !reflect.DeepEqual(got, want) {
		t.Errorf("\n got %+v\nwant %+v", got, want)
	}
	ran := begin(t, s, store.Job{})
	for refused, want := range map[bool][]string{false: {ran}, true: {ran, want.ID}} {
		if got := idsOf(t, s, store.Filter{Refused: refused}); !slices.Equal(got, want) {
			t.Errorf("refused %t: %q, want %q", refused, got, want)
		}
	}
	if job, err := s.FindJoinable(ctx, store.Local, "k", time.Unix(1, 0)); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("one shares a call that was refused: %+v, %v", job, err)
	}
}

// idAt is an id as it is made at a time.
func idAt(t time.Time) string { return store.FirstID(t)[:10] + store.NewID()[10:] }

// endedJob is a job that ended at a time, with all texts.
func endedJob(t *testing.T, s Store, ended time.Time, prompt, response string) string {
	t.Helper()
	job := FullJob()
	job.ID, job.Waiting, job.DedupKey, job.Opens, job.Prompt = idAt(ended.Add(-time.Minute)), store.Waiting{Question: "May it?"}, "", false, prompt
	begin(t, s, job)
	finish(t, s, job.ID, store.Outcome{Ending: store.EndOK, Ended: ended, Response: response})
	return job.ID
}

func textsDropped(t *testing.T, s Store) {
	now := time.Now()
	month := now.AddDate(0, 0, -30)
	var old []string
	for i := range 45 { // more than go at once
		old = append(old, endedJob(t, s, month.Add(time.Duration(i-100)*time.Minute), "asked", "said"))
	}
	late := endedJob(t, s, month.Add(time.Minute), "asked", "said")
	live := begin(t, s, store.Job{ID: idAt(month.AddDate(0, 0, -1)), Prompt: "asked"})
	drop := func(before time.Time) (all int) {
		t.Helper()
		for {
			n, err := s.DropTexts(ctx, before)
			if err != nil {
				t.Fatal(err)
			}
			if all += n; n == 0 {
				return all
			}
		}
	}
	if n := drop(month); n != len(old) {
		t.Errorf("%d lost their texts, want %d", n, len(old))
	}
	if n := drop(month); n != 0 {
		t.Errorf("%d once more", n)
	}
	job := jobOf(t, s, old[0])
	if job.Prompt+job.Outcome.Response+job.Waiting.Question != "" || job.Args != nil || job.Argv != nil || job.TextsDropped.IsZero() || job.ResponseBytes != 4 || job.CLI != "acme" || job.Outcome.Ending != store.EndOK {
		t.Errorf("%+v", job)
	}
	for _, id := range []string{late, live} {
		if job := jobOf(t, s, id); job.Prompt != "asked" || !job.TextsDropped.IsZero() {
			t.Errorf("%+v", job)
		}
	}
	// What ends later, or comes later, is not forgotten because it is older.
	finish(t, s, live, store.Outcome{Ending: store.EndOK, Ended: month.Add(time.Second)})
	came := refusedCall()
	came.ID = idAt(month.AddDate(0, 0, -2))
	if _, err := s.ImportJob(ctx, came); err != nil {
		t.Fatal(err)
	}
	if n := drop(month.Add(time.Hour)); n != 3 {
		t.Errorf("%d lost their texts, want 3", n)
	}
}

func searchTexts(t *testing.T, s Store) {
	found := func(text string) []string {
		t.Helper()
		return idsOf(t, s, store.Filter{Text: text})
	}
	want := func(text string, ids ...string) {
		t.Helper()
		if got := found(text); !slices.Equal(got, ids) {
			t.Errorf("%q: %q, want %q", text, got, ids)
		}
	}
	old := time.Now().AddDate(0, 0, -30)
	first := endedJob(t, s, old, "Explain the \"parser\"", "It reads Tokens.")
	second := endedJob(t, s, old.Add(time.Minute), "Fix the parser", "Done: größer")
	live := begin(t, s, store.Job{Prompt: "parser"})
	want("PARSER", second, first)
	want("tokens parser", first)
	want("größer", second)
	want("nothing like it")
	want(`"`)
	want("the OR -parser NEAR(")
	for _, other := range []string{"some*", "prompt:parser", "a AND"} { // they are words
		want(other)
	}
	finish(t, s, live, store.Outcome{Ending: store.EndOK, Response: "tokens"})
	want("tokens parser", live, first)
	if list, err := s.Jobs(ctx, store.Filter{Principal: "other", Text: "parser"}); err != nil || len(list) != 0 {
		t.Errorf("another sees %+v, %v", list, err)
	}

	// What is removed is not found.
	if n, err := s.DropTexts(ctx, old.Add(30*time.Second)); n != 1 || err != nil {
		t.Fatal(n, err)
	}
	want("tokens parser", live)
	if err := s.DeleteJob(ctx, second); err != nil {
		t.Fatal(err)
	}
	want("parser", live)

	// Nor is what comes late forgotten, nor is a limit to how much is made searchable at once.
	var many []string
	for i := range 40 {
		many = append([]string{endedJob(t, s, time.Now().Add(time.Duration(i)*time.Second), "needle", fmt.Sprint(i))}, many...)
	}
	want("needle", many...)
	came := refusedCall()
	came.ID, came.Prompt = idAt(old.AddDate(-1, 0, 0)), "needle"
	if _, err := s.ImportJob(ctx, came); err != nil {
		t.Fatal(err)
	}
	if got := idsOf(t, s, store.Filter{Text: "needle", Refused: true}); !slices.Equal(got, append(many, came.ID)) {
		t.Errorf("%q", got)
	}
	if more, err := s.IndexTexts(ctx); more || err != nil {
		t.Errorf("more %t, %v", more, err)
	}
}

// idsOf are the ids of the jobs of the local user that a filter selects.
func idsOf(t *testing.T, s Store, f store.Filter) (ids []string) {
	t.Helper()
	f.Principal = store.Local
	list, err := s.Jobs(ctx, f)
	if err != nil {
		t.Fatal(err)
	}
	for _, job := range list {
		ids = append(ids, job.ID)
	}
	return ids
}
