package engine_test

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/llm-cli-gateway/gateway/engine"
	"github.com/llm-cli-gateway/gateway/engine/call"
	"github.com/llm-cli-gateway/gateway/engine/process"
)

// talkers are three CLIs: one takes ids, one chooses them, one binds them to directories.
func talkers(t *testing.T) string {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	const text = `
let words = {bin: %q, params: {do: {doc: "Before", type: "list"}, then: {doc: "After", type: "list"}, mute: {doc: "Say nothing", env: "ACME_MUTE"}}
	env: {set: ACME_FAKE: "1", pass: ["ACME_*"]}, timeouts: graceMs: 50
	output: {format: "jsonl", end: "event.result != nil", text: "event.result"}
	failure: [{class: "session", when: "stderr contains 'in use' || stderr contains 'is unknown'", hint: "name another"}], ...}
let turns = {resume: ["resume={id}"], latest: ["latest"], capture: "event.id", ...}
let line = ["{do}", "{session}", "{then}"]
cli: taker: words & {title: "Taker", argv: line, session: turns & {create: ["create={id}"]}}
cli: bound: words & {title: "Bound", argv: line, session: turns & {create: ["create={id}"], scope: "cwd"}}
cli: chooser: words & {title: "Chooser", argv: {new: ["{do}", "start", "{then}"], resume: line, latest: line}, session: turns}
`
	return fmt.Sprintf(text, self)
}

// sessionsClient is an engine with the CLIs that hold conversations, and helpers to call it.
type sessionsClient struct {
	*engine.Engine
	t             *testing.T
	home, talking string
}

func newSessionsClient(t *testing.T, environ ...string) sessionsClient {
	t.Helper()
	talking := t.TempDir()
	e, home := opened(t, talkers(t), append(environ, talks+"="+talking)...)
	return sessionsClient{e, t, home, talking}
}

// said is a result: what a caller sees of it.
type said struct {
	Status, SessionID, JobID, Response, CLI string
	Warnings                                []string
	Joined, Active                          bool
	Turns, Total, Cleared                   int
	NativeSessionID, WorkingDir             string
	Description                             string
	Error                                   struct{ Class, Message, Hint string }
	Sessions                                []said
}

func (d sessionsClient) ask(tool string, args map[string]any) said {
	d.t.Helper()
	text, err := json.Marshal(args)
	if err != nil {
		d.t.Fatal(err)
	}
	r := d.Tools.Call(d.t.Context(), call.Request{Tool: tool, Args: text})
	var s said
	if err := json.Unmarshal(r.Structured, &s); err != nil {
		// The list names the active ones by their CLIs.
		var list struct {
			Sessions []said
			Total    int
		}
		if err := json.Unmarshal(r.Structured, &list); err != nil {
			d.t.Fatalf("%v: %s", err, r.Structured)
		}
		s.Sessions, s.Total = list.Sessions, list.Total
	}
	if r.IsError != (s.Error.Class != "") && !strings.HasPrefix(tool, "llm_job") { // they report that a job failed
		d.t.Errorf("%s: %s %q", tool, r.Structured, r.Text)
	}
	s.Response = r.Response
	return s
}

type args = map[string]any

// turn makes a call that must be answered.
func (d sessionsClient) turn(cli string, more args, want string) said {
	d.t.Helper()
	all := args{"prompt": "x", "forceRefresh": true}
	for k, v := range more {
		all[k] = v
	}
	s := d.ask(cli+"_request", all)
	if s.Response != want {
		d.t.Fatalf("%s %v: %+v, want %s", cli, more, s, want)
	}
	return s
}

func eachTalker(t *testing.T, test func(t *testing.T, d sessionsClient, cli string)) {
	for _, cli := range []string{"taker", "bound", "chooser"} {
		t.Run(cli, func(t *testing.T) { test(t, newSessionsClient(t), cli) })
	}
}

