package storetest

import (
	"errors"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/llm-cli-gateway/gateway/engine/store"
)

// two are principals of which each has all that follows, and neither sees the other's.
var two = []string{store.Local, "https://issuer.example/ü#2"}

func jobsOfPrincipals(t *testing.T, s Store) {
	since := time.Now().Add(-time.Hour)
	own := map[string]string{}
	for _, p := range two {
		if _, err := s.FindJoinable(ctx, p, "k", since); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("%s joins a job of another: %v", p, err)
		}
		job := keyedJob(p, "k")
		if joined, err := s.BeginOrJoin(ctx, job, since); err != nil || joined != nil {
			t.Fatalf("%s: %+v, %v", p, joined, err)
		}
		own[p] = job.ID
		if err := s.Begin(ctx, keyedJob(p, "k")); !errors.Is(err, store.ErrDuplicate) {
			t.Errorf("%s has the same call twice: %v", p, err)
		}
		begin(t, s, store.Job{Principal: p, DedupKey: "another"})
	}
	for i, p := range two {
		other := two[1-i]
		if job, err := s.FindJoinable(ctx, p, "k", since); err != nil || job.ID != own[p] || job.Principal != p {
			t.Errorf("%s joins %+v, %v", p, job, err)
		}
		if joined, err := s.BeginOrJoin(ctx, keyedJob(p, "k"), since); err != nil || joined == nil || joined.ID != own[p] {
			t.Errorf("%s joins %+v, %v", p, joined, err)
		}
		if _, err := s.Job(ctx, p, own[p]); err != nil {
			t.Error(err)
		}
		if _, err := s.Job(ctx, p, own[other]); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("%s reads a job of %s: %v", p, other, err)
		}
		jobs, err := s.Jobs(ctx, store.Filter{Principal: p})
		if err != nil || len(jobs) != 2 || jobs[1].ID != own[p] || jobs[0].Principal != p {
			t.Errorf("%s lists %+v, %v", p, jobs, err)
		}
	}
	if all, err := s.Jobs(ctx, store.Filter{Principal: store.AnyPrincipal}); err != nil || len(all) != 4 {
		t.Errorf("%d jobs in all, %v", len(all), err)
	}

	// What ended well is joined by its own principal only, too.
	finish(t, s, own[two[0]], store.Outcome{Ending: store.EndOK, Model: "large"})
	finish(t, s, own[two[1]], store.Outcome{Ending: store.EndError})
	if job, err := s.FindJoinable(ctx, two[0], "k", since); err != nil || job.ID != own[two[0]] {
		t.Errorf("%+v, %v", job, err)
	}
	if _, err := s.FindJoinable(ctx, two[1], "k", since); !errors.Is(err, store.ErrNotFound) {
		t.Error(err)
	}

	// A row that is brought back keeps its principal.
	row := store.Job{ID: store.NewID(), Principal: two[1], Tool: "t", CLI: "acme", Model: "small", State: store.Done, Outcome: store.Outcome{Ending: store.EndOK}}
	if made, err := s.ImportJob(ctx, row); err != nil || !made {
		t.Fatal(made, err)
	}
	if _, err := s.Job(ctx, two[0], row.ID); !errors.Is(err, store.ErrNotFound) {
		t.Error(err)
	}
	if used, err := s.RecentModels(ctx, two[1], 100); err != nil || !slices.Equal(used, []store.UsedModel{{CLI: "acme", Model: "small"}}) {
		t.Errorf("%+v, %v", used, err)
	}
	if used, err := s.RecentModels(ctx, two[0], 100); err != nil || len(used) != 0 { // its call named no CLI
		t.Errorf("%+v, %v", used, err)
	}
}

func joinsOfPrincipals(t *testing.T, s Store) {
	job := begin(t, s, store.Job{})
	mine, theirs := fullJoin(job), fullJoin(job)
	theirs.Principal = two[1]
	for _, join := range []store.Join{mine, theirs} {
		if err := s.RecordJoin(ctx, join); err != nil {
			t.Fatal(err)
		}
	}
	for i, want := range []store.Join{mine, theirs} {
		if got, err := s.Joins(ctx, two[i], job, 0); err != nil || !reflect.DeepEqual(got, []store.Join{want}) {
			t.Errorf("%s: %+v, %v", two[i], got, err)
		}
	}
}

