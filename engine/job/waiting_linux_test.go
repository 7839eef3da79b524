package job

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/llm-cli-gateway/gateway/engine/call"
	"github.com/llm-cli-gateway/gateway/engine/catalog"
	"github.com/llm-cli-gateway/gateway/engine/catalog/access"
	"github.com/llm-cli-gateway/gateway/engine/job/storedcall"
	"github.com/llm-cli-gateway/gateway/engine/lang"
	"github.com/llm-cli-gateway/gateway/engine/policy"
	"github.com/llm-cli-gateway/gateway/engine/store"
	"github.com/llm-cli-gateway/gateway/engine/supervisor"
)

// asked is a request about which a person has to decide.
func (b *fixture) asked(args map[string]any) call.Request {
	b.t.Helper()
	req := b.request()
	req.Bound = b.bind("hello", args)
	args["prompt"] = "hello"
	req.Args, _ = json.Marshal(args)
	req.Approval = &call.Approval{Strategy: policy.Managed, Policy: "narrow", Verdict: call.Undecided, Score: 20}
	req.Asked = &call.Asked{Question: "May it?", Recorded: "May it?", For: time.Hour}
	return req
}

// wait submits such a request and holds that nothing runs.
func (b *fixture) wait(req call.Request) string {
	b.t.Helper()
	job, failure := b.runner.send(b.t.Context(), req)
	if failure != nil || job.State != call.Waiting {
		b.t.Fatalf("%+v %+v", job, failure)
	}
	if _, err := os.Stat(filepath.Join(b.runner.Jobs, job.Row.ID)); !errors.Is(err, os.ErrNotExist) {
		b.t.Error("there is a directory before anything was decided")
	}
	return job.Row.ID
}

// end is the job at its end, which must have given an answer unless a failure is named.
func (b *fixture) end(id, want string) call.Completion {
	b.t.Helper()
	job, err := b.runner.Await(b.t.Context(), store.Local, id, time.Minute)
	if err != nil || !job.State.Ended() {
		b.t.Fatalf("%+v %v", job, err)
	}
	out := b.runner.Completion(job)
	if got := class(out); got != want {
		b.t.Fatalf("class %q, want %q: %+v", got, want, out.Answer.Failure)
	}
	if left, _ := filepath.Glob(storedcall.Path(b.runner.folder(), "*")); len(left) > 0 {
		b.t.Errorf("left behind: %q", left)
	}
	return out
}

func (b *fixture) approve(id string) call.Job {
	b.t.Helper()
	job, err := b.runner.Answer(b.t.Context(), store.Local, id, call.ChoseApprove)
	if err != nil {
		b.t.Fatal(err)
	}
	return job
}

const answering = `out={"result":"fine"}` + "\n"

// TestTheGatewayThatHasTheCallStartsIt, with its own environment, though another one answers.
func TestTheGatewayThatHasTheCallStartsIt(t *testing.T) {
	home := t.TempDir()
	a, b := newFixtureIn(t, home, jsonl, "ACME_WHO=a"), newFixtureIn(t, home, jsonl, "ACME_WHO=b")
	id := a.wait(a.asked(map[string]any{"do": []string{`out={"result":"`, "getenv=ACME_WHO", "out=\"}\n"}}))
	if job := b.approve(id); job.State == call.Waiting {
		t.Errorf("%+v", job)
	}
	if out := a.end(id, ""); out.Answer.Text != "a" {
		t.Errorf("%q", out.Answer.Text)
	}
}

