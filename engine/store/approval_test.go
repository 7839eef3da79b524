package store

import (
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"
)

func fullApproval() Approval {
	return Approval{
		ID: NewID(), Time: time.Unix(1_700_000_000, 123_456_789).UTC(), Tool: "acme_request_async", CLI: "acme", Strategy: "mcp_managed", Policy: "strict",
		Verdict: "denied", By: "human", Answer: "decline", Score: 85, Reasons: json.RawMessage(`[{"id":"bypass","score":60}]`), Note: "it is <late>",
		CatalogDigest: "c1", CorrelationID: "cor", ClientName: "client", ClientVersion: "4",
	}
}

func TestApprovalsComeBack(t *testing.T) {
	s := newStore(t)
	full, bare := fullApproval(), Approval{ID: NewID(), Time: time.Unix(1_700_000_001, 0).UTC(), Tool: "zeta_request", CLI: "zeta", Strategy: "legacy", Verdict: "approved", By: "setting"}
	v := reflect.ValueOf(full)
	for i := range v.NumField() {
		if v.Field(i).IsZero() {
			t.Errorf("the test leaves %s out", v.Type().Field(i).Name)
		}
	}
	for _, a := range []Approval{full, bare} {
		if err := s.Approve(ctx, a); err != nil {
			t.Fatal(err)
		}
	}
	for cli, want := range map[string][]Approval{"": {bare, full}, "acme": {full}, "zeta": {bare}, "none": nil} {
		if got, err := s.Approvals(ctx, cli, 0); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%q: %v\ngot  %+v\nwant %+v", cli, err, got, want)
		}
	}
	if got, err := s.Approvals(ctx, "", 1); err != nil || len(got) != 1 || got[0].ID != bare.ID {
		t.Errorf("newest: %+v, %v", got, err)
	}
	var shown int
	if err := s.reader.QueryRow("SELECT count(*) FROM approvals WHERE decided_at = '2023-11-14T22:13:20.123Z' AND policy = 'strict'").Scan(&shown); err != nil || shown != 1 {
		t.Errorf("the view shows %d, %v", shown, err)
	}
}

func TestApprovalsAreRefused(t *testing.T) {
	s := newStore(t)
	a := fullApproval()
	if err := s.Approve(ctx, a); err != nil {
		t.Fatal(err)
	}
	if err := s.Approve(ctx, a); err == nil {
		t.Error("the same decision twice")
	}
	a.ID = "x"
	if err := s.Approve(ctx, a); err == nil || !strings.Contains(err.Error(), "not an id") {
		t.Errorf("%v", err)
	}
	a.ID, a.Verdict = NewID(), "maybe"
	if err := s.Approve(ctx, a); err == nil {
		t.Error("an unknown verdict")
	}
	if err := os.Rename(s.path, s.path+"~"); err != nil {
		t.Fatal(err)
	}
	a.ID, a.Verdict = NewID(), "denied"
	if err := s.Approve(ctx, a); err == nil || !strings.Contains(err.Error(), "moved") {
		t.Errorf("%v", err)
	}
}

func TestManyApprovals(t *testing.T) {
	s := newStore(t)
	for range MaxLimit + 2 {
		a := fullApproval()
		if err := s.Approve(ctx, a); err != nil {
			t.Fatal(err)
		}
	}
	for limit, want := range map[int]int{0: DefaultLimit, -1: DefaultLimit, 7: 7, 1000: MaxLimit} {
		if got, err := s.Approvals(ctx, "", limit); err != nil || len(got) != want {
			t.Errorf("limit %d: %d, %v", limit, len(got), err)
		}
	}
}

func TestExpireApprovals(t *testing.T) {
	s, err := Open(filepath.Join(t.TempDir(), "logs.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	now := time.Now()
	for days := range 10 {
		a := fullApproval()
		a.ID, a.Time = NewID(), now.AddDate(0, 0, -days)
		if err := s.Approve(t.Context(), a); err != nil {
			t.Fatal(err)
		}
	}
	for _, want := range []int{5, 0} {
		if n, err := s.ExpireApprovals(t.Context(), now.AddDate(0, 0, -5).Add(time.Hour)); n != want || err != nil {
			t.Errorf("%d went, %v; want %d", n, err, want)
		}
	}
	if left, err := s.Approvals(t.Context(), "", 500); err != nil || len(left) != 5 {
		t.Errorf("%d are left, %v", len(left), err)
	}
}