// TestSessionIsUsed is the life of a session as its users see it.
func TestSessionIsUsed(t *testing.T) {
	eachTalker(t, func(t *testing.T, d sessionsClient, cli string) {
		s := d.ask("session_create", args{"cli": cli, "description": "Mending"})
		if s.SessionID == "" || !s.Active || s.CLI != cli || s.Description != "Mending" || s.Turns != 0 {
			t.Fatalf("%+v", s)
		}
		first := d.turn(cli, nil, "turn 1")
		d.turn(cli, args{"continueSession": true}, "turn 2")
		d.turn(cli, nil, "turn 3")
		d.turn(cli, args{"sessionId": s.SessionID}, "turn 4")
		last := d.turn(cli, args{"sessionId": first.SessionID}, "turn 5")
		if len(first.Warnings)+len(last.Warnings) > 0 {
			t.Errorf("warnings: %q %q", first.Warnings, last.Warnings)
		}
		for _, id := range []string{s.SessionID, last.SessionID} {
			dir, err := os.Getwd()
			if got := d.ask("session_get", args{"sessionId": id}); err != nil || got.SessionID != s.SessionID || got.NativeSessionID != last.SessionID || got.Turns != 5 || got.WorkingDir != dir {
				t.Errorf("%s: %+v, %v", id, got, err)
			}
		}
		if cli != "chooser" && first.SessionID != s.SessionID {
			t.Errorf("%s became %s", s.SessionID, first.SessionID)
		}

		other := d.turn(cli, args{"createNewSession": true}, "turn 1")
		d.turn(cli, args{"sessionId": other.SessionID}, "turn 2")
		d.turn(cli, nil, "turn 6")
		if list := d.ask("session_list", args{"cli": cli}); list.Total != 2 || list.Sessions[0].SessionID != s.SessionID || !list.Sessions[0].Active ||
			list.Sessions[1].SessionID != other.SessionID || list.Sessions[1].Turns != 2 || list.Sessions[1].Active || list.Sessions[1].Description != "" {
			t.Errorf("%+v", list)
		}
		if got := d.ask("session_set_active", args{"cli": cli, "sessionId": other.SessionID}); !got.Active || got.SessionID != other.SessionID {
			t.Errorf("%+v", got)
		}
		d.turn(cli, nil, "turn 3")
		if got := d.ask("session_set_active", args{"cli": cli, "sessionId": nil}); got.Active || got.CLI != cli {
			t.Errorf("%+v", got)
		}
		d.turn(cli, nil, "turn 1")
		if got := d.ask("session_delete", args{"sessionId": other.SessionID}); got.SessionID != other.SessionID {
			t.Errorf("%+v", got)
		}
		d.turn(cli, args{"sessionId": other.SessionID}, "turn 4") // the CLI has it still
		if got := d.ask("session_clear_all", args{"cli": cli}); got.Cleared != 3 {
			t.Errorf("%+v", got)
		}
		d.turn(cli, args{"resumeLatest": true}, lastTurn(t, d))
	})
}

// lastTurn is what the fake will answer to the newest of its conversations.
func lastTurn(t *testing.T, d sessionsClient) string {
	t.Helper()
	entries, err := os.ReadDir(d.talking)
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(d.talking, entries[len(entries)-1].Name()))
	if err != nil {
		t.Fatal(err)
	}
	n, _ := strconv.Atoi(string(text))
	return fmt.Sprintf("turn %d", n+1)
}

// TestNothingToContinue: what is not known to be continued is said.
func TestNothingToContinue(t *testing.T) {
	eachTalker(t, func(t *testing.T, d sessionsClient, cli string) {
		for _, how := range []string{"resumeLatest", "continueSession"} {
			began := d.turn(cli, args{how: true}, "turn 1")
			if len(began.Warnings) != 1 || !strings.Contains(began.Warnings[0], "began a new one") {
				t.Errorf("%s: %q", how, began.Warnings)
			}
			if read := d.ask("llm_job_result", args{"jobId": began.JobID}); !slices.Equal(read.Warnings, began.Warnings) {
				t.Errorf("read later: %q", read.Warnings)
			}
			if again := d.turn(cli, args{how: true}, "turn 2"); len(again.Warnings) > 0 {
				t.Errorf("%s: %q", how, again.Warnings)
			}
			if err := os.RemoveAll(d.talking); err != nil {
				t.Fatal(err)
			}
			if err := os.Mkdir(d.talking, 0o700); err != nil {
				t.Fatal(err)
			}
		}
	})
}

