package store

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
)

func fullSession() Session {
	return Session{
		CLI: "acme", ID: "gw-1", Native: "n-1", Begun: true, Active: true, Turns: 7, Opener: NewID(), Cwd: "/home/x", Description: "héllo \"you\"",
		Created: time.Unix(1_700_000_000, 123_456_789).UTC(), Used: time.Unix(1_700_000_009, 1).UTC(),
	}
}

func mustCreate(t testing.TB, s *Store, c Session) Session {
	t.Helper()
	if err := s.CreateSession(ctx, c); err != nil {
		t.Fatal(err)
	}
	return mustFind(t, s, c.CLI, c.ID)
}

func mustFind(t testing.TB, s *Store, cli, id string) Session {
	t.Helper()
	list, err := s.FindSessions(ctx, cli, id)
	if err != nil || len(list) != 1 {
		t.Fatalf("%s of %s: %+v, %v", id, cli, list, err)
	}
	return list[0]
}

// ids of all sessions, the last used first.
func ids(t testing.TB, s *Store, cli string) (list []string) {
	t.Helper()
	all, total, err := s.Sessions(ctx, cli, 0)
	if err != nil || total != len(all) {
		t.Fatalf("%d of %d, %v", len(all), total, err)
	}
	for _, c := range all {
		list = append(list, c.ID)
	}
	return list
}

func TestSessionsComeBack(t *testing.T) {
	s := newStore(t)
	full := fullSession()
	v := reflect.ValueOf(full)
	for i := range v.NumField() {
		if v.Field(i).IsZero() {
			t.Errorf("the test leaves %s out", v.Type().Field(i).Name)
		}
	}
	mustCreate(t, s, full)
	for _, id := range []string{full.ID, full.Native} {
		for _, cli := range []string{"", full.CLI} {
			if got := mustFind(t, s, cli, id); !reflect.DeepEqual(got, full) {
				t.Errorf("%s of %q:\ngot  %+v\nwant %+v", id, cli, got, full)
			}
		}
	}
	if err := s.CreateSession(ctx, full); err == nil {
		t.Error("the same twice")
	}
	before := time.Now()
	bare := mustCreate(t, s, Session{CLI: "zeta", ID: "gw-1"})
	if bare.Created.Before(before.Add(-time.Second)) || !bare.Used.Equal(bare.Created) || bare.Begun || bare.Active {
		t.Errorf("%+v", bare)
	}
	if list, err := s.FindSessions(ctx, "", "gw-1"); err != nil || len(list) != 2 || list[0].CLI != "zeta" {
		t.Errorf("%+v, %v", list, err)
	}
	if list, err := s.FindSessions(ctx, "", "none"); err != nil || len(list) != 0 {
		t.Errorf("%+v, %v", list, err)
	}
	var shown string
	if err := s.reader.QueryRow("SELECT created_at || ' ' || used_at FROM sessions WHERE cli = 'acme'").Scan(&shown); err != nil || shown != "2023-11-14T22:13:20.123Z 2023-11-14T22:13:29.000Z" {
		t.Errorf("the view shows %s, %v", shown, err)
	}
}

