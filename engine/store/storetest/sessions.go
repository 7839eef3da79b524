package storetest

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/llm-cli-gateway/gateway/engine/store"
)

func sessionFieldsSurvive(t *testing.T, s Store) {
	full := FullSession()
	wantNoZeroField(t, full)
	createSession(t, s, full)
	for _, id := range []string{full.ID, full.Native} {
		for _, cli := range []string{"", full.CLI} {
			if got := findSession(t, s, store.Local, cli, id); !reflect.DeepEqual(got, full) {
				t.Errorf("%s of %q:\ngot  %+v\nwant %+v", id, cli, got, full)
			}
		}
	}
	if err := s.CreateSession(ctx, full); err == nil {
		t.Error("the same twice")
	}
	before := time.Now()
	bare := createSession(t, s, store.Session{CLI: "zeta", ID: "gw-1"})
	if bare.Created.Before(before.Add(-time.Second)) || !bare.Used.Equal(bare.Created) || bare.Begun || bare.Active {
		t.Errorf("%+v", bare)
	}
	if list, err := s.FindSessions(ctx, store.Local, "", "gw-1"); err != nil || len(list) != 2 || list[0].CLI != "zeta" {
		t.Errorf("%+v, %v", list, err)
	}
	if list, err := s.FindSessions(ctx, store.Local, "", "none"); err != nil || len(list) != 0 {
		t.Errorf("%+v, %v", list, err)
	}
}

func oneActiveSession(t *testing.T, s Store) {
	for _, id := range []string{"a", "b"} {
		createSession(t, s, store.Session{CLI: "acme", ID: id, Active: true})
	}
	createSession(t, s, store.Session{CLI: "zeta", ID: "c", Active: true})
	active := func() (list []string) {
		t.Helper()
		all, err := s.ActiveSessions(ctx, store.Local)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range all {
			if one, err := s.ActiveSession(ctx, store.Local, c.CLI); err != nil || one.ID != c.ID {
				t.Errorf("%+v, %v", one, err)
			}
			list = append(list, c.ID)
		}
		return list
	}
	want := func(ids ...string) {
		t.Helper()
		if got := active(); !slices.Equal(got, ids) {
			t.Errorf("active: %q, want %q", got, ids)
		}
	}
	want("b", "c")
	if err := s.ActivateSession(ctx, store.Local, "acme", "a"); err != nil {
		t.Error(err)
	}
	want("a", "c")
	if err := s.ActivateSession(ctx, store.Local, "acme", "c"); !errors.Is(err, store.ErrNoSession) { // of another CLI
		t.Error(err)
	}
	want("a", "c")
	if err := s.ActivateSession(ctx, store.Local, "zeta", ""); err != nil {
		t.Error(err)
	}
	want("a")
	if _, err := s.ActiveSession(ctx, store.Local, "zeta"); !errors.Is(err, store.ErrNoSession) {
		t.Error(err)
	}
	if err := s.DeleteSession(ctx, store.Local, "acme", "a"); err != nil {
		t.Error(err)
	}
	want()
	if n, err := s.DeleteSessions(ctx, store.Local, "acme"); n != 1 || err != nil {
		t.Errorf("%d, %v", n, err)
	}
	if n, err := s.DeleteSessions(ctx, store.Local, ""); n != 1 || err != nil {
		t.Errorf("%d, %v", n, err)
	}
}

func sessionLimit(t *testing.T, s Store) {
	start := time.Unix(1_700_000_000, 0)
	for i := range 60 {
		createSession(t, s, store.Session{CLI: "acme", ID: fmt.Sprint(i), Used: start.Add(time.Duration(i) * time.Second)})
	}
	for limit, want := range map[int]int{0: store.DefaultLimit, 7: 7, 1000: 60} {
		list, total, err := s.Sessions(ctx, store.Local, "acme", limit)
		if err != nil || total != 60 || len(list) != want || list[0].ID != "59" {
			t.Errorf("%d: %d of %d, %v", limit, len(list), total, err)
		}
	}
	if list, total, err := s.Sessions(ctx, store.Local, "zeta", 0); err != nil || total != 0 || len(list) != 0 {
		t.Errorf("%+v, %d, %v", list, total, err)
	}
}

// lateTurn: jobs of one session may be recorded in another order than they ended in.
func lateTurn(t *testing.T, s Store) {
	late, early := time.Unix(1_700_000_090, 0).UTC(), time.Unix(1_700_000_050, 0)
	createSession(t, s, store.Session{CLI: "acme", ID: "s", Begun: true, Created: time.Unix(1_700_000_000, 0)})
	for _, ended := range []time.Time{late, early} {
		id := begin(t, s, store.Job{CLI: "acme"})
		if err := s.Finish(ctx, id, store.Outcome{Ending: store.EndOK, Ended: ended}, &store.Turn{Principal: store.Local, CLI: "acme", Session: "s", Answered: true, Began: true}); err != nil {
			t.Fatal(err)
		}
	}
	if c := findSession(t, s, store.Local, "acme", "s"); !c.Used.Equal(late) || c.Turns != 2 {
		t.Errorf("%+v", c)
	}
}

