package store

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"sync"
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
	for range maxPage + 2 {
		a := fullApproval()
		if err := s.Approve(ctx, a); err != nil {
			t.Fatal(err)
		}
	}
	for limit, want := range map[int]int{0: defaultPage, -1: defaultPage, 7: 7, 1000: maxPage} {
		if got, err := s.Approvals(ctx, "", limit); err != nil || len(got) != want {
			t.Errorf("limit %d: %d, %v", limit, len(got), err)
		}
	}
}

func TestJournalIsPrivate(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state", "approvals.jsonl")
	j := Journal{Path: path}
	mode := func() os.FileMode {
		t.Helper()
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		return info.Mode().Perm()
	}
	if err := j.Append(fullApproval()); err != nil {
		t.Fatal(err)
	}
	if os.PathSeparator == '/' && mode() != 0o600 {
		t.Errorf("mode %v", mode())
	}
	if err := os.Chmod(path, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := j.Append(Approval{Note: "<&>\n"}); err != nil {
		t.Fatal(err)
	}
	if os.PathSeparator == '/' && mode() != 0o600 {
		t.Errorf("mode %v after others could read it", mode())
	}
	text, err := os.ReadFile(path)
	if lines := strings.Split(string(text), "\n"); err != nil || len(lines) != 3 || !strings.Contains(lines[1], `"note":"<&>\n"`) || lines[2] != "" {
		t.Errorf("%s, %v", text, err)
	}
	if err := (Journal{Path: filepath.Join(path, "x")}).Append(1); err == nil {
		t.Error("a folder that is a file")
	}
	if err := j.Append(func() {}); err == nil {
		t.Error("what has no JSON")
	}
}

// TestJournalOfMany holds that lines written at once do not run into each other.
func TestJournalOfMany(t *testing.T) {
	j := Journal{Path: filepath.Join(t.TempDir(), "approvals.jsonl")}
	const writers, each = 8, 50
	var wait sync.WaitGroup
	for w := range writers {
		wait.Go(func() {
			for i := range each {
				if err := j.Append(Approval{Note: fmt.Sprint(w, " ", i, strings.Repeat("x", 3000))}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wait.Wait()
	text, err := os.ReadFile(j.Path)
	if err != nil {
		t.Fatal(err)
	}
	lines := bytes.Split(bytes.TrimSuffix(text, []byte("\n")), []byte("\n"))
	if len(lines) != writers*each {
		t.Errorf("%d lines", len(lines))
	}
	for _, line := range lines {
		if err := json.Unmarshal(line, &Approval{}); err != nil {
			t.Fatalf("%v: %s", err, line)
		}
	}
}