func TestOneSessionIsActive(t *testing.T) {
	s := newStore(t)
	for _, id := range []string{"a", "b"} {
		mustCreate(t, s, Session{CLI: "acme", ID: id, Active: true})
	}
	mustCreate(t, s, Session{CLI: "zeta", ID: "c", Active: true})
	active := func() (list []string) {
		t.Helper()
		all, err := s.ActiveSessions(ctx)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range all {
			if one, err := s.ActiveSession(ctx, c.CLI); err != nil || one.ID != c.ID {
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
	if err := s.ActivateSession(ctx, "acme", "a"); err != nil {
		t.Error(err)
	}
	want("a", "c")
	if err := s.ActivateSession(ctx, "acme", "c"); !errors.Is(err, ErrNoSession) { // of another CLI
		t.Error(err)
	}
	want("a", "c")
	if err := s.ActivateSession(ctx, "zeta", ""); err != nil {
		t.Error(err)
	}
	want("a")
	if _, err := s.ActiveSession(ctx, "zeta"); !errors.Is(err, ErrNoSession) {
		t.Error(err)
	}
	if err := s.DeleteSession(ctx, "acme", "a"); err != nil {
		t.Error(err)
	}
	want()
	if n, err := s.ClearSessions(ctx, "acme"); n != 1 || err != nil {
		t.Errorf("%d, %v", n, err)
	}
	if n, err := s.ClearSessions(ctx, ""); n != 1 || err != nil {
		t.Errorf("%d, %v", n, err)
	}
}

func TestSessionsInPages(t *testing.T) {
	s := newStore(t)
	start := time.Unix(1_700_000_000, 0)
	for i := range 60 {
		mustCreate(t, s, Session{CLI: "acme", ID: fmt.Sprint(i), Used: start.Add(time.Duration(i) * time.Second)})
	}
	for limit, want := range map[int]int{0: DefaultLimit, 7: 7, 1000: 60} {
		list, total, err := s.Sessions(ctx, "acme", limit)
		if err != nil || total != 60 || len(list) != want || list[0].ID != "59" {
			t.Errorf("%d: %d of %d, %v", limit, len(list), total, err)
		}
	}
	if list, total, err := s.Sessions(ctx, "zeta", 0); err != nil || total != 0 || len(list) != 0 {
		t.Errorf("%+v, %d, %v", list, total, err)
	}
}

// TestASessionBeginsOnce: of two jobs that would be its first turn one is.
func TestASessionBeginsOnce(t *testing.T) {
	for name, begin := range map[string]func(s *Store, job Job) error{
		"Begin":     func(s *Store, job Job) error { return s.Begin(ctx, job) },
		"BeginOnce": func(s *Store, job Job) error { _, err := s.BeginOnce(ctx, job, time.Time{}); return err },
	} {
		t.Run(name, func(t *testing.T) {
			s := newStore(t)
			mustCreate(t, s, Session{CLI: "acme", ID: "s"})
			first := Job{ID: NewID(), Tool: "x", CLI: "acme", Session: "s", Opens: true, SessionID: "n", Cwd: "/a", DedupKey: "one"}
			if err := begin(s, first); err != nil {
				t.Fatal(err)
			}
			if c := mustFind(t, s, "acme", "s"); !c.Begun || c.Opener != first.ID || c.Cwd != "/a" || c.Native != "n" || c.Turns != 0 {
				t.Errorf("%+v", c)
			}
			second := Job{ID: NewID(), Tool: "x", CLI: "acme", Session: "s", Opens: true, DedupKey: "two"}
			if err := begin(s, second); !errors.Is(err, ErrBegun) {
				t.Errorf("%v", err)
			}
			if _, err := s.Job(ctx, second.ID); !errors.Is(err, ErrNotFound) {
				t.Errorf("it has a row: %v", err)
			}
			second.Opens = false
			if err := begin(s, second); err != nil {
				t.Error(err)
			}
			// One that was deleted is no obstacle.
			if err := begin(s, Job{ID: NewID(), Tool: "x", CLI: "acme", Session: "gone", Opens: true, DedupKey: "three"}); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestEndsOfTurns(t *testing.T) {
	began, ended := time.Unix(1_700_000_000, 0).UTC(), time.Unix(1_700_000_050, 0).UTC()
	for _, c := range []struct {
		name     string
		had      *Session
		turn     Turn
		want     *Session
		deleteIt bool
	}{
		{name: "a conversation nobody knew", turn: Turn{Native: "n", Cwd: "/a", Answered: true, Began: true},
			want: &Session{ID: "n", Native: "n", Begun: true, Turns: 1, Opener: "job", Cwd: "/a", Created: ended, Used: ended}},
		{name: "one that told no id", turn: Turn{Cwd: "/a"}},
		{name: "its native id is known", had: &Session{ID: "gw", Native: "n", Begun: true, Turns: 1}, turn: Turn{Native: "n", Answered: true, Began: true, Cwd: "/b"},
			want: &Session{ID: "gw", Native: "n", Begun: true, Turns: 2, Cwd: "/b", Created: began, Used: ended}},
		{name: "the first turn tells the native id", had: &Session{ID: "gw", Begun: true, Active: true, Description: "d"}, turn: Turn{Session: "gw", Native: "n", Answered: true, Began: true, Cwd: "/b"},
			want: &Session{ID: "gw", Native: "n", Begun: true, Active: true, Description: "d", Turns: 1, Cwd: "/b", Created: began, Used: ended}},
		{name: "a later turn moves it", had: &Session{ID: "gw", Native: "n", Begun: true, Turns: 1, Cwd: "/a"}, turn: Turn{Session: "gw", Native: "m", Answered: true, Began: true, Cwd: "/b"},
			want: &Session{ID: "gw", Native: "m", Begun: true, Turns: 2, Cwd: "/a", Created: began, Used: ended}},
		{name: "it failed", had: &Session{ID: "gw", Native: "n", Begun: true, Turns: 3, Cwd: "/a"}, turn: Turn{Session: "gw"},
			want: &Session{ID: "gw", Native: "n", Begun: true, Turns: 3, Cwd: "/a", Created: began, Used: ended}},
		{name: "it never began", had: &Session{ID: "gw", Native: "n", Begun: true, Cwd: "/a"}, turn: Turn{Session: "gw", Undone: true, Reset: "r"},
			want: &Session{ID: "gw", Native: "r", Created: began, Used: ended}},
		{name: "it was answered before", had: &Session{ID: "gw", Native: "n", Begun: true, Turns: 1, Cwd: "/a"}, turn: Turn{Session: "gw", Undone: true},
			want: &Session{ID: "gw", Native: "n", Begun: true, Turns: 1, Cwd: "/a", Created: began, Used: ended}},
		{name: "deleted meanwhile", had: &Session{ID: "gw"}, turn: Turn{Session: "gw", Native: "n", Answered: true, Began: true}, deleteIt: true},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newStore(t)
			id := mustBegin(t, s, Job{CLI: "acme"})
			if c.had != nil {
				had := *c.had
				had.CLI, had.Created = "acme", began
				mustCreate(t, s, had)
			}
			if c.deleteIt {
				if err := s.DeleteSession(ctx, "acme", "gw"); err != nil {
					t.Fatal(err)
				}
			}
			c.turn.CLI = "acme"
			for round, want := range []error{nil, ErrDone} { // it counts once
				if err := s.FinishTurn(ctx, id, Outcome{Ending: EndOK, Ended: ended}, &c.turn); !errors.Is(err, want) {
					t.Errorf("round %d: %v", round, err)
				}
			}
			list, _, err := s.Sessions(ctx, "", 0)
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
			want.CLI = "acme"
			if want.Opener == "job" {
				want.Opener = id
			}
			if len(list) != 1 || !reflect.DeepEqual(list[0], want) {
				t.Errorf("\ngot  %+v\nwant %+v", list, want)
			}
		})
	}
}

// TestALateEndIsNoStepBack: jobs of one session may be recorded in another order than
// they ended in.
func TestALateEndIsNoStepBack(t *testing.T) {
	s := newStore(t)
	late, early := time.Unix(1_700_000_090, 0).UTC(), time.Unix(1_700_000_050, 0)
	mustCreate(t, s, Session{CLI: "acme", ID: "s", Begun: true, Created: time.Unix(1_700_000_000, 0)})
	for _, ended := range []time.Time{late, early} {
		id := mustBegin(t, s, Job{CLI: "acme"})
		if err := s.FinishTurn(ctx, id, Outcome{Ending: EndOK, Ended: ended}, &Turn{CLI: "acme", Session: "s", Answered: true, Began: true}); err != nil {
			t.Fatal(err)
		}
	}
	if c := mustFind(t, s, "acme", "s"); !c.Used.Equal(late) || c.Turns != 2 {
		t.Errorf("%+v", c)
	}
}

func TestUnusedSessionsExpire(t *testing.T) {
	s := newStore(t)
	now := time.Unix(1_700_000_000, 0)
	for id, age := range map[string]int{"old": 40, "busy": 40, "young": 20} {
		mustCreate(t, s, Session{CLI: "acme", ID: id, Active: id == "old", Used: now.AddDate(0, 0, -age)})
	}
	turn := mustBegin(t, s, Job{CLI: "acme", Session: "busy"})
	expire := func(want int, left ...string) {
		t.Helper()
		if n, err := s.ExpireSessions(ctx, now.AddDate(0, 0, -30)); n != want || err != nil {
			t.Errorf("%d expired, want %d; %v", n, want, err)
		}
		if got := ids(t, s, ""); !slices.Equal(got, left) {
			t.Errorf("left: %q, want %q", got, left)
		}
	}
	expire(1, "young", "busy")
	if err := s.Finish(ctx, turn, Outcome{Ending: EndOK}); err != nil {
		t.Fatal(err)
	}
	expire(1, "young")
	expire(0, "young")
}

func TestSessionsAreImportedOnce(t *testing.T) {
	s := newStore(t)
	mustCreate(t, s, Session{CLI: "acme", ID: "a", Active: true, Description: "ours"})
	theirs := []Session{
		{CLI: "acme", ID: "a", Description: "theirs", Created: time.Now(), Used: time.Now()},
		{CLI: "acme", ID: "b", Active: true, Created: time.Now(), Used: time.Now()},
		{CLI: "zeta", ID: "c", Active: true, Created: time.Now(), Used: time.Now()},
		{CLI: "zeta", ID: "d", Active: true, Created: time.Now(), Used: time.Now()},
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
		if got := ids(t, s, ""); len(got) != 4 {
			t.Errorf("%q", got)
		}
		if a := mustFind(t, s, "acme", "a"); a.Description != "ours" || !a.Active {
			t.Errorf("%+v", a)
		}
		if b, c := mustFind(t, s, "acme", "b"), mustFind(t, s, "zeta", "c"); b.Active || !c.Active {
			t.Errorf("%+v %+v", b, c)
		}
		if err := s.DeleteSession(ctx, "acme", "b"); err != nil {
			t.Fatal(err)
		}
	}
	if got := ids(t, s, "acme"); len(got) != 1 {
		t.Errorf("what was deleted is back: %q", got)
	}
	if err := s.ImportSessions(ctx, "/y/sessions.json", theirs); err != nil || len(ids(t, s, "acme")) != 2 {
		t.Errorf("another source: %v", err)
	}
}

// TestManyProcessesKeepSessions: what each of many gateways notes is there in the end.
func TestManyProcessesKeepSessions(t *testing.T) {
	const processes, each = 8, 30
	path := filepath.Join(t.TempDir(), "calls.db")
	s := mustOpen(t, path)
	mustCreate(t, s, Session{CLI: "acme", ID: "shared", Begun: true})
	mustCreate(t, s, Session{CLI: "acme", ID: "fresh"})
	together(t, processes, "converse", path)
	if c := mustFind(t, s, "acme", "shared"); c.Turns != processes*each {
		t.Errorf("%d turns of %d", c.Turns, processes*each)
	}
	if c := mustFind(t, s, "acme", "fresh"); c.Turns != 1 || !c.Begun {
		t.Errorf("it began %d times: %+v", c.Turns, c)
	}
	_, total, err := s.Sessions(ctx, "zeta", 1)
	if err != nil || total != processes*each {
		t.Errorf("%d sessions, want %d; %v", total, processes*each, err)
	}
	active, err := s.ActiveSessions(ctx)
	if err != nil || len(active) != 1 {
		t.Errorf("active: %+v, %v", active, err)
	}
}

// converse is a gateway that has turns of a session that others share, and sessions of
// its own, each of which it makes the active one.
func converse(path string) error {
	s, err := Open(path)
	if err != nil {
		return err
	}
	finish := func(job Job, turn Turn) error {
		if err := s.Begin(ctx, job); err != nil {
			return err
		}
		turn.CLI, turn.Session, turn.Answered, turn.Began = job.CLI, job.Session, true, true
		return s.FinishTurn(ctx, job.ID, Outcome{Ending: EndOK}, &turn)
	}
	err = finish(Job{ID: NewID(), Tool: "x", CLI: "acme", Session: "fresh", Opens: true}, Turn{})
	if err != nil && !errors.Is(err, ErrBegun) {
		return err
	}
	for range 30 {
		if err := finish(Job{ID: NewID(), Tool: "x", CLI: "acme", Session: "shared"}, Turn{}); err != nil {
			return err
		}
		if err := s.CreateSession(ctx, Session{CLI: "zeta", ID: NewID(), Active: true}); err != nil {
			return err
		}
	}
	return s.Close()
}

func TestSessionsOfAMovedFile(t *testing.T) {
	s := newStore(t)
	if err := os.Rename(s.path, s.path+"~"); err != nil {
		t.Fatal(err)
	}
	for name, err := range map[string]error{
		"create": s.CreateSession(ctx, Session{CLI: "acme", ID: "a"}), "activate": s.ActivateSession(ctx, "acme", "a"), "delete": s.DeleteSession(ctx, "acme", "a"),
		"import": s.ImportSessions(ctx, "x", nil),
	} {
		if err == nil || !strings.Contains(err.Error(), "moved") {
			t.Errorf("%s: %v", name, err)
		}
	}
}