func pruneSessions(t *testing.T, s Store) {
	now := time.Unix(1_700_000_000, 0)
	for id, age := range map[string]int{"old": 40, "busy": 40, "young": 20} {
		createSession(t, s, store.Session{CLI: "acme", ID: id, Active: id == "old", Used: now.AddDate(0, 0, -age)})
	}
	turn := begin(t, s, store.Job{CLI: "acme", Session: "busy"})
	expire := func(want int, left ...string) {
		t.Helper()
		if n, err := s.PruneSessions(ctx, now.AddDate(0, 0, -30)); n != want || err != nil {
			t.Errorf("%d expired, want %d; %v", n, want, err)
		}
		if got := sessionIDs(t, s, store.Local, ""); !slices.Equal(got, left) {
			t.Errorf("left: %q, want %q", got, left)
		}
	}
	expire(1, "young", "busy")
	finish(t, s, turn, store.Outcome{Ending: store.EndOK})
	expire(1, "young")
	expire(0, "young")
}

func importSessionsOnce(t *testing.T, s Store) {
	createSession(t, s, store.Session{CLI: "acme", ID: "a", Active: true, Description: "ours"})
	theirs := []store.Session{
		{Principal: store.Local, CLI: "acme", ID: "a", Description: "theirs", Created: time.Now(), Used: time.Now()},
		{Principal: store.Local, CLI: "acme", ID: "b", Active: true, Created: time.Now(), Used: time.Now()},
		{Principal: store.Local, CLI: "zeta", ID: "c", Active: true, Created: time.Now(), Used: time.Now()},
		{Principal: store.Local, CLI: "zeta", ID: "d", Active: true, Created: time.Now(), Used: time.Now()},
	}
	for _, done := range []bool{false, true} {
		if was, err := s.Imported(ctx, "/x/sessions.json"); was != done || err != nil {
			t.Errorf("imported: %v, %v", was, err)
		}
		if err := s.ImportSessions(ctx, "/x/sessions.json", theirs); err != nil {
			t.Fatal(err)
		}
		if done {
			break
		}
		if got := sessionIDs(t, s, store.Local, ""); len(got) != 4 {
			t.Errorf("%q", got)
		}
		if a := findSession(t, s, store.Local, "acme", "a"); a.Description != "ours" || !a.Active {
			t.Errorf("%+v", a)
		}
		if b, c := findSession(t, s, store.Local, "acme", "b"), findSession(t, s, store.Local, "zeta", "c"); b.Active || !c.Active {
			t.Errorf("%+v %+v", b, c)
		}
		if err := s.DeleteSession(ctx, store.Local, "acme", "b"); err != nil {
			t.Fatal(err)
		}
	}
	if got := sessionIDs(t, s, store.Local, "acme"); len(got) != 1 {
		t.Errorf("what was deleted is back: %q", got)
	}
	if err := s.ImportSessions(ctx, "/y/sessions.json", theirs); err != nil || len(sessionIDs(t, s, store.Local, "acme")) != 2 {
		t.Errorf("another source: %v", err)
	}
}

func beginSession(t *testing.T, s Store) { beginsOnce(t, s, s.Begin) }

func beginOrJoinSession(t *testing.T, s Store) {
	beginsOnce(t, s, func(ctx context.Context, job store.Job) error {
		_, err := s.BeginOrJoin(ctx, job, time.Time{})
		return err
	})
}

// beginsOnce: of two jobs that would be the first turn of a session one is.
func beginsOnce(t *testing.T, s Store, begin func(context.Context, store.Job) error) {
	turn := func(session, key string) store.Job {
		return store.Job{ID: store.NewID(), Principal: store.Local, Tool: "x", CLI: "acme", Session: session, Opens: true, SessionID: "n", Cwd: "/a", DedupKey: key}
	}
	createSession(t, s, store.Session{CLI: "acme", ID: "s"})
	first := turn("s", "one")
	if err := begin(ctx, first); err != nil {
		t.Fatal(err)
	}
	if c := findSession(t, s, store.Local, "acme", "s"); !c.Begun || c.Opener != first.ID || c.Cwd != "/a" || c.Native != "n" || c.Turns != 0 {
		t.Errorf("%+v", c)
	}
	second := turn("s", "two")
	if err := begin(ctx, second); !errors.Is(err, store.ErrSessionBegun) {
		t.Errorf("%v", err)
	}
	if _, err := s.Job(ctx, store.Local, second.ID); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("it has a row: %v", err)
	}
	second.Opens = false
	if err := begin(ctx, second); err != nil {
		t.Error(err)
	}
	// One that was deleted is no obstacle.
	if err := begin(ctx, turn("gone", "three")); err != nil {
		t.Error(err)
	}
}