// TestEveryExecutorWaits: also jobs that end with their gateway wait before they begin.
func TestEveryExecutorWaits(t *testing.T) {
	for name, change := range map[string]func(r *Runner){
		"in process": func(r *Runner) { r.Executor = newInProcess(r) },
		"volatile":   func(r *Runner) { r.Volatile = true },
	} {
		t.Run(name, func(t *testing.T) {
			b := newFixture(t, jsonl)
			change(b.runner)
			denied, id := b.wait(b.asked(map[string]any{"do": []string{answering}})), b.wait(b.asked(map[string]any{"do": []string{answering}}))
			if _, err := b.runner.Answer(t.Context(), store.Local, denied, call.ChoseDeny); err != nil {
				t.Fatal(err)
			}
			b.approve(id)
			if out := b.end(id, ""); out.Answer.Text != "fine" {
				t.Errorf("%+v", out)
			}
			b.end(denied, lang.ClassDenied)
			if b.runner.Answerable() == (name == "volatile") {
				t.Error("others see what is in memory, or do not see what is not")
			}
		})
	}
}

// undecidable is a record of decisions that is full.
type undecidable struct{}

func (undecidable) RecordDecision(context.Context, store.Approval) error { return errors.New("full") }

func TestAnApprovalThatCannotBeRecordedLetsNothingRun(t *testing.T) {
	b, effects := newFixture(t, jsonl), t.TempDir()
	b.runner.Decisions = undecidable{}
	id := b.wait(b.asked(map[string]any{"do": []string{"touch=" + effects, answering}}))
	b.approve(id)
	b.end(id, lang.ClassRecord)
	if ran, err := os.ReadDir(effects); err != nil || len(ran) > 0 {
		t.Errorf("it ran, %v", err)
	}
}

// TestASessionThatWaitedForNothing can begin with the next call.
func TestASessionThatWaitedForNothing(t *testing.T) {
	b := newFixture(t, jsonl)
	for _, end := range []call.Reply{call.ChoseDeny, call.Abandoned} {
		s := store.Session{Principal: store.Local, CLI: "acme", ID: store.NewID()}
		if err := b.store.CreateSession(t.Context(), s); err != nil {
			t.Fatal(err)
		}
		req := b.asked(map[string]any{"do": []string{answering}})
		bound, wrong := req.Bound.InConversation(s.ID, lang.New, "", catalog.Kept{})
		if wrong != nil {
			t.Fatal(wrong)
		}
		req.Bound = bound
		id := b.wait(req)
		begun := func() bool {
			found, err := b.store.FindSessions(t.Context(), store.Local, "acme", s.ID)
			if err != nil || len(found) != 1 {
				t.Fatal(found, err)
			}
			return found[0].Begun
		}
		if !begun() {
			t.Error("another call could begin it meanwhile")
		}
		var err error
		if end == call.Abandoned {
			_, err = b.runner.Cancel(t.Context(), store.Local, id, "me", time.Minute)
		} else {
			_, err = b.runner.Answer(t.Context(), store.Local, id, end)
		}
		if err != nil || begun() {
			t.Errorf("%s: it counts as begun, %v", end, err)
		}
	}
}

// TestAGatewayThatIsGoneLosesNothing: whoever answers starts the job, or one that looks later,
// with the very command that was asked about.
func TestAGatewayThatIsGoneLosesNothing(t *testing.T) {
	for name, later := range map[string]bool{"who answers": false, "who looks later": true} {
		t.Run(name, func(t *testing.T) {
			home := t.TempDir()
			a := newFixtureIn(t, home, jsonl, "ACME_KEY=sesame-sesame")
			req := a.asked(map[string]any{"do": []string{answering, "out=sesame-sesame"}})
			req.Bound.Prompt = "hello"
			id := a.wait(req)
			a.runner.Close()

			b := newFixtureIn(t, home, jsonl, "ACME_KEY=sesame-sesame")
			if job, err := b.runner.Status(t.Context(), store.Local, id); err != nil || job.State != call.Waiting {
				t.Fatalf("%+v %v", job, err)
			}
			if err := b.runner.Reconcile(t.Context()); err != nil {
				t.Fatal(err)
			}
			if later { // the one that answered died before it had started it
				row, err := b.store.Job(t.Context(), store.Local, id)
				if err == nil {
					err = b.store.Release(t.Context(), id, call.Answered(row.Approval, call.ChoseApprove).Record(), time.Now())
				}
				if err == nil {
					_, err = supervisor.Prepare(b.runner.Jobs, supervisor.Job{ID: id, Path: "/bin/true", Dir: "/"})
				}
				if err != nil {
					t.Fatal(err)
				}
				forgetLease(t, b, id)
				if err := b.runner.Reconcile(t.Context()); err != nil {
					t.Fatal(err)
				}
			} else {
				b.approve(id)
			}
			if out := b.end(id, ""); out.Answer.Text != "fine" {
				t.Errorf("%+v", out)
			}
			row, err := b.store.Job(t.Context(), store.Local, id)
			if a := call.ReadApproval(row.Approval); err != nil || a == nil || a.By != "human" || a.Verdict != call.Approved || row.Waits() || len(row.Argv) != 2 || strings.Contains(string(row.Args), "sesame") {
				t.Errorf("%+v %v", row, err)
			}
		})
	}
}