// TestFirstTurnsAtOnce: one of them begins the session, the others go on.
func TestFirstTurnsAtOnce(t *testing.T) {
	const calls = 6
	eachTalker(t, func(t *testing.T, d sessionsClient, cli string) {
		s := d.ask("session_create", args{"cli": cli})
		var wait sync.WaitGroup
		answers := make([]said, calls)
		for i := range calls {
			wait.Go(func() { answers[i] = d.ask(cli+"_request", args{"prompt": fmt.Sprint(i)}) })
		}
		wait.Wait()
		var turns []string
		for _, a := range answers {
			switch {
			case a.Error.Class == "":
				turns = append(turns, a.Response)
			case cli == "chooser" && a.Error.Class == "session_busy" && strings.Contains(a.Error.Message, "first turn, job "): // it has no id yet
			default:
				t.Errorf("%+v", a)
			}
		}
		slices.Sort(turns)
		for i, turn := range turns {
			if turn != fmt.Sprintf("turn %d", i+1) {
				t.Errorf("%q", turns)
			}
		}
		if len(turns) == 0 || cli != "chooser" && len(turns) != calls {
			t.Errorf("%d were answered", len(turns))
		}
		if got := d.ask("session_get", args{"sessionId": s.SessionID}); got.Turns != len(turns) {
			t.Errorf("%+v", got)
		}
	})
}

// TestSameTurnsJoin: while it runs, the same call is the same turn; when it has ended, it
// is the next one.
func TestSameTurnsJoin(t *testing.T) {
	eachTalker(t, func(t *testing.T, d sessionsClient, cli string) {
		d.ask("session_create", args{"cli": cli})
		for round := range 2 {
			gate := filepath.Join(d.home, fmt.Sprint("gate", round))
			if err := syscall.Mkfifo(gate, 0o600); err != nil {
				t.Fatal(err)
			}
			call := args{"prompt": "x", "do": []string{"await=" + gate}}
			first := d.ask(cli+"_request_async", call)
			second := d.ask(cli+"_request_async", call)
			if first.JobID == "" || first.Joined || second.JobID != first.JobID || !second.Joined {
				t.Errorf("round %d: %+v\n%+v", round, first, second)
			}
			writer, err := os.OpenFile(gate, os.O_WRONLY, 0)
			if err != nil {
				t.Fatal(err)
			}
			writer.Close()
			d.ask("llm_job_status", args{"jobId": first.JobID, "waitMs": 60_000})
			if got := d.ask("llm_job_result", args{"jobId": first.JobID}); got.Response != fmt.Sprintf("turn %d", 2*round+1) {
				t.Errorf("round %d: %+v", round, got)
			}
			if next := d.ask(cli+"_request", args{"prompt": "y"}); next.Joined || next.Response != fmt.Sprintf("turn %d", 2*round+2) {
				t.Errorf("round %d: %+v", round, next)
			}
		}
		if again := d.ask(cli+"_request", args{"prompt": "y"}); again.Joined || again.Response != "turn 5" {
			t.Errorf("%+v", again)
		}
	})
}