func approvalsOfPrincipals(t *testing.T, s Store) {
	for _, p := range two {
		a := FullApproval()
		a.Principal = p
		if err := s.RecordApproval(ctx, a); err != nil {
			t.Fatal(err)
		}
	}
	for _, p := range two {
		for _, cli := range []string{"", "acme"} {
			if got, err := s.Approvals(ctx, p, cli, 0); err != nil || len(got) != 1 || got[0].Principal != p {
				t.Errorf("%s of %q: %+v, %v", p, cli, got, err)
			}
		}
	}
	if n, err := s.PruneApprovals(ctx, time.Now()); n != 2 || err != nil { // whose ever they are
		t.Errorf("%d, %v", n, err)
	}
}

func sessionsOfPrincipals(t *testing.T, s Store) {
	ids := map[string]string{two[0]: "a", two[1]: "b"}
	used := time.Unix(1_700_000_000, 0)
	for p, id := range ids {
		createSession(t, s, store.Session{Principal: p, CLI: "acme", ID: id, Native: "native-" + id, Active: true, Used: used})
	}
	for i, p := range two {
		own, other := ids[p], ids[two[1-i]]
		if active, err := s.ActiveSession(ctx, p, "acme"); err != nil || active.ID != own {
			t.Errorf("%s: %+v, %v", p, active, err)
		}
		if active, err := s.ActiveSessions(ctx, p); err != nil || len(active) != 1 || active[0].ID != own {
			t.Errorf("%s: %+v, %v", p, active, err)
		}
		if got := sessionIDs(t, s, p, ""); !slices.Equal(got, []string{own}) {
			t.Errorf("%s: %q", p, got)
		}
		for _, id := range []string{other, "native-" + other} {
			if found, err := s.FindSessions(ctx, p, "", id); err != nil || len(found) != 0 {
				t.Errorf("%s finds %+v, %v", p, found, err)
			}
		}
		if err := s.ActivateSession(ctx, p, "acme", other); !errors.Is(err, store.ErrNoSession) {
			t.Errorf("%s activates a session of another: %v", p, err)
		}
		if err := s.DeleteSession(ctx, p, "acme", other); err != nil {
			t.Error(err)
		}
	}
	// An id belongs to the first principal that had it.
	if err := s.CreateSession(ctx, store.Session{Principal: two[1], CLI: "acme", ID: "a", Active: true}); err == nil {
		t.Error("a session of another was made anew")
	}
	theirs := []store.Session{{Principal: two[1], CLI: "acme", ID: "a", Active: true}, {Principal: two[0], CLI: "zeta", ID: "c", Active: true}, {Principal: two[1], CLI: "zeta", ID: "d", Active: true}}
	for i := range theirs {
		theirs[i].Created, theirs[i].Used = used, used
	}
	if err := s.ImportSessions(ctx, "x", theirs); err != nil {
		t.Fatal(err)
	}
	if a := findSession(t, s, two[0], "acme", "a"); !a.Active || !a.Used.Equal(used) {
		t.Errorf("%+v", a)
	}
	for _, c := range []struct{ principal, id string }{{two[0], "c"}, {two[1], "d"}} {
		if active, err := s.ActiveSession(ctx, c.principal, "zeta"); err != nil || active.ID != c.id {
			t.Errorf("%+v, %v", active, err)
		}
	}
	if err := s.ActivateSession(ctx, two[0], "acme", ""); err != nil {
		t.Error(err)
	}
	if active, err := s.ActiveSession(ctx, two[1], "acme"); err != nil || active.ID != "b" {
		t.Errorf("%+v, %v", active, err)
	}

	// A live turn of one keeps no session of the other.
	begin(t, s, store.Job{Principal: two[1], CLI: "acme", Session: "a"})
	if n, err := s.PruneSessions(ctx, used.Add(time.Second)); err != nil || n < 2 {
		t.Errorf("%d, %v", n, err)
	}
	if got := sessionIDs(t, s, two[0], "acme"); len(got) != 0 {
		t.Errorf("%q", got)
	}
	if n, err := s.DeleteSessions(ctx, two[1], ""); err != nil || n > 1 {
		t.Errorf("%d, %v", n, err)
	}
}