// TestTheAccessThatWasApprovedIsTheOneThatRuns, also where another gateway starts it.
func TestTheAccessThatWasApprovedIsTheOneThatRuns(t *testing.T) {
	lines, home := strings.Replace(jsonl, "session:", `params: do: safe: true
	access: {read: ["out=read"], edit: [#"out={"result":"edit"}"#, "out=\n"], full: []}
	session:`, 1), t.TempDir()
	a := newFixtureIn(t, home, lines)
	req := a.asked(map[string]any{"do": []string{"continue"}, "access": "edit"})
	granted, wrong := a.catalog.Access(req.Bound, access.Ceiling{})
	if wrong != nil {
		t.Fatal(wrong)
	}
	req.Bound = req.Bound.WithAccess(granted, catalog.Place{Dir: a.dir, Trusted: true})
	id := a.wait(req)
	a.runner.Close()
	b := newFixtureIn(t, home, lines)
	b.approve(id)
	if out := b.end(id, ""); out.Answer.Text != "edit" {
		t.Errorf("%q", out.Answer.Text)
	}
	row, err := b.store.Job(t.Context(), store.Local, id)
	if known := catalog.AccessIn(row.Args); err != nil || known == nil || known.Level != "edit" {
		t.Errorf("%s %v", row.Args, err)
	}
}

