package storetest

import (
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/llm-cli-gateway/gateway/engine/store"
)

func approvalFieldsSurvive(t *testing.T, s Store) {
	full, bare := FullApproval(), store.Approval{Principal: store.Local, ID: store.NewID(), Time: time.Unix(1_700_000_001, 0).UTC(), Tool: "zeta_request", CLI: "zeta", Strategy: "legacy", Verdict: "approved", By: "setting"}
	wantNoZeroField(t, full)
	for _, a := range []store.Approval{full, bare} {
		if err := s.RecordApproval(ctx, a); err != nil {
			t.Fatal(err)
		}
	}
	for cli, want := range map[string][]store.Approval{"": {bare, full}, "acme": {full}, "zeta": {bare}, "none": nil} {
		if got, err := s.Approvals(ctx, store.Local, cli, 0); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%q: %v\ngot  %+v\nwant %+v", cli, err, got, want)
		}
	}
	if got, err := s.Approvals(ctx, store.Local, "", 1); err != nil || len(got) != 1 || got[0].ID != bare.ID {
		t.Errorf("newest: %+v, %v", got, err)
	}
}

func approvalsRefused(t *testing.T, s Store) {
	a := FullApproval()
	if err := s.RecordApproval(ctx, a); err != nil {
		t.Fatal(err)
	}
	if err := s.RecordApproval(ctx, a); !errors.Is(err, store.ErrRecorded) {
		t.Errorf("the same decision twice: %v", err)
	}
	a.ID = "x"
	if err := s.RecordApproval(ctx, a); err == nil || !strings.Contains(err.Error(), "not an id") {
		t.Errorf("%v", err)
	}
	a.ID, a.Verdict = store.NewID(), "maybe"
	if err := s.RecordApproval(ctx, a); err == nil {
		t.Error("an unknown verdict")
	}
}

func approvalLimit(t *testing.T, s Store) {
	for range store.MaxLimit + 2 {
		a := FullApproval()
		if err := s.RecordApproval(ctx, a); err != nil {
			t.Fatal(err)
		}
	}
	for limit, want := range map[int]int{0: store.DefaultLimit, -1: store.DefaultLimit, 7: 7, 1000: store.MaxLimit} {
		if got, err := s.Approvals(ctx, store.Local, "", limit); err != nil || len(got) != want {
			t.Errorf("limit %d: %d, %v", limit, len(got), err)
		}
	}
}

func pruneApprovals(t *testing.T, s Store) {
	now := time.Now()
	for days := range 10 {
		a := FullApproval()
		a.ID, a.Time = store.NewID(), now.AddDate(0, 0, -days)
		if err := s.RecordApproval(ctx, a); err != nil {
			t.Fatal(err)
		}
	}
	for _, want := range []int{5, 0} {
		if n, err := s.PruneApprovals(ctx, now.AddDate(0, 0, -5).Add(time.Hour)); n != want || err != nil {
			t.Errorf("%d went, %v; want %d", n, err, want)
		}
	}
	if left, err := s.Approvals(ctx, store.Local, "", 500); err != nil || len(left) != 5 {
		t.Errorf("%d are left, %v", len(left), err)
	}
}
