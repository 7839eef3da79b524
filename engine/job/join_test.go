//go:build linux

package job

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/llm-cli-gateway/gateway/engine/call"
	"github.com/llm-cli-gateway/gateway/engine/host"
	"github.com/llm-cli-gateway/gateway/engine/lang"
	"github.com/llm-cli-gateway/gateway/engine/store"
	"github.com/llm-cli-gateway/gateway/engine/store/sqlite"
)

// joining is a fixture in which equal calls join, for an hour.
func joining(t *testing.T, lines string, environ ...string) *fixture {
	t.Helper()
	b := newFixture(t, lines, environ...)
	b.catalog.Settings.Jobs.DedupMs = time.Hour.Milliseconds()
	return b
}

// TestJoinsAreOnRecord: a call for which nothing was run is on record all the same, where
// its job is and where calls are.
func TestJoinsAreOnRecord(t *testing.T) {
	b := joining(t, "")
	calls, err := sqlite.Open(filepath.Join(b.home, "calls.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer calls.Close()
	b.runner.Log = func() (CallStore, error) { return calls, nil }
	gate, open := b.gate()
	id := b.submit(gate, "out=fine").Row.ID
	live := b.request(gate, "out=fine")
	live.Bound.CorrelationID, live.Approval = "live", &call.Approval{Score: 1}
	if j, failure := b.runner.send(t.Context(), live); failure != nil || !j.Joined || len(j.Notes) > 0 {
		t.Fatalf("%+v %v", j, failure)
	}
	open()
	b.await(id)
	done := b.async(gate, "out=fine")
	done.Bound.CorrelationID = "done"
	if out := b.runner.Run(t.Context(), done); out.ID != id || len(out.Warnings) > 0 {
		t.Fatalf("%+v", out)
	}
	res, err := b.runner.Result(t.Context(), store.Local, id, 0, 10)
	if err != nil || len(res.Joins) != 2 {
		t.Fatalf("%+v %v", res.Joins, err)
	}
	want := store.Join{JobID: id, Principal: store.Local, Tool: "acme_request", CorrelationID: "live", Approval: live.Approval.Record(), GatewayVersion: "9.9", ClientName: "client", ClientVersion: "3", Created: res.Joins[1].Created}
	if newest := res.Joins[0]; !reflect.DeepEqual(res.Joins[1], want) || newest.Tool != "acme_request_async" || newest.CorrelationID != "done" {
		t.Errorf("%+v", res.Joins)
	}
	if got, err := calls.Joins(t.Context(), store.Local, id, 0); err != nil || !reflect.DeepEqual(got, res.Joins) {
		t.Errorf("among the calls: %+v %v", got, err)
	}
	// The answer is there, so a full disk is no reason to withhold it.
	if err := os.Rename(filepath.Join(b.home, "calls.db"), filepath.Join(b.home, "moved.db")); err != nil {
		t.Fatal(err)
	}
	if out := b.runner.Run(t.Context(), done); out.Answer.Text != "fine" || len(out.Warnings) != 1 || !strings.Contains(out.Warnings[0], "could not be recorded") {
		t.Errorf("%+v", out)
	}
}

// counting is a step that leaves a trace of each run in a folder.
func (b *fixture) counting() (step string, runs func() int) {
	b.t.Helper()
	folder := b.t.TempDir()
	return "touch=" + folder, func() int {
		entries, err := os.ReadDir(folder)
		if err != nil {
			b.t.Fatal(err)
		}
		return len(entries)
	}
}

func TestTheSameCallJoins(t *testing.T) {
	b := joining(t, "")
	count, runs := b.counting()
	gate, open := b.gate()
	first := b.submit(count, gate, "out=fine")
	if first.Joined || first.Row.DedupKey == "" {
		t.Errorf("%+v", first)
	}
	other := b.other()
	live := other.submit(count, gate, "out=fine")
	if !live.Joined || live.Row.ID != first.Row.ID || live.State != call.Running {
		t.Errorf("a live one: %+v", live)
	}
	open()
	if end, err := other.runner.Wait(t.Context(), live, long); err != nil || !end.Joined || other.runner.Completion(end).Answer.Text != "fine" {
		t.Errorf("%+v %v", end, err)
	}
	// What is waited for joins what is not, and the other way round.
	done, failure := other.runner.send(t.Context(), b.request(count, gate, "out=fine"))
	if failure != nil || !done.Joined || done.State != call.Completed || done.Row.ID != first.Row.ID || other.runner.Completion(done).Answer.Text != "fine" {
		t.Errorf("a finished one: %+v %v", done, failure)
	}
	if n := runs(); n != 1 {
		t.Errorf("it ran %d times", n)
	}
	if again := b.submit(count, "out=fine"); again.Joined {
		t.Errorf("another call: %+v", again)
	}
}

// TestWhatIsNotTheSame changes one thing at a time.
func TestWhatIsNotTheSame(t *testing.T) {
	b := joining(t, "params: x: {doc: \"x\", env: \"ACME_X\"}", "ACME_ONE=1", "TERM=dumb")
	run := func(b *fixture, change func(req *call.Request)) bool {
		t.Helper()
		req := b.request("out=fine")
		change(&req)
		job, failure := b.runner.send(t.Context(), req)
		if failure != nil {
			t.Fatal(failure)
		}
		b.await(job.Row.ID)
		return job.Joined
	}
	if run(b, func(*call.Request) {}) {
		t.Fatal("the first call joined")
	}
	for name, change := range map[string]func(req *call.Request){
		"prompt": func(req *call.Request) { req.Bound = b.bind("other", map[string]any{"do": []string{"out=fine"}}) },
		"arguments": func(req *call.Request) {
			req.Bound = b.bind("hello", map[string]any{"do": []string{"out=fine", "out="}})
		},
		"environment of the call": func(req *call.Request) {
			req.Bound = b.bind("hello", map[string]any{"do": []string{"out=fine"}, "x": "1"})
		},
		"directory": func(req *call.Request) { req.Dir = t.TempDir() },
		"forced":    func(req *call.Request) { req.Bound.Force = true },
	} {
		if run(b, change) {
			t.Errorf("%s: it joined", name)
		}
	}
	if !run(b, func(req *call.Request) {
		req.Client, req.Bound.CorrelationID = call.Client{Name: "another", Version: "1"}, "mine"
	}) {
		t.Error("another client's call did not join")
	}
	o := b.other()
	o.runner.Host = host.New([]string{"HOME=" + b.home, "PATH=/elsewhere:" + os.Getenv("PATH"), "ACME_ONE=1", "TERM=xterm"}, nil, "")
	if !run(o, func(*call.Request) {}) {
		t.Error("another terminal kept it from joining")
	}
	o.runner.Host = host.New([]string{"HOME=" + b.home, "PATH=" + os.Getenv("PATH"), "ACME_ONE=2"}, nil, "")
	if run(o, func(*call.Request) {}) {
		t.Error("another key: it joined")
	}
	b.catalog.Settings.Jobs.DedupMs = 0
	if run(b, func(*call.Request) {}) {
		t.Error("it joined although that is off")
	}
}

// TestOnlyGoodAnswersAreJoined: what failed, was canceled or lost is run again.
func TestOnlyGoodAnswersAreJoined(t *testing.T) {
	b := joining(t, "")
	count, runs := b.counting()
	failing := []string{count, "out=oh", "exit=3"}
	b.await(b.submit(failing...).Row.ID)
	if again := b.submit(failing...); again.Joined {
		t.Error("a failed one was joined")
	} else {
		b.await(again.Row.ID)
	}
	if n := runs(); n != 2 {
		t.Errorf("it ran %d times", n)
	}
	id := b.submit("sleep").Row.ID
	if end, err := b.runner.Cancel(t.Context(), store.Local, id, "test", long); err != nil || end.State != call.Canceled {
		t.Fatalf("%+v %v", end, err)
	}
	again := b.submit("sleep")
	if again.Joined {
		t.Error("a canceled one was joined")
	}
	// Outside of the window.
	good := b.submit("out=fine")
	b.await(good.Row.ID)
	b.catalog.Settings.Jobs.DedupMs = 1
	until(t, "the end of the window", func() bool {
		job := b.submit("out=fine")
		b.await(job.Row.ID)
		return !job.Joined
	})
}

// TestNextTurnIsNotTheLastOne: a turn of a conversation joins a live one only.
func TestNextTurnIsNotTheLastOne(t *testing.T) {
	b := joining(t, jsonl)
	count, runs := b.counting()
	gate, open := b.gate()
	turn := func() call.Job {
		t.Helper()
		bound := b.bind("more", map[string]any{"sessionId": "conv-1", "do": []string{count, gate, `out={"result":"x","id":"conv-1"}` + "\n"}})
		job, failure := b.runner.send(t.Context(), call.Request{Principal: store.Local, Catalog: b.catalog, Bound: bound, Dir: b.dir})
		if failure != nil {
			t.Fatal(failure)
		}
		return job
	}
	first := turn()
	if twin := turn(); !twin.Joined || twin.Row.ID != first.Row.ID {
		t.Errorf("%+v", twin)
	}
	open()
	b.await(first.Row.ID)
	second := turn()
	if second.Joined {
		t.Errorf("%+v", second)
	}
	open()
	b.await(second.Row.ID)
	if n := runs(); n != 2 {
		t.Errorf("it ran %d times", n)
	}
}

// TestConversationTakesTurns: another turn of a conversation waits for the one before.
func TestConversationTakesTurns(t *testing.T) {
	b := newFixture(t, jsonl)
	gate, open := b.gate()
	turn := func(steps ...string) call.Job {
		t.Helper()
		bound := b.bind("more", map[string]any{"sessionId": "conv-1", "do": append(steps, `out={"result":"x","id":"conv-1"}`+"\n")})
		job, failure := b.runner.send(t.Context(), call.Request{Principal: store.Local, Catalog: b.catalog, Bound: bound, Dir: b.dir})
		if failure != nil {
			t.Fatal(failure)
		}
		return job
	}
	first := turn(gate)
	second, third := turn("continue=2"), turn("continue=3")
	if first.State != call.Running || second.State != call.Queued || third.State != call.Queued || second.Position != 1 || third.Position != 2 {
		t.Errorf("%s %s %s, %d %d", first.State, second.State, third.State, second.Position, third.Position)
	}
	if s, err := b.other().runner.Status(t.Context(), store.Local, second.Row.ID); err != nil || s.State != call.Queued || s.Position != 1 || s.Pid != 0 {
		t.Errorf("%+v %v", s, err)
	}
	if end, err := b.runner.Cancel(t.Context(), store.Local, third.Row.ID, "test", long); err != nil || end.State != call.Canceled {
		t.Errorf("%+v %v", end, err)
	}
	open()
	if end := b.await(second.Row.ID); end.State != call.Completed {
		t.Errorf("%+v", end)
	}
	// The turn that is under way asks for another one: it would wait for itself.
	row, err := b.store.Job(t.Context(), store.Local, first.Row.ID)
	if err != nil || row.SessionID != "conv-1" {
		t.Fatalf("%+v %v", row, err)
	}
	nested := b.inside(first.Row.ID)
	bound := b.bind("more", map[string]any{"sessionId": "conv-1"})
	if _, failure := nested.runner.send(t.Context(), call.Request{Principal: store.Local, Catalog: b.catalog, Bound: bound, Dir: b.dir}); failure == nil || failure.Class != lang.ClassNested || !strings.Contains(failure.Message, first.Row.ID) {
		t.Errorf("%+v", failure)
	}
}

// TestManyGatewaysJoinOne: T16 with runners for processes; the race of processes is
// tested with the program itself.
func TestManyGatewaysJoinOne(t *testing.T) {
	b := joining(t, "")
	gateways := []*fixture{b, b.other(), b.other(), b.other()}
	for range 3 {
		count, runs := b.counting()
		var mu sync.Mutex
		ids := map[string]bool{}
		started := 0
		var wg sync.WaitGroup
		for i := range 12 {
			req := b.request(count, "out=fine")
			wg.Go(func() {
				job, failure := gateways[i%len(gateways)].runner.send(context.Background(), req)
				mu.Lock()
				defer mu.Unlock()
				if failure != nil {
					t.Error(failure)
					return
				}
				ids[job.Row.ID] = true
				if !job.Joined {
					started++
				}
			})
		}
		wg.Wait()
		for id := range ids {
			b.await(id)
		}
		if len(ids) != 1 || started != 1 || runs() != 1 {
			t.Errorf("%d ids, %d started, %d runs", len(ids), started, runs())
		}
	}
	if entries, err := os.ReadDir(b.runner.Jobs); err != nil || len(entries) != 3 {
		t.Errorf("%d directories, %v", len(entries), err)
	}
}

// TestCrashesBeforeTheSameCall: T17. What died before its start is run again; what was
// started is joined.
func TestCrashesBeforeTheSameCall(t *testing.T) {
	b := joining(t, "")
	req := b.request("out=fine")
	dead := b.runner.newRun(req)
	dead.records = b.store
	if failure := dead.buildCommand(""); failure != nil {
		t.Fatal(failure)
	}
	dead.setDedupKey()
	dead.buildRow()
	row := b.unstartedAs(dead.row)
	job, failure := b.runner.send(t.Context(), req)
	if failure != nil || job.Joined || job.Row.ID == row.ID || job.Row.DedupKey != row.DedupKey {
		t.Fatalf("after a crash behind the row: %+v %v", job, failure)
	}
	if old, err := b.store.Job(t.Context(), store.Local, row.ID); err != nil || old.Outcome.Ending != store.EndStartFailed {
		t.Errorf("%+v %v", old, err)
	}
	b.await(job.Row.ID)
	b.runner.Close()
	if again := b.other().submit("out=fine"); !again.Joined || again.Row.ID != job.Row.ID {
		t.Errorf("%+v", again)
	}
}

// TestWhoTurnsAway: who waits does not end what others wait for.
// leaving is a record during whose writing the caller leaves. As a database does, it may have
// written a row and say that it was interrupted.
type leaving struct {
	Store
	leave func()
}

func (l *leaving) Begin(ctx context.Context, job store.Job) error {
	err := l.Store.Begin(context.WithoutCancel(ctx), job)
	l.leave()
	return errors.Join(err, ctx.Err())
}

func (l *leaving) BeginOrJoin(ctx context.Context, job store.Job, since time.Time) (*store.Job, error) {
	other, err := l.Store.BeginOrJoin(context.WithoutCancel(ctx), job, since)
	l.leave()
	return other, errors.Join(err, ctx.Err())
}

// TestCanceledRightBehindItsRequest: the job of a call that is canceled while its row is made
// is canceled, and not one that nobody starts.
func TestCanceledRightBehindItsRequest(t *testing.T) {
	for name, force := range map[string]bool{"may join": false, "is made anew": true} {
		t.Run(name, func(t *testing.T) {
			b := joining(t, "")
			gate, _ := b.gate()
			ctx, cancel := context.WithCancelCause(t.Context())
			b.runner.Record = func() (Store, error) {
				return &leaving{b.store, func() { cancel(cancelCause("the user pressed Esc")) }}, nil
			}
			req := b.request(gate, "out=fine")
			req.Bound.Force = force
			if out := b.runner.Run(ctx, req); class(out) != lang.ClassCanceled {
				t.Errorf("%+v", out.Answer.Failure)
			}
			rows, err := b.store.Jobs(t.Context(), store.Filter{Principal: store.Local})
			if err != nil || len(rows) != 1 || rows[0].Outcome.Ending != store.EndCanceled {
				t.Errorf("%+v %v", rows, err)
			}
		})
	}
}

func TestAbandon(t *testing.T) {
	for name, c := range map[string]struct {
		cause    error
		onCancel string
		joined   bool // somebody else joined
		joiner   bool // and he it is who turns away
		client   string
		ends     bool
	}{
		"its user wishes so":           {cause: cancelCause("no more"), ends: true},
		"no reason is given":           {cause: cancelCause(""), ends: true},
		"its client gives up":          {cause: cancelCause("MCP error -32001: Request Timed Out")},
		"its client is gone":           {cause: context.Canceled},
		"its CLI says otherwise":       {cause: cancelCause("no more"), onCancel: "detach"},
		"somebody else joined":         {cause: cancelCause("no more"), joined: true},
		"it joined":                    {cause: cancelCause("no more"), joined: true, joiner: true},
		"its gateway is shutting down": {cause: context.DeadlineExceeded},
		"it has words for its limit":   {cause: cancelCause("request cancelled by caller"), client: "desk-7"},
		"words are no limit of it":     {cause: cancelCause("the search timed out, stop"), client: "desk-7", ends: true},
		"it has words for its user":    {cause: cancelCause("request cancelled by caller: user"), client: "desk-7", ends: true},
		"another client's words":       {cause: cancelCause("request cancelled by caller"), client: "my-desk", ends: true},
	} {
		t.Run(name, func(t *testing.T) {
			b := joining(t, "}\nclient: desk: {title: \"Desk\", add: \"desk\", match: [\"^desk-\"], cancel: {detach: [\"cancelled by caller\"], end: [\": user$\"]}")
			b.catalog.Settings.Jobs.DetachOn = []string{"timed out"}
			b.client = c.client
			cli, _ := b.catalog.CLI("acme")
			cli.OnCancel = c.onCancel
			gate, open := b.gate()
			job := b.submit(gate, "out=fine")
			if c.joined {
				twin := b.other().submit(gate, "out=fine")
				if !twin.Joined {
					t.Fatalf("%+v", twin)
				}
				if c.joiner {
					job = twin
				}
			}
			ctx, cancel := context.WithCancelCause(t.Context())
			cancel(c.cause)
			end, err := b.runner.Abandon(ctx, job)
			if err != nil || (end.State == call.Canceled) != c.ends {
				t.Errorf("%+v %v", end, err)
			}
			if c.ends {
				if again := b.submit(gate, "out=fine"); again.Joined {
					t.Error("what was abandoned was joined")
				}
			}
			open()
			if !c.ends && b.await(job.Row.ID).State != call.Completed {
				t.Error("it did not complete")
			}
		})
	}
}

// TestCancelReachesWhatAJobAskedFor: a canceled job ends those that it asked gateways for.
func TestCancelReachesWhatAJobAskedFor(t *testing.T) {
	b := newFixture(t, "")
	outer := b.submit("sleep")
	inner := b.inside(outer.Row.ID)
	middle := inner.submit("sleep", "continue=1")
	innermost := b.inside(middle.Row.ID)
	deep, other := innermost.submit("sleep", "continue=2"), b.submit("sleep", "continue=3")
	if end, err := b.runner.Cancel(t.Context(), store.Local, outer.Row.ID, "test", long); err != nil || end.State != call.Canceled {
		t.Errorf("%+v %v", end, err)
	}
	for _, id := range []string{middle.Row.ID, deep.Row.ID} {
		if end := b.await(id); end.State != call.Canceled || !strings.Contains(end.Row.Outcome.Detail, "was canceled") {
			t.Errorf("%+v", end)
		}
	}
	if s, err := b.runner.Status(t.Context(), store.Local, other.Row.ID); err != nil || s.State != call.Running || s.Canceling {
		t.Errorf("%+v %v", s, err)
	}
}

// TestAtMostSoManyAtOnce holds the limits of a CLI and of all, across gateways.
func TestAtMostSoManyAtOnce(t *testing.T) {
	for name, limit := range map[string]func(b *fixture, n int){
		"of a CLI": func(b *fixture, n int) { cli, _ := b.catalog.CLI("acme"); cli.Concurrency = n },
		"of all":   func(b *fixture, n int) { b.catalog.Settings.Jobs.Concurrency = n },
	} {
		t.Run(name, func(t *testing.T) {
			b := newFixture(t, "")
			limit(b, 2)
			gate, open := b.gate()
			first, second := b.submit(gate), b.submit(gate)
			other := b.other()
			third := other.submit("out=fine")
			if first.State != call.Running || second.State != call.Running || third.State != call.Queued || third.Position != 1 {
				t.Errorf("%s %s %s %d", first.State, second.State, third.State, third.Position)
			}
			// One that the first makes does not wait for the places of its callers.
			if job := b.inside(first.Row.ID).submit("out=fine"); job.State != call.Running {
				t.Errorf("nested: %+v", job)
			}
			other.runner.Close() // a queued job is as durable as one that runs
			open()
			if end := b.await(third.Row.ID); end.State != call.Completed {
				t.Errorf("%+v", end)
			}
		})
	}
}

func TestQueueIsGivenUp(t *testing.T) {
	b := newFixture(t, "")
	b.catalog.Settings.Jobs.Concurrency, b.catalog.Settings.Jobs.QueueMs = 1, 1
	gate, open := b.gate()
	first := b.submit(gate)
	late := b.await(b.submit("out=never").Row.ID)
	if late.State != call.Failed || late.Row.Outcome.ErrorClass != lang.ClassTimeout || !strings.Contains(late.Row.Outcome.ErrorMessage, "for a place") {
		t.Errorf("%+v", late)
	}
	open()
	b.await(first.Row.ID)
}

// TestRowsComeBack: the record is deleted, and jobs get their rows again from their
// directories; those of another record do not.
func TestRowsComeBack(t *testing.T) {
	b := newFixture(t, "")
	done := b.submit("out=fine", "exit=3").Row.ID
	b.await(done)
	gate, open := b.gate()
	live := b.submit(gate, "out=late").Row.ID
	b.unstarted()
	b.runner.Close()
	fresh, err := sqlite.Open(filepath.Join(t.TempDir(), "logs.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer fresh.Close()
	o := b.other()
	o.runner.Record = func() (Store, error) { return fresh, nil }
	o.runner.RecordName = "elsewhere"
	soon := time.Now().Add(2 * rowDelay)
	if n, err := o.runner.Import(t.Context(), soon); n != 0 || err != nil {
		t.Errorf("of another record: %d, %v", n, err)
	}
	o.runner.RecordName = b.runner.RecordName
	for _, want := range []int{2, 0} {
		if n, err := o.runner.Import(t.Context(), soon); n != want || err != nil {
			t.Errorf("%d, %v; want %d", n, err, want)
		}
	}
	if job, err := o.runner.Status(t.Context(), store.Local, done); err != nil || job.State != call.Failed || job.Row.Prompt != "hello" || *job.Row.Outcome.ExitCode != 3 {
		t.Errorf("%+v %v", job, err)
	}
	if job, err := o.runner.Status(t.Context(), store.Local, live); err != nil || job.State != call.Running {
		t.Errorf("%+v %v", job, err)
	}
	open()
	if end := o.await(live); end.State != call.Completed || end.Row.Outcome.Response != "late" {
		t.Errorf("%+v", end)
	}
}

// TestRowsComeBackByThemselves: whoever asks after the record was deleted finds the jobs, one
// by its id or all in a list, however young they are.
func TestRowsComeBackByThemselves(t *testing.T) {
	b := newFixture(t, "")
	first, second := b.submit("out=fine").Row.ID, b.submit("out=more").Row.ID
	b.await(first)
	b.await(second)
	fresh, err := sqlite.Open(filepath.Join(t.TempDir(), "logs.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer fresh.Close()
	for _, r := range []*Runner{b.runner, b.other().runner} {
		r.Record = func() (Store, error) { return fresh, nil }
		if job, err := r.Status(t.Context(), store.Local, first); err != nil || job.State != call.Completed || job.Row.Outcome.Response != "fine" {
			t.Errorf("%+v %v", job, err)
		}
		if jobs, err := r.List(t.Context(), Filter{Principal: store.Local}); err != nil || len(jobs) != 2 || jobs[0].Row.ID != second {
			t.Errorf("%+v %v", jobs, err)
		}
		if err := errors.Join(fresh.DeleteJob(t.Context(), first), fresh.DeleteJob(t.Context(), second)); err != nil {
			t.Fatal(err)
		}
	}
}

// TestLogOfItsOwn: finished calls stand in both databases.
func TestLogOfItsOwn(t *testing.T) {
	b := newFixture(t, "")
	log, err := sqlite.Open(filepath.Join(t.TempDir(), "logs.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	b.runner.Log = func() (CallStore, error) { return log, nil }
	out := b.runner.Run(t.Context(), b.request("out=fine", "exit=4"))
	for _, s := range []*sqlite.Store{b.store, log} {
		if row, err := s.Job(t.Context(), store.Local, out.ID); err != nil || row.Outcome.Response != "fine" || *row.Outcome.ExitCode != 4 || row.State != store.Done {
			t.Errorf("%+v %v", row, err)
		}
	}
}
