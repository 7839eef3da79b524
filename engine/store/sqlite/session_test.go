package sqlite

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/llm-cli-gateway/gateway/engine/store"
	"github.com/llm-cli-gateway/gateway/engine/store/storetest"
)

// TestManyProcessesKeepSessions: what each of many gateways notes is there in the end.
func TestManyProcessesKeepSessions(t *testing.T) {
	const processes, each = 8, 30
	path := filepath.Join(t.TempDir(), "calls.db")
	s := mustOpen(t, path)
	mustCreate(t, s, store.Session{Principal: store.Local, CLI: "acme", ID: "shared", Begun: true})
	mustCreate(t, s, store.Session{Principal: store.Local, CLI: "acme", ID: "fresh"})
	together(t, processes, "converse", path)
	if c := mustFind(t, s, "acme", "shared"); c.Turns != processes*each {
		t.Errorf("%d turns of %d", c.Turns, processes*each)
	}
	if c := mustFind(t, s, "acme", "fresh"); c.Turns != 1 || !c.Begun {
		t.Errorf("it began %d times: %+v", c.Turns, c)
	}
	_, total, err := s.Sessions(ctx, store.Local, "zeta", 1)
	if err != nil || total != processes*each {
		t.Errorf("%d sessions, want %d; %v", total, processes*each, err)
	}
	active, err := s.ActiveSessions(ctx, store.Local)
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
	finish := func(job store.Job, turn store.Turn) error {
		if err := s.Begin(ctx, job); err != nil {
			return err
		}
		turn.Principal, turn.CLI, turn.Session, turn.Answered, turn.Began = job.Principal, job.CLI, job.Session, true, true
		return s.Finish(ctx, job.ID, store.Outcome{Ending: store.EndOK}, &turn)
	}
	err = finish(store.Job{Principal: store.Local, ID: store.NewID(), Tool: "x", CLI: "acme", Session: "fresh", Opens: true}, store.Turn{})
	if err != nil && !errors.Is(err, store.ErrSessionBegun) {
		return err
	}
	for range 30 {
		if err := finish(store.Job{Principal: store.Local, ID: store.NewID(), Tool: "x", CLI: "acme", Session: "shared"}, store.Turn{}); err != nil {
			return err
		}
		if err := s.CreateSession(ctx, store.Session{Principal: store.Local, CLI: "zeta", ID: store.NewID(), Active: true}); err != nil {
			return err
		}
	}
	return s.Close()
}

func TestRowsOfAMovedFile(t *testing.T) {
	s := newStore(t)
	if err := os.Rename(s.path, s.path+"~"); err != nil {
		t.Fatal(err)
	}
	for name, err := range map[string]error{
		"create": s.CreateSession(ctx, store.Session{Principal: store.Local, CLI: "acme", ID: "a"}), "activate": s.ActivateSession(ctx, store.Local, "acme", "a"), "delete": s.DeleteSession(ctx, store.Local, "acme", "a"),
		"import": s.ImportSessions(ctx, "x", nil), "approval": s.RecordApproval(ctx, storetest.FullApproval()),
	} {
		if err == nil || !strings.Contains(err.Error(), "moved") {
			t.Errorf("%s: %v", name, err)
		}
	}
}