// TestFirstTurnThatFails: the session begins with the next call, or goes on if the CLI
// had begun it.
func TestFirstTurnThatFails(t *testing.T) {
	for _, c := range []struct {
		name  string
		first args
		then  map[string]string // what the next call comes to
	}{
		{"before", args{"do": []string{"die"}}, map[string]string{"taker": "turn 1", "chooser": "turn 1"}},
		{"after it was told", args{"then": []string{"die"}}, map[string]string{"taker": "turn 2", "chooser": "turn 2"}},
		{"after, untold", args{"then": []string{"die"}, "mute": "1"}, map[string]string{"taker": "turn 2", "chooser": "turn 1"}},
	} {
		for cli, want := range c.then {
			t.Run(cli+" "+c.name, func(t *testing.T) {
				d := newSessionsClient(t)
				s := d.ask("session_create", args{"cli": cli})
				c.first["prompt"] = "x"
				if r := d.ask(cli+"_request", c.first); r.Error.Class == "" {
					t.Fatalf("%+v", r)
				}
				if got := d.ask("session_get", args{"sessionId": s.SessionID}); got.Turns != 0 || !got.Active {
					t.Errorf("%+v", got)
				}
				d.turn(cli, nil, want)
			})
		}
	}
}

// TestAConversationThatSeemedNotToBe and one that seemed to be: a job fails and says so,
// and the next call knows.
func TestAConversationThatSeemedNotToBe(t *testing.T) {
	for name, c := range map[string]struct {
		first args
		lose  bool
		then  string
	}{
		"it was begun":     {args{"then": []string{"die"}, "mute": "1"}, false, "turn 2"},
		"it was not begun": {args{"then": []string{"die"}}, true, "turn 1"},
	} {
		t.Run(name, func(t *testing.T) {
			d := newSessionsClient(t)
			s := d.ask("session_create", args{"cli": "taker"})
			c.first["prompt"] = "x"
			if r := d.ask("taker_request", c.first); r.Error.Class == "" {
				t.Fatalf("%+v", r)
			}
			if c.lose {
				if err := os.Remove(filepath.Join(d.talking, s.SessionID)); err != nil {
					t.Fatal(err)
				}
			}
			job := d.ask("taker_request_async", args{"prompt": "y"})
			if r := d.ask("llm_job_status", args{"jobId": job.JobID, "waitMs": 60_000}); r.Error.Class != "session" {
				t.Errorf("%+v", r)
			}
			d.turn("taker", nil, c.then)
			d.turn("taker", args{"sessionId": s.SessionID}, "turn "+string(c.then[5]+1))
		})
	}
}

// TestFirstTurnThatIsCanceled had time to begin the conversation.
func TestFirstTurnThatIsCanceled(t *testing.T) {
	d := newSessionsClient(t)
	d.ask("session_create", args{"cli": "taker"})
	job := d.ask("taker_request_async", args{"prompt": "x", "mute": "1", "then": []string{"sleep"}})
	until(t, "the conversation", func() bool {
		entries, err := os.ReadDir(d.talking)
		return err == nil && len(entries) == 1 && lastTurn(t, d) == "turn 2"
	})
	if r := d.ask("llm_job_cancel", args{"jobId": job.JobID}); r.Status != "canceled" {
		t.Fatalf("%+v", r)
	}
	d.turn("taker", nil, "turn 2")
}

// TestAConversationThatIsGone: its CLI does not know it any more, and the caller hears
// how to leave it.
func TestAConversationThatIsGone(t *testing.T) {
	d := newSessionsClient(t)
	s := d.ask("session_create", args{"cli": "taker"})
	d.turn("taker", nil, "turn 1")
	if err := os.Remove(filepath.Join(d.talking, s.SessionID)); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if r := d.ask("taker_request", args{"prompt": "x"}); r.Error.Class != "session" || !strings.Contains(r.Error.Hint, "session_set_active without a sessionId") {
			t.Errorf("%+v", r)
		}
	}
	d.turn("taker", args{"createNewSession": true}, "turn 1")
}