// forgetLease is the death of who prepared a job: its lease is free.
func forgetLease(t *testing.T, b *fixture, id string) {
	t.Helper()
	lease := filepath.Join(b.runner.Jobs, id, "lease")
	text, err := os.ReadFile(lease)
	if err == nil {
		err = os.Remove(lease)
	}
	if err == nil {
		err = os.WriteFile(lease, text, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// TestWhatWasApprovedIsWhatRuns: after a change of the specs an approval is worth nothing.
func TestWhatWasApprovedIsWhatRuns(t *testing.T) {
	home := t.TempDir()
	a := newFixtureIn(t, home, jsonl)
	changed, lost := a.wait(a.asked(map[string]any{"do": []string{answering}})), a.wait(a.asked(map[string]any{"do": []string{answering, "continue"}}))
	a.runner.Close()
	if err := os.Remove(storedcall.Path(a.runner.folder(), lost)); err != nil {
		t.Fatal(err)
	}
	b := newFixtureIn(t, home, strings.Replace(jsonl, `"{do}"]`, `"{do}", "out=more"]`, 1))
	for _, id := range []string{changed, lost} {
		if job := b.approve(id); job.State != call.Failed {
			t.Errorf("%+v", job)
		}
	}
	for id, want := range map[string]string{changed: "the specs have changed", lost: "cannot be made again"} {
		if out := b.end(id, lang.ClassStart); !strings.Contains(out.Answer.Failure.Message, want) {
			t.Errorf("%+v", out.Answer.Failure)
		}
	}
}

// TestOneOfManyAnswersCounts, over two gateways, and the program runs once.
func TestOneOfManyAnswersCounts(t *testing.T) {
	home, effects := t.TempDir(), t.TempDir()
	a, b := newFixtureIn(t, home, jsonl), newFixtureIn(t, home, jsonl)
	for range 4 {
		id := a.wait(a.asked(map[string]any{"do": []string{"touch=" + effects, answering}}))
		var mu sync.Mutex
		counted := map[call.Reply]int{}
		var all sync.WaitGroup
		for i := range 8 {
			runner, reply := []*Runner{a.runner, b.runner}[i%2], []call.Reply{call.ChoseApprove, call.ChoseDeny}[i/2%2]
			all.Go(func() {
				_, err := runner.Answer(t.Context(), store.Local, id, reply)
				if other := (*NotWaitingError)(nil); err != nil && !errors.As(err, &other) {
					t.Error(err)
				}
				if err == nil {
					mu.Lock()
					counted[reply]++
					mu.Unlock()
				}
			})
		}
		all.Wait()
		if counted[call.ChoseApprove]+counted[call.ChoseDeny] != 1 {
			t.Fatalf("%v", counted)
		}
		want := lang.ClassDenied
		if counted[call.ChoseApprove] == 1 {
			want = ""
		}
		a.end(id, want)
		ran, err := os.ReadDir(effects)
		if err != nil || len(ran) != counted[call.ChoseApprove] {
			t.Errorf("%d runs, %v, %v", len(ran), counted, err)
		}
		for _, e := range ran {
			os.Remove(filepath.Join(effects, e.Name()))
		}
	}
}

// TestAJobThatWaitsIsCanceledWithItsParent, and frees the session that it would have begun.
func TestAJobThatWaitsIsCanceledWithItsParent(t *testing.T) {
	b := newFixture(t, jsonl)
	parent, failure := b.runner.send(t.Context(), b.request("sleep"))
	if failure != nil {
		t.Fatal(failure)
	}
	inner := b.inside(parent.Row.ID)
	id := inner.wait(inner.asked(map[string]any{"do": []string{answering}}))
	if outer, err := inner.runner.Enclosing(t.Context()); err != nil || outer != parent.Row.ID {
		t.Errorf("%q %v", outer, err)
	}
	if _, err := b.runner.Cancel(t.Context(), store.Local, parent.Row.ID, "me", time.Minute); err != nil {
		t.Fatal(err)
	}
	b.end(id, lang.ClassCanceled)
}

// departed is the context of a caller whose user wants no more of the call.
func departed(t *testing.T) context.Context {
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(cancelCause(""))
	return ctx
}

// TestACallThatIsSharedWaitsOn when its first caller leaves.
func TestACallThatIsSharedWaitsOn(t *testing.T) {
	b := newFixture(t, jsonl)
	b.catalog.Settings.Jobs.DedupMs = 3_600_000
	first, failure := b.runner.send(t.Context(), b.asked(map[string]any{"do": []string{answering}}))
	again, second := b.runner.send(t.Context(), b.asked(map[string]any{"do": []string{answering}}))
	if failure != nil || second != nil || !again.Joined || again.Row.ID != first.Row.ID {
		t.Fatalf("%+v %+v", first, again)
	}
	left, err := b.runner.Abandon(departed(t), first)
	if err != nil || left.State != call.Waiting {
		t.Errorf("%+v %v", left, err)
	}
	alone := b.wait(b.asked(map[string]any{"do": []string{answering, "continue"}}))
	job, err := b.runner.Status(t.Context(), store.Local, alone)
	if err == nil {
		job, err = b.runner.Abandon(departed(t), job)
	}
	if err != nil || job.State != call.Canceled {
		t.Errorf("%+v %v", job, err)
	}
}

func TestAProgramThatIsMissingIsNotAskedAbout(t *testing.T) {
	b := newFixture(t, jsonl)
	req := b.asked(map[string]any{"do": []string{answering}})
	cli, _ := b.catalog.CLI("acme")
	cli.Bin = "no-such-acme"
	if job, failure := b.runner.send(t.Context(), req); failure == nil || failure.Class != lang.ClassMissing || job.State == call.Waiting {
		t.Errorf("%+v %+v", job, failure)
	}
}