func endOfTurn(t *testing.T, s Store) {
	began, ended := time.Unix(1_700_000_000, 0).UTC(), time.Unix(1_700_000_050, 0).UTC()
	for i, c := range []struct {
		name     string
		had      *store.Session
		turn     store.Turn
		want     *store.Session
		deleteIt bool
	}{
		{name: "a conversation nobody knew", turn: store.Turn{Native: "n", Cwd: "/a", Answered: true, Began: true},
			want: &store.Session{ID: "n", Native: "n", Begun: true, Turns: 1, Opener: "job", Cwd: "/a", Created: ended, Used: ended}},
		{name: "one that named no id", turn: store.Turn{Cwd: "/a"}},
		{name: "its native id is known", had: &store.Session{ID: "gw", Native: "n", Begun: true, Turns: 1}, turn: store.Turn{Native: "n", Answered: true, Began: true, Cwd: "/b"},
			want: &store.Session{ID: "gw", Native: "n", Begun: true, Turns: 2, Cwd: "/b", Created: began, Used: ended}},
		{name: "the first turn names the native id", had: &store.Session{ID: "gw", Begun: true, Active: true, Description: "d"}, turn: store.Turn{Session: "gw", Native: "n", Answered: true, Began: true, Cwd: "/b"},
			want: &store.Session{ID: "gw", Native: "n", Begun: true, Active: true, Description: "d", Turns: 1, Cwd: "/b", Created: began, Used: ended}},
		{name: "a later turn moves it", had: &store.Session{ID: "gw", Native: "n", Begun: true, Turns: 1, Cwd: "/a"}, turn: store.Turn{Session: "gw", Native: "m", Answered: true, Began: true, Cwd: "/b"},
			want: &store.Session{ID: "gw", Native: "m", Begun: true, Turns: 2, Cwd: "/a", Created: began, Used: ended}},
		{name: "it failed", had: &store.Session{ID: "gw", Native: "n", Begun: true, Turns: 3, Cwd: "/a"}, turn: store.Turn{Session: "gw"},
			want: &store.Session{ID: "gw", Native: "n", Begun: true, Turns: 3, Cwd: "/a", Created: began, Used: ended}},
		{name: "it never began", had: &store.Session{ID: "gw", Native: "n", Begun: true, Cwd: "/a"}, turn: store.Turn{Session: "gw", Undone: true, Reset: "r"},
			want: &store.Session{ID: "gw", Native: "r", Created: began, Used: ended}},
		{name: "it was answered before", had: &store.Session{ID: "gw", Native: "n", Begun: true, Turns: 1, Cwd: "/a"}, turn: store.Turn{Session: "gw", Undone: true},
			want: &store.Session{ID: "gw", Native: "n", Begun: true, Turns: 1, Cwd: "/a", Created: began, Used: ended}},
		{name: "deleted meanwhile", had: &store.Session{ID: "gw"}, turn: store.Turn{Session: "gw", Native: "n", Answered: true, Began: true}, deleteIt: true},
	} {
		t.Run(c.name, func(t *testing.T) {
			cli := fmt.Sprint("cli", i)
			id := begin(t, s, store.Job{CLI: cli})
			if c.had != nil {
				had := *c.had
				had.CLI, had.Created = cli, began
				createSession(t, s, had)
			}
			if c.deleteIt {
				if err := s.DeleteSession(ctx, store.Local, cli, "gw"); err != nil {
					t.Fatal(err)
				}
			}
			c.turn.Principal, c.turn.CLI = store.Local, cli
			for round, want := range []error{nil, store.ErrDone} { // it counts once
				if err := s.Finish(ctx, id, store.Outcome{Ending: store.EndOK, Ended: ended}, &c.turn); !errors.Is(err, want) {
					t.Errorf("round %d: %v", round, err)
				}
			}
			list, _, err := s.Sessions(ctx, store.Local, cli, 0)
			if err != nil {
				t.Fatal(err)
			}
			if c.want == nil {
				if len(list) != 0 {
					t.Errorf("there is %+v", list)
				}
				return
			}
			want := *c.want
			want.Principal, want.CLI = store.Local, cli
			if want.Opener == "job" {
				want.Opener = id
			}
			if len(list) != 1 || !reflect.DeepEqual(list[0], want) {
				t.Errorf("\ngot  %+v\nwant %+v", list, want)
			}
		})
	}
}