func TestSessionsKeepToTheirPlaces(t *testing.T) {
	d := newSessionsClient(t)
	here, there := t.TempDir(), t.TempDir()
	a := d.ask("session_create", args{"cli": "bound"})
	d.turn("bound", args{"workingDir": here}, "turn 1")
	if r := d.turn("bound", args{"workingDir": there}, "turn 1"); len(r.Warnings) != 1 || !strings.Contains(r.Warnings[0], "belongs to "+here) || r.SessionID == a.SessionID {
		t.Errorf("%+v", r)
	}
	for _, how := range []args{{"continueSession": true}, {"sessionId": a.SessionID}} {
		how["prompt"], how["workingDir"] = "x", there
		if r := d.ask("bound_request", how); r.Error.Class != "invalid_call" || !strings.Contains(r.Error.Hint, "workingDir "+here) {
			t.Errorf("%v: %+v", how, r)
		}
	}
	d.turn("bound", args{"workingDir": here}, "turn 2")

	d.ask("session_create", args{"cli": "taker"})
	d.turn("taker", args{"workingDir": here}, "turn 1")
	if r := d.turn("taker", args{"workingDir": there}, "turn 2"); len(r.Warnings) != 1 || !strings.Contains(r.Warnings[0], "goes on in "+there) {
		t.Errorf("%+v", r)
	}
	if r := d.ask("taker_request", args{"prompt": "x", "sessionId": a.SessionID}); r.Error.Class != "invalid_call" || !strings.Contains(r.Error.Message, "belongs to bound, not to taker") {
		t.Errorf("%+v", r)
	}
	if r := d.ask("session_set_active", args{"cli": "taker", "sessionId": a.SessionID}); !strings.Contains(r.Error.Message, "belongs to bound") {
		t.Errorf("%+v", r)
	}
}

// TestIdsFromOutside are passed on as they are, and known from then on.
func TestIdsFromOutside(t *testing.T) {
	eachTalker(t, func(t *testing.T, d sessionsClient, cli string) {
		if err := os.WriteFile(filepath.Join(d.talking, "mine"), []byte("4"), 0o600); err != nil {
			t.Fatal(err)
		}
		d.turn(cli, args{"sessionId": "mine"}, "turn 5")
		if got := d.ask("session_get", args{"sessionId": "mine"}); got.Turns != 1 || got.CLI != cli {
			t.Errorf("%+v", got)
		}
		if r := d.ask(cli+"_request", args{"prompt": "x", "sessionId": "theirs"}); r.Error.Class != "session" || strings.Contains(r.Error.Hint, "is active") {
			t.Errorf("%+v", r)
		}
		if list := d.ask("session_list", nil); list.Total != 1 {
			t.Errorf("%+v", list)
		}
	})
}

// TestATurnWithoutItsGateway is noted by whoever sees its end, once.
func TestATurnWithoutItsGateway(t *testing.T) {
	eachTalker(t, func(t *testing.T, d sessionsClient, cli string) {
		gate := filepath.Join(d.home, "gate")
		if err := syscall.Mkfifo(gate, 0o600); err != nil {
			t.Fatal(err)
		}
		s := d.ask("session_create", args{"cli": cli})
		p := startGateway(t, d.home, folder(t, t.TempDir(), "acme.cue", talkers(t)), talks+"="+d.talking)
		text, err := json.Marshal(args{"name": cli + "_request_async", "arguments": args{"prompt": "x", "do": []string{"await=" + gate}}})
		if err != nil {
			t.Fatal(err)
		}
		id, _ := p.ask("tools/call", string(text)).Result.StructuredContent["jobId"].(string)
		if err := p.cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		p.cmd.Wait()
		if got := d.ask("llm_job_status", args{"jobId": id}); got.Status != "running" || got.SessionID != s.SessionID {
			t.Errorf("%+v", got)
		}
		writer, err := os.OpenFile(gate, os.O_WRONLY, 0)
		if err != nil {
			t.Fatal(err)
		}
		writer.Close()
		var wait sync.WaitGroup
		for range 4 {
			wait.Go(func() { d.ask("llm_job_status", args{"jobId": id, "waitMs": 60_000}) })
		}
		wait.Wait()
		if got := d.ask("session_get", args{"sessionId": s.SessionID}); got.Turns != 1 || got.NativeSessionID == "" {
			t.Errorf("%+v", got)
		}
		d.turn(cli, nil, "turn 2")
	})
}