// turnsOfPrincipals: the jobs of one principal change no session of another.
func turnsOfPrincipals(t *testing.T, s Store) {
	before := createSession(t, s, store.Session{CLI: "acme", ID: "a", Native: "n", Used: time.Unix(1_700_000_000, 0)})
	for _, turn := range []store.Turn{
		{Session: "a", Native: "m", Answered: true, Began: true},
		{Native: "n", Answered: true, Began: true},
		{Native: "a", Answered: true, Began: true},
	} {
		turn.Principal, turn.CLI = two[1], "acme"
		job := store.Job{ID: store.NewID(), Principal: two[1], Tool: "x", CLI: "acme", Session: turn.Session, Opens: turn.Session != ""}
		if err := s.Begin(ctx, job); err != nil {
			t.Fatal(err)
		}
		if err := s.Finish(ctx, job.ID, store.Outcome{Ending: store.EndOK}, &turn); err != nil {
			t.Fatal(err)
		}
	}
	if after := findSession(t, s, store.Local, "acme", "a"); !reflect.DeepEqual(after, before) {
		t.Errorf("\ngot  %+v\nwant %+v", after, before)
	}
	if own := sessionIDs(t, s, two[1], "acme"); !slices.Equal(own, []string{"n"}) { // of which it named the id itself
		t.Errorf("%q", own)
	}
}

// noPrincipal: what names no principal, or all of them, makes no row and shows none.
func noPrincipal(t *testing.T, s Store) {
	id := begin(t, s, store.Job{})
	live := begin(t, s, store.Job{CLI: "acme"})
	createSession(t, s, store.Session{CLI: "acme", ID: "a", Active: true})
	for _, p := range []string{"", store.AnyPrincipal} {
		job := store.Job{ID: store.NewID(), Principal: p, Tool: "x"}
		join, approval := fullJoin(id), FullApproval()
		join.Principal, approval.Principal = p, p
		for name, do := range map[string]func() error{
			"begin":         func() error { return s.Begin(ctx, job) },
			"begin or join": func() error { _, err := s.BeginOrJoin(ctx, job, time.Now()); return err },
			"import job":    func() error { _, err := s.ImportJob(ctx, job); return err },
			"find joinable": func() error { _, err := s.FindJoinable(ctx, p, "k", time.Now()); return err },
			"finish": func() error {
				return s.Finish(ctx, live, store.Outcome{Ending: store.EndOK}, &store.Turn{Principal: p, CLI: "acme", Native: "n"})
			},
			"recent models":   func() error { _, err := s.RecentModels(ctx, p, 9); return err },
			"record join":     func() error { return s.RecordJoin(ctx, join) },
			"joins":           func() error { _, err := s.Joins(ctx, p, id, 0); return err },
			"record approval": func() error { return s.RecordApproval(ctx, approval) },
			"approvals":       func() error { _, err := s.Approvals(ctx, p, "", 0); return err },
			"create session":  func() error { return s.CreateSession(ctx, store.Session{Principal: p, CLI: "acme", ID: "x"}) },
			"import sessions": func() error { return s.ImportSessions(ctx, "x", []store.Session{{Principal: p, CLI: "acme", ID: "x"}}) },
			"find sessions":   func() error { _, err := s.FindSessions(ctx, p, "", "a"); return err },
			"sessions":        func() error { _, _, err := s.Sessions(ctx, p, "", 0); return err },
			"active session":  func() error { _, err := s.ActiveSession(ctx, p, "acme"); return err },
			"active sessions": func() error { _, err := s.ActiveSessions(ctx, p); return err },
			"activate":        func() error { return s.ActivateSession(ctx, p, "acme", "") },
			"delete session":  func() error { return s.DeleteSession(ctx, p, "acme", "a") },
			"delete sessions": func() error { _, err := s.DeleteSessions(ctx, p, ""); return err },
		} {
			err := do()
			if err == nil || errors.Is(err, store.ErrNoPrincipal) != (p == "") || errors.Is(err, store.ErrNotFound) {
				t.Errorf("%s by %q: %v", name, p, err)
			}
		}
	}
	if _, err := s.Job(ctx, "", id); !errors.Is(err, store.ErrNoPrincipal) {
		t.Errorf("job: %v", err)
	}
	if _, err := s.Jobs(ctx, store.Filter{}); !errors.Is(err, store.ErrNoPrincipal) {
		t.Errorf("jobs: %v", err)
	}
	if job := jobOf(t, s, live); job.State != store.Live {
		t.Errorf("%+v", job)
	}
	if active, err := s.ActiveSession(ctx, store.Local, "acme"); err != nil || active.ID != "a" {
		t.Errorf("%+v, %v", active, err)
	}
}
