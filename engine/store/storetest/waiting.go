package storetest

import (
	"encoding/json"
	"errors"
	"reflect"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/llm-cli-gateway/gateway/engine/store"
)

var decided = json.RawMessage(`{"verdict":"approved"}`)

// waitingJob is a job about which a person may decide for an hour from now on.
func waitingJob(now time.Time) store.Job {
	return store.Job{ID: store.NewID(), Principal: store.Local, Tool: "acme_request", CLI: "acme", Approval: json.RawMessage(`{"verdict":"waiting"}`),
		Waiting: store.Waiting{Until: now.Add(time.Hour).UTC().Truncate(time.Microsecond), Holder: "holder", Question: "May it?"}}
}

func waitAndStart(t *testing.T, s Store) {
	now := time.Now()
	want := waitingJob(now)
	want.Created = now.UTC().Truncate(time.Microsecond)
	begin(t, s, want)
	want.State = store.Live
	got := jobOf(t, s, want.ID)
	if !reflect.DeepEqual(got, want) || !got.Open(now) || got.Open(want.Waiting.Until) {
		t.Errorf("\n got %+v\nwant %+v", got, want)
	}
	if err := s.StartWaiting(ctx, want); !errors.Is(err, store.ErrNotWaiting) {
		t.Errorf("started before it was approved: %v", err)
	}
	if err := s.Release(ctx, want.ID, decided, want.Waiting.Until); !errors.Is(err, store.ErrNotWaiting) {
		t.Errorf("approved too late: %v", err)
	}
	if err := s.Release(ctx, want.ID, decided, now); err != nil {
		t.Fatal(err)
	}
	if got = jobOf(t, s, want.ID); !got.Waiting.Released || got.Open(now) || !got.Waits() || string(got.Approval) != string(decided) {
		t.Errorf("approved: %+v", got)
	}
	if err := s.Release(ctx, want.ID, decided, now); !errors.Is(err, store.ErrNotWaiting) {
		t.Errorf("approved twice: %v", err)
	}
	if err := s.EndWaiting(ctx, want.ID, nil, false, store.Outcome{Ending: store.EndError}, nil); !errors.Is(err, store.ErrNotWaiting) {
		t.Errorf("denied after it was approved: %v", err)
	}
	got.Owner, got.Folder, got.Argv, got.EnvNames, got.CatalogDigest, got.GatewayVersion, got.Args = "me", "/jobs", []string{"-x"}, []string{"HOME"}, "c2", "2", json.RawMessage(`{"n":1}`)
	if err := s.StartWaiting(ctx, got); err != nil {
		t.Fatal(err)
	}
	got.Waiting.Until = time.Time{}
	if started := jobOf(t, s, want.ID); started.Waits() || !reflect.DeepEqual(started, got) {
		t.Errorf("\n got %+v\nwant %+v", started, got)
	}
	for name, err := range map[string]error{
		"started twice":         s.StartWaiting(ctx, got),
		"ended while it runs":   s.EndWaiting(ctx, got.ID, nil, true, store.Outcome{Ending: store.EndCanceled}, nil),
		"a job that is nowhere": s.Release(ctx, store.NewID(), decided, now),
	} {
		if !errors.Is(err, store.ErrNotWaiting) {
			t.Errorf("%s: %v", name, err)
		}
	}
	finish(t, s, got.ID, store.Outcome{Ending: store.EndOK})
}

func waitAndEnd(t *testing.T, s Store) {
	now := time.Now()
	for _, released := range []bool{false, true} {
		session := createSession(t, s, store.Session{CLI: "acme", ID: store.NewID(), Native: "n"})
		job := waitingJob(now)
		job.Session, job.Opens, job.DedupKey = session.ID, true, "k"
		begin(t, s, job)
		if released {
			if err := s.Release(ctx, job.ID, decided, now); err != nil {
				t.Fatal(err)
			}
		}
		// Whoever makes the same call finds it.
		if other, err := s.FindJoinable(ctx, store.Local, "k", now); err != nil || other.ID != job.ID || !other.Waits() {
			t.Errorf("%+v, %v", other, err)
		}
		turn := &store.Turn{Principal: store.Local, CLI: "acme", Session: session.ID, Undone: true, Reset: "n"}
		verdict := json.RawMessage(`{"verdict":"denied"}`)
		if err := s.EndWaiting(ctx, job.ID, verdict, released, store.Outcome{Ending: store.EndError, ErrorClass: "denied"}, turn); err != nil {
			t.Fatal(err)
		}
		row := jobOf(t, s, job.ID)
		if row.State != store.Done || row.Waits() || row.Outcome.ErrorClass != "denied" || string(row.Approval) != string(verdict) || row.Outcome.Ended.IsZero() {
			t.Errorf("%+v", row)
		}
		if findSession(t, s, store.Local, "acme", session.ID).Begun {
			t.Error("the session has begun with a turn that was not run")
		}
		if err := s.EndWaiting(ctx, job.ID, nil, true, store.Outcome{Ending: store.EndCanceled}, nil); !errors.Is(err, store.ErrNotWaiting) {
			t.Errorf("ended twice: %v", err)
		}
		if err := s.Release(ctx, job.ID, decided, now); !errors.Is(err, store.ErrNotWaiting) {
			t.Errorf("approved after its end: %v", err)
		}
	}
}

// oneDecides lets many decide about one job, and start it, at once.
func oneDecides(t *testing.T, s Store) {
	now := time.Now()
	for range 5 {
		job := waitingJob(now)
		begin(t, s, job)
		var decisions, starts atomic.Int32
		count := func(n *atomic.Int32, err error) {
			if err == nil {
				n.Add(1)
			} else if !errors.Is(err, store.ErrNotWaiting) {
				t.Error(err)
			}
		}
		var wait sync.WaitGroup
		for i := range 8 {
			wait.Go(func() {
				if i%2 == 0 {
					count(&decisions, s.Release(ctx, job.ID, decided, now))
				} else {
					count(&decisions, s.EndWaiting(ctx, job.ID, nil, false, store.Outcome{Ending: store.EndError}, nil))
				}
				count(&starts, s.StartWaiting(ctx, job))
			})
		}
		wait.Wait()
		row := jobOf(t, s, job.ID)
		if decisions.Load() != 1 || (row.State == store.Live) != (starts.Load() == 1) || row.Waits() {
			t.Errorf("%d decisions, %d starts, %+v", decisions.Load(), starts.Load(), row)
		}
	}
}

// waitingListed: a list has what waits among the jobs that are live.
func waitingListed(t *testing.T, s Store) {
	job := waitingJob(time.Now())
	begin(t, s, job)
	running := begin(t, s, store.Job{})
	list, err := s.Jobs(ctx, store.Filter{Principal: store.Local, State: store.Live})
	if err != nil || len(list) != 2 {
		t.Fatal(list, err)
	}
	var waits []string
	for _, one := range list {
		if one.Waits() && one.Waiting.Question == "May it?" {
			waits = append(waits, one.ID)
		}
	}
	if !slices.Equal(waits, []string{job.ID}) {
		t.Errorf("%q wait, and %s runs", waits, running)
	}
}