// TestTwoGatewaysShareASession: each takes turns, and both count.
func TestTwoGatewaysShareASession(t *testing.T) {
	const each = 5
	eachTalker(t, func(t *testing.T, d sessionsClient, cli string) {
		s := d.ask("session_create", args{"cli": cli})
		d.turn(cli, nil, "turn 1")
		p := startGateway(t, d.home, folder(t, t.TempDir(), "acme.cue", talkers(t)), talks+"="+d.talking)
		var wait sync.WaitGroup
		wait.Go(func() {
			for i := range each {
				if m := p.ask("tools/call", fmt.Sprintf(`{"name":"%s_request","arguments":{"prompt":"a%d"}}`, cli, i)); m.Result.IsError {
					t.Errorf("%+v", m.Result)
				}
			}
		})
		for i := range each {
			if r := d.ask(cli+"_request", args{"prompt": fmt.Sprint("b", i)}); r.Error.Class != "" {
				t.Errorf("%+v", r)
			}
		}
		wait.Wait()
		if got := d.ask("session_get", args{"sessionId": s.SessionID}); got.Turns != 2*each+1 {
			t.Errorf("%+v", got)
		}
		d.turn(cli, nil, fmt.Sprintf("turn %d", 2*each+2))
	})
}

// TestACallFromInsideItsSession cannot go on with the turn that makes it.
func TestACallFromInsideItsSession(t *testing.T) {
	d := newSessionsClient(t)
	s := d.ask("session_create", args{"cli": "taker"})
	d.turn("taker", nil, "turn 1")
	job := d.ask("taker_request_async", args{"prompt": "x", "then": []string{"sleep"}})
	specs := folder(t, t.TempDir(), "acme.cue", talkers(t))
	e, diags := engine.Open(engine.Options{Specs: []string{specs}, Version: "test",
		Environ: []string{"HOME=" + d.home, "PATH=" + os.Getenv("PATH"), talks + "=" + d.talking, process.CookieName + "=" + job.JobID}})
	if e == nil {
		t.Fatal(diags)
	}
	defer e.Close()
	inner := sessionsClient{e, t, d.home, d.talking}
	if r := inner.turn("taker", nil, "turn 1"); len(r.Warnings) != 1 || !strings.Contains(r.Warnings[0], "job "+job.JobID) {
		t.Errorf("%+v", r)
	}
	for _, how := range []args{{"continueSession": true}, {"sessionId": s.SessionID}} {
		how["prompt"] = "y"
		if r := inner.ask("taker_request", how); r.Error.Class != "nested" || !strings.Contains(r.Error.Message, "in the middle of a turn, job "+job.JobID) {
			t.Errorf("%+v", r)
		}
	}
	d.ask("llm_job_cancel", args{"jobId": job.JobID})
}

func TestUnusedSessionsGo(t *testing.T) {
	d := newSessionsClient(t)
	s := d.ask("session_create", args{"cli": "taker"})
	for _, c := range []struct{ days, left int }{{29, 1}, {31, 0}} {
		if _, err := d.Tools.Runner.Prune(t.Context(), time.Now().AddDate(0, 0, c.days)); err != nil {
			t.Fatal(err)
		}
		if list := d.ask("session_list", nil); list.Total != c.left {
			t.Errorf("after %d days: %+v", c.days, list)
		}
	}
	if r := d.ask("session_get", args{"sessionId": s.SessionID}); !strings.Contains(r.Error.Hint, "gateway.sessions.retentionDays") {
		t.Errorf("%+v", r)
	}
}

func TestSessionsInMemory(t *testing.T) {
	d := newSessionsClient(t, "LLM_GATEWAY_LOGS_DB=none")
	r := d.Tools.Call(context.Background(), call.Request{Tool: "session_create", Args: json.RawMessage(`{"cli":"chooser"}`)})
	if r.IsError || !strings.Contains(strings.Join(r.Text, "\n"), "ends with this gateway") {
		t.Errorf("%+v", r)
	}
	d.turn("chooser", nil, "turn 1")
	d.turn("chooser", nil, "turn 2")
}
