package storetest

import (
	"context"
	"encoding/json"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/llm-cli-gateway/gateway/engine/store"
)

var ctx = context.Background()

// FullJob has a value in every field that Begin stores.
func FullJob() store.Job {
	return store.Job{
		ID: store.NewID(), Principal: store.Local, Tool: "acme_request", CLI: "acme", CLIVersion: "1.2", Mode: "plan", Model: "large", DedupKey: "key",
		SpecHash: "s1", CatalogDigest: "c1", Owner: "owner", Folder: "/jobs", ParentID: store.NewID(), Session: "gw-1", Opens: true, SessionID: "ses", CorrelationID: "cor",
		Approval: json.RawMessage(`{"verdict":"approved","score":7}`),
		Cwd:      "/home/x", Prompt: "héllo\n世界 'quoted' \"twice\"",
		Args: json.RawMessage(`{"deep":{"a":[1,2.5,null]}}`), Argv: []string{"-p", "", "--x=ü"}, EnvNames: []string{"HOME", "PATH"},
		GatewayVersion: "1.2.3", ClientName: "client", ClientVersion: "4",
		Created: time.Unix(1_700_000_000, 123_456_789).UTC(),
		Plan:    json.RawMessage(`{"tries":0}`), Waiting: store.Waiting{Until: time.Unix(1_700_003_600, 123_456_789).UTC(), Holder: "holder", Question: "May it?"},
	}
}

// FullOutcome has a value in every field but the model.
func FullOutcome() store.Outcome {
	return store.Outcome{
		Ending: store.EndTimeout, Detail: "idle", ErrorClass: "timeout", ErrorMessage: "no output for 5 s",
		ExitCode: new(143), Signal: new(15), Ended: time.Unix(1_700_000_009, 987_654_321).UTC(),
		Duration: 9864 * time.Millisecond, OutBytes: 1 << 33, ErrBytes: 12, Truncated: true,
		NativeSessionID: "native", Response: "the answer",
		InputTokens: new(int64(1)), OutputTokens: new(int64(2)), CacheReadTokens: new(int64(3)),
		CacheWriteTokens: new(int64(4)), ReasoningTokens: new(int64(5)), CostUSD: new(0.0125),
		UsageScope: store.ScopeSession, CostScope: store.ScopeSession,
	}
}

// FullApproval has a value in every field.
func FullApproval() store.Approval {
	return store.Approval{
		ID: store.NewID(), Principal: store.Local, Time: time.Unix(1_700_000_000, 123_456_789).UTC(), Tool: "acme_request_async", CLI: "acme", Strategy: "mcp_managed", Policy: "strict",
		Verdict: "denied", By: "human", Answer: "decline", Score: 85, Reasons: json.RawMessage(`[{"id":"bypass","score":60}]`), Note: "it is <late>",
		CatalogDigest: "c1", CorrelationID: "cor", ClientName: "client", ClientVersion: "4",
	}
}

// FullSession has a value in every field.
func FullSession() store.Session {
	return store.Session{
		Principal: store.Local, CLI: "acme", ID: "gw-1", Native: "n-1", Begun: true, Active: true, Turns: 7, Opener: store.NewID(), Cwd: "/home/x", Description: "héllo \"you\"",
		Created: time.Unix(1_700_000_000, 123_456_789).UTC(), Used: time.Unix(1_700_000_009, 1).UTC(), Kept: json.RawMessage(`{"access":"read"}`),
	}
}

// fullJoin has a value in every field.
func fullJoin(job string) store.Join {
	return store.Join{JobID: job, Principal: store.Local, Tool: "acme_request", ParentID: store.NewID(), CorrelationID: "cor", Approval: json.RawMessage(`{"score":1}`),
		GatewayVersion: "1", ClientName: "client", ClientVersion: "2", Created: time.Unix(0, 1_900_000_000_123_456_789).UTC()}
}

// keyedJob is a job that equal calls may join.
func keyedJob(principal, key string) store.Job {
	return store.Job{ID: store.NewID(), Principal: principal, Tool: "acme_request", DedupKey: key}
}

// wantNoZeroField fails where a value proves nothing of a field, because it is zero.
func wantNoZeroField(t *testing.T, v any, but ...string) {
	t.Helper()
	r := reflect.ValueOf(v)
	for i := range r.NumField() {
		if name := r.Type().Field(i).Name; r.Field(i).IsZero() && !slices.Contains(but, name) {
			t.Errorf("the test leaves %s.%s empty", r.Type(), name)
		}
	}
}

// begin makes the row of a job, of the local user if it says no other, and returns its id.
func begin(t *testing.T, s Store, job store.Job) string {
	t.Helper()
	if job.ID == "" {
		job.ID = store.NewID()
	}
	if job.Principal == "" {
		job.Principal = store.Local
	}
	if job.Tool == "" {
		job.Tool = "acme_request"
	}
	if err := s.Begin(ctx, job); err != nil {
		t.Fatal(err)
	}
	return job.ID
}

func finish(t *testing.T, s Store, id string, outcome store.Outcome) {
	t.Helper()
	if err := s.Finish(ctx, id, outcome, nil); err != nil {
		t.Fatal(err)
	}
}

func jobOf(t *testing.T, s Store, id string) store.Job {
	t.Helper()
	job, err := s.Job(ctx, store.AnyPrincipal, id)
	if err != nil {
		t.Fatal(err)
	}
	return job
}

func createSession(t *testing.T, s Store, session store.Session) store.Session {
	t.Helper()
	if session.Principal == "" {
		session.Principal = store.Local
	}
	if err := s.CreateSession(ctx, session); err != nil {
		t.Fatal(err)
	}
	return findSession(t, s, session.Principal, session.CLI, session.ID)
}

func findSession(t *testing.T, s Store, principal, cli, id string) store.Session {
	t.Helper()
	list, err := s.FindSessions(ctx, principal, cli, id)
	if err != nil || len(list) != 1 {
		t.Fatalf("%s of %s: %+v, %v", id, cli, list, err)
	}
	return list[0]
}

// sessionIDs are the ids of a principal's sessions, the last used first.
func sessionIDs(t *testing.T, s Store, principal, cli string) (ids []string) {
	t.Helper()
	all, total, err := s.Sessions(ctx, principal, cli, 0)
	if err != nil || total != len(all) {
		t.Fatalf("%d of %d, %v", len(all), total, err)
	}
	for _, session := range all {
		ids = append(ids, session.ID)
	}
	return ids
}
