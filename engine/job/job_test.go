//go:build linux

package job

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/llm-cli-gateway/gateway/engine/call"
	"github.com/llm-cli-gateway/gateway/engine/catalog"
	"github.com/llm-cli-gateway/gateway/engine/job/spool"
	"github.com/llm-cli-gateway/gateway/engine/lang"
	"github.com/llm-cli-gateway/gateway/engine/store"
	"github.com/llm-cli-gateway/gateway/engine/store/sqlite"
	"github.com/llm-cli-gateway/gateway/engine/supervisor"
)

const long = 30 * time.Second

// submit starts a job that must start.
func (b *fixture) submit(steps ...string) call.Job {
	b.t.Helper()
	job, failure := b.runner.send(b.t.Context(), b.async(steps...))
	if failure != nil {
		b.t.Fatal(failure)
	}
	return job
}

// async is a request that does not wait.
func (b *fixture) async(steps ...string) call.Request {
	b.t.Helper()
	req := b.request(steps...)
	req.Tool = "acme_request_async"
	return req
}

// await waits for the end of a job.
func (b *fixture) await(id string) call.Job {
	b.t.Helper()
	job, err := b.runner.Await(b.t.Context(), store.Local, id, long)
	if err != nil || !job.State.Ended() {
		b.t.Fatalf("%+v %v", job, err)
	}
	return job
}

// other is another gateway over the same record and the same jobs.
func (b *fixture) other() *fixture {
	b.t.Helper()
	records, err := sqlite.Open(filepath.Join(b.home, "logs.db"))
	if err != nil {
		b.t.Fatal(err)
	}
	o := *b
	o.store = records
	o.runner = &Runner{Host: b.runner.Host, Record: func() (Store, error) { return records, nil }, Spool: b.runner.Spool,
		Jobs: b.runner.Jobs, Pools: b.runner.Pools, RecordName: b.runner.RecordName, Current: b.runner.Current}
	b.t.Cleanup(func() { o.runner.Close(); records.Close() })
	return &o
}

// gate is a FIFO that keeps a job running until it is opened.
func (b *fixture) gate() (step string, open func()) {
	b.t.Helper()
	path := filepath.Join(b.t.TempDir(), "gate")
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		b.t.Fatal(err)
	}
	open = func() { // waits for the reader
		file, err := os.OpenFile(path, os.O_WRONLY, 0)
		if err != nil {
			b.t.Fatal(err)
		}
		file.Close()
	}
	return "await=" + path, open
}

func TestJobRunsToItsEnd(t *testing.T) {
	b := newFixture(t, "")
	step, open := b.gate()
	job := b.submit("out=the ", "err=trouble", step, "out=answer")
	if job.State != call.Running || !job.Durable || job.Pid == 0 || job.Row.Tool != "acme_request_async" {
		t.Errorf("%+v", job)
	}
	until(t, "output", func() bool {
		s, err := b.runner.Status(t.Context(), store.Local, job.Row.ID)
		return err == nil && s.State == call.Running && s.Pid == job.Pid && s.Printed == int64(len("the trouble"))
	})
	part, err := b.runner.Result(t.Context(), store.Local, job.Row.ID, 0, 100)
	if err != nil || part.Stdout.Text != "the " || part.Stderr.Text != "trouble" || part.State != call.Running {
		t.Errorf("%+v %v", part, err)
	}
	open()
	end := b.await(job.Row.ID)
	if end.State != call.Completed || end.Row.Outcome.Response != "the answer" || end.Row.Outcome.Ending != store.EndOK || *end.Row.Outcome.ExitCode != 0 {
		t.Errorf("%+v", end)
	}
	if end.Row.Outcome.Duration <= 0 || end.Row.Outcome.Ended.Before(end.Row.Created) {
		t.Errorf("times: %+v", end.Row)
	}
	res, err := b.runner.Result(t.Context(), store.Local, job.Row.ID, 4, 3)
	if err != nil || res.Response != (spool.Window{Text: "ans", Total: 10, More: true}) || res.Stdout.Text != "ans" || res.Stderr != (spool.Window{Text: "ble", Total: 7}) {
		t.Errorf("%+v %v", res, err)
	}
	if again, err := b.runner.Cancel(t.Context(), store.Local, job.Row.ID, "test", 0); err != nil || again.State != call.Completed {
		t.Errorf("a cancel of what is over: %+v %v", again, err)
	}
}

// TestRowIsFinishedUnasked: the gateway that started a job records its end at once.
func TestRowIsFinishedUnasked(t *testing.T) {
	b := newFixture(t, "")
	job := b.submit("out=fine")
	until(t, "the end of the row", func() bool {
		row, err := b.store.Job(t.Context(), store.Local, job.Row.ID)
		return err == nil && row.State == store.Done && row.Outcome.Response == "fine"
	})
}

func TestJobIsLeftToItsSupervisor(t *testing.T) {
	b := newFixture(t, "")
	step, open := b.gate()
	job := b.submit(step, "out=late")
	b.runner.Close()
	o := b.other()
	if s, err := o.runner.Status(t.Context(), store.Local, job.Row.ID); err != nil || s.State != call.Running {
		t.Fatalf("%+v %v", s, err)
	}
	open()
	if end := o.await(job.Row.ID); end.State != call.Completed || end.Row.Outcome.Response != "late" {
		t.Errorf("%+v", end)
	}
}

func TestCancelFromElsewhereEndsTheTree(t *testing.T) {
	b := newFixture(t, "")
	child, grandchild := filepath.Join(b.home, "child"), filepath.Join(b.home, "grandchild")
	job := b.submit("out=begun", "deaf", "daemon="+grandchild, "pid="+child, "sleep")
	until(t, "the tree", func() bool { return pidIn(child) > 0 && pidIn(grandchild) > 0 })
	end, err := b.other().runner.Cancel(t.Context(), store.Local, job.Row.ID, "not wanted", long)
	if err != nil || end.State != call.Canceled || end.Row.Outcome.ErrorClass != lang.ClassCanceled || end.Row.Outcome.Response != "begun" {
		t.Errorf("%+v %v", end, err)
	}
	if !strings.HasSuffix(end.Row.Outcome.Detail, ": not wanted") {
		t.Errorf("detail: %s", end.Row.Outcome.Detail)
	}
	until(t, "the end of the tree", func() bool { return !alive(pidIn(child)) && !alive(pidIn(grandchild)) })
}

func TestSupervisorDies(t *testing.T) {
	b := newFixture(t, "")
	child, grandchild := filepath.Join(b.home, "child"), filepath.Join(b.home, "grandchild")
	job := b.submit("out=partial", "deaf", "daemon="+grandchild, "pid="+child, "sleep")
	until(t, "the tree", func() bool { return pidIn(child) > 0 && pidIn(grandchild) > 0 })
	dir, err := supervisor.Open(filepath.Join(b.runner.Jobs, job.Row.ID))
	if err != nil {
		t.Fatal(err)
	}
	s, err := dir.State()
	if err != nil {
		t.Fatal(err)
	}
	o := b.other()
	if err := syscall.Kill(s.Start.Supervisor, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	end := o.await(job.Row.ID)
	if end.State != call.Orphaned || end.Row.Outcome.Ending != store.EndLost || end.Row.Outcome.ErrorClass != lang.ClassLost {
		t.Errorf("%+v", end)
	}
	res, err := o.runner.Result(t.Context(), store.Local, job.Row.ID, 0, 100)
	if err != nil || res.Stdout.Text != "partial" || res.Response.Text != "partial" || res.Outcome.Answer.Failure.Class != lang.ClassLost {
		t.Errorf("%+v %v", res, err)
	}
	until(t, "the end of the tree", func() bool { return !alive(pidIn(child)) && !alive(pidIn(grandchild)) })
}

// TestAGatewayDiesBeforeTheStart leaves a row and a directory whose lease is free.
func TestAGatewayDiesBeforeTheStart(t *testing.T) {
	b := newFixture(t, "")
	row := b.unstarted()
	end, err := b.runner.Status(t.Context(), store.Local, row.ID)
	if err != nil || end.State != call.Failed || end.Row.Outcome.Ending != store.EndStartFailed || end.Row.Outcome.ErrorClass != lang.ClassStart {
		t.Errorf("%+v %v", end, err)
	}
}

// unstarted makes what is left of a gateway that died after the row and before the start.
func (b *fixture) unstarted() store.Job {
	b.t.Helper()
	return b.unstartedAs(store.Job{Principal: store.Local, ID: store.NewID(), Tool: "acme_request_async", CLI: "acme", Mode: "new"})
}

func (b *fixture) unstartedAs(row store.Job) store.Job {
	b.t.Helper()
	if _, err := supervisor.Prepare(b.runner.Jobs, supervisor.Job{ID: row.ID, Path: "/bin/true", Dir: "/"}); err != nil {
		b.t.Fatal(err)
	}
	if err := b.store.Begin(b.t.Context(), row); err != nil {
		b.t.Fatal(err)
	}
	// The lease is that of an open file: without it nobody answers for the job.
	lease := filepath.Join(b.runner.Jobs, row.ID, "lease")
	if err := errors.Join(os.Remove(lease), os.WriteFile(lease, nil, 0o600)); err != nil {
		b.t.Fatal(err)
	}
	return row
}

func TestGatewaysReconcileAtOnce(t *testing.T) {
	b := newFixture(t, "")
	ids := []string{}
	for range 8 {
		job := b.submit("out=x")
		ids = append(ids, job.Row.ID)
	}
	step, open := b.gate()
	live := b.submit(step)
	b.runner.Close() // so that the others find rows to finish
	gateways := []*fixture{b.other(), b.other(), b.other()}
	for _, id := range ids {
		dir, err := supervisor.Open(filepath.Join(b.runner.Jobs, id))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := dir.Wait(t.Context().Done()); err != nil {
			t.Fatal(err)
		}
	}
	var wg sync.WaitGroup
	for _, g := range gateways {
		wg.Go(func() {
			if err := g.runner.Reconcile(context.Background()); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	for _, id := range ids {
		if row, err := b.store.Job(t.Context(), store.Local, id); err != nil || row.Outcome.Ending != store.EndOK || row.Outcome.Response != "x" {
			t.Errorf("%+v %v", row, err)
		}
	}
	if row, err := b.store.Job(t.Context(), store.Local, live.Row.ID); err != nil || row.State != store.Live {
		t.Errorf("the live job: %+v %v", row, err)
	}
	open()
	gateways[0].await(live.Row.ID)
}

func TestTwentyJobsAtOnce(t *testing.T) {
	b := newFixture(t, "")
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() {
			job, failure := b.runner.send(context.Background(), b.request("out=fine"))
			if failure != nil {
				t.Error(failure)
				return
			}
			if end, err := b.runner.Await(context.Background(), store.Local, job.Row.ID, long); err != nil || end.State != call.Completed {
				t.Errorf("%+v %v", end, err)
			}
		})
	}
	wg.Wait()
	jobs, err := b.runner.List(t.Context(), Filter{Principal: store.Local, State: call.Completed, Limit: 100})
	if err != nil || len(jobs) != 20 {
		t.Errorf("%d jobs, %v", len(jobs), err)
	}
}

func TestWhatCannotBeStarted(t *testing.T) {
	b := newFixture(t, "")
	missing := newFixture(t, "argv: [\"{do}\"]\n}\ncli: gone: {bin: \"no-such-program\", argv: []")
	gone, _ := missing.catalog.CLI("gone")
	bound, _ := gone.Bind([]byte(`{"prompt":"x"}`), nil, func() string { return "id" })
	job, failure := missing.runner.send(t.Context(), call.Request{Principal: store.Local, Catalog: missing.catalog, Bound: bound, Dir: missing.dir})
	if failure == nil || failure.Class != lang.ClassMissing || job.State != call.Failed {
		t.Errorf("%+v %+v", job, failure)
	}
	missing.nothingLeft(job.Row.ID, lang.ClassMissing)

	script := filepath.Join(b.home, "broken")
	if err := os.WriteFile(script, []byte("not a program"), 0o700); err != nil {
		t.Fatal(err)
	}
	cli, _ := b.catalog.CLI("acme")
	broken := *cli
	broken.Bin = script
	req := b.request()
	req.Bound.CLI = &broken
	job, failure = b.runner.send(t.Context(), req)
	if failure == nil || failure.Class != lang.ClassStart || !strings.Contains(failure.Message, "neither a binary") {
		t.Errorf("%+v %+v", job, failure)
	}
	b.nothingLeft(job.Row.ID, lang.ClassStart)

	req = b.request()
	req.Bound.CLI = cli
	req.Dir = filepath.Join(b.home, "nowhere")
	job, failure = b.runner.send(t.Context(), req)
	if failure == nil || failure.Class != lang.ClassStart {
		t.Errorf("%+v %+v", job, failure)
	}
	b.nothingLeft(job.Row.ID, lang.ClassStart)
}

func (b *fixture) nothingLeft(id, class string) {
	b.t.Helper()
	row, err := b.store.Job(b.t.Context(), store.Local, id)
	if err != nil || row.Outcome.Ending != store.EndStartFailed || row.Outcome.ErrorClass != class {
		b.t.Errorf("%+v %v", row, err)
	}
	if entries, err := os.ReadDir(b.runner.Jobs); len(entries) > 0 {
		b.t.Errorf("left behind: %v %v", entries, err)
	}
}

func TestUnknownIDs(t *testing.T) {
	b := newFixture(t, "")
	for _, id := range []string{"", "..", "../../etc", store.NewID(), strings.Repeat("z", 26)} {
		var none *NoJobError
		if _, err := b.runner.Status(t.Context(), store.Local, id); !errors.As(err, &none) {
			t.Errorf("%q: %v", id, err)
		}
	}
}

// TestResultWithoutDirectory is answered from the row.
func TestResultWithoutDirectory(t *testing.T) {
	b := newFixture(t, "")
	id := b.submit("out=kept", "exit=3").Row.ID
	b.await(id)
	if err := os.RemoveAll(filepath.Join(b.runner.Jobs, id)); err != nil {
		t.Fatal(err)
	}
	res, err := b.other().runner.Result(t.Context(), store.Local, id, 0, 10)
	if err != nil || res.State != call.Failed || res.Response.Text != "kept" || res.Outcome.ExitCode != 3 || res.Outcome.Answer.Failure.Class != lang.ClassError {
		t.Errorf("%+v %v", res, err)
	}
}

func TestPromptFileAndSecretsOfAJob(t *testing.T) {
	b := newFixture(t, `prompt: {via: "file", flag: "--mode"}
		argv: ["{prompt}", "{do}"]`, "ACME_KEY=very-secret-key")
	id := b.submit("out= ", "getenv=ACME_KEY").Row.ID
	end := b.await(id)
	if end.Row.Outcome.Response != "prompt.txt 0600 hello [ACME_KEY]" {
		t.Errorf("%+v", end.Row.Outcome)
	}
	res, err := b.runner.Result(t.Context(), store.Local, id, 0, 100)
	if err != nil || !strings.HasSuffix(res.Response.Text, "very-secret-key") {
		t.Errorf("%+v %v", res.Response, err)
	}
}

func TestJobInProcess(t *testing.T) {
	b := newFixture(t, "")
	b.runner.Executor = newInProcess(b.runner)
	step, open := b.gate()
	job := b.submit("out=part", step, "out= and all", "err=e")
	id := job.Row.ID
	if job.Durable || job.State != call.Running {
		t.Errorf("%+v", job)
	}
	until(t, "output", func() bool {
		res, err := b.runner.Result(t.Context(), store.Local, id, 0, 100)
		return err == nil && res.State == call.Running && res.Stdout.Text == "part" && res.Printed == 4
	})
	open()
	if end := b.await(id); end.State != call.Completed || end.Row.Outcome.Response != "part and all" {
		t.Errorf("%+v", end)
	}
	if res, err := b.runner.Result(t.Context(), store.Local, id, 0, 100); err != nil || res.Stderr.Text != "e" || res.Response.Text != "part and all" {
		t.Errorf("%+v %v", res, err)
	}
	sleeper := b.submit("sleep").Row.ID
	if end, err := b.runner.Cancel(t.Context(), store.Local, sleeper, "test", long); err != nil || end.State != call.Canceled {
		t.Errorf("%+v %v", end, err)
	}
	another := b.submit("sleep").Row.ID
	o := b.other()
	o.runner.Executor = newInProcess(o.runner)
	if _, err := o.runner.Cancel(t.Context(), store.Local, another, "test", 0); !errors.Is(err, ErrElsewhere) {
		t.Error(err)
	}
	b.runner.Close()
	if row, err := b.store.Job(t.Context(), store.Local, another); err != nil || row.Outcome.Ending != store.EndCanceled {
		t.Errorf("%+v %v", row, err)
	}
}

func TestListOfJobs(t *testing.T) {
	b := newFixture(t, "")
	good, bad := b.submit("out=x").Row.ID, b.submit("exit=1").Row.ID
	b.await(good)
	b.await(bad)
	step, open := b.gate()
	running := b.submit(step).Row.ID
	waited := b.runner.Run(t.Context(), b.request("out=waited for")).ID
	for state, want := range map[call.State][]string{"": {waited, running, bad, good}, call.Completed: {waited, good}, call.Failed: {bad}, call.Running: {running}, call.Canceled: nil, call.Queued: nil} {
		jobs, err := b.runner.List(t.Context(), Filter{Principal: store.Local, State: state})
		var got []string
		for _, j := range jobs {
			got = append(got, j.Row.ID)
		}
		if err != nil || !slices.Equal(got, want) {
			t.Errorf("%q: %q, %v; want %q", state, got, err, want)
		}
	}
	if jobs, err := b.runner.List(t.Context(), Filter{Principal: store.Local, Limit: 2}); err != nil || len(jobs) != 2 {
		t.Errorf("%v %v", jobs, err)
	}
	if jobs, err := b.runner.List(t.Context(), Filter{Principal: store.Local, CLI: "zeta"}); err != nil || len(jobs) != 0 {
		t.Errorf("%v %v", jobs, err)
	}
	open()
	b.await(running)
}

// TestSpecIsGone: a job whose CLI was taken out of the specs is still listed and read.
func TestSpecIsGone(t *testing.T) {
	b := newFixture(t, "")
	step, open := b.gate()
	id := b.submit("out=words", step).Row.ID
	b.runner.Close()
	o := b.other()
	none := compile(t, `cli: zeta: {bin: "true", argv: []}`)
	o.runner.Current = func() *catalog.Catalog { return none }
	open()
	// Whoever still has the spec is given a moment to read it.
	if left, err := o.runner.Await(t.Context(), store.Local, id, long); err != nil || left.State != call.Running || len(left.Notes) != 1 || !strings.Contains(left.Notes[0], "no spec of acme") {
		t.Errorf("%+v %v", left, err)
	}
	o.runner.specWaitOverride = 1
	end := o.await(id)
	if end.State != call.Failed || end.Row.Outcome.ErrorClass != lang.ClassUnparsable || *end.Row.Outcome.ExitCode != 0 {
		t.Errorf("%+v", end)
	}
	if res, err := o.runner.Result(t.Context(), store.Local, id, 0, 10); err != nil || res.Stdout.Text != "words" {
		t.Errorf("%+v %v", res, err)
	}
}

// TestTheRecordCannotBeCompleted: the directory still says how the job ended.
func TestTheRecordCannotBeCompleted(t *testing.T) {
	b := newFixture(t, "")
	step, open := b.gate()
	id := b.submit(step, "out=fine").Row.ID
	b.runner.Close()
	o := b.other()
	if _, err := o.runner.Status(t.Context(), store.Local, id); err != nil { // connects for reading
		t.Fatal(err)
	}
	db := filepath.Join(b.home, "logs.db")
	if err := os.Rename(db, db+"~"); err != nil { // a record that was moved refuses to be written
		t.Fatal(err)
	}
	open()
	if end := o.await(id); end.State != call.Completed || len(end.Notes) != 1 || !strings.Contains(end.Notes[0], "could not be completed") {
		t.Errorf("%+v", end)
	}
	if res, err := o.runner.Result(t.Context(), store.Local, id, 0, 10); err != nil || res.Response.Text != "fine" {
		t.Errorf("%+v %v", res, err)
	}
	if err := os.Rename(db+"~", db); err != nil {
		t.Fatal(err)
	}
	o.await(id)
	if row, err := b.store.Job(t.Context(), store.Local, id); err != nil || row.Outcome.Ending != store.EndOK {
		t.Errorf("%+v %v", row, err)
	}
}

// TestStraysAreCleared: what a gateway prepared that died before the row is garbage after
// an hour; a directory with output may be of another record and is kept.
func TestOrphanedDirectoriesAreRemoved(t *testing.T) {
	b := newFixture(t, "")
	orphaned, kept := b.unstarted().ID, b.submit("out=x").Row.ID
	b.await(kept)
	b.runner.Close()
	other, err := sqlite.Open(filepath.Join(t.TempDir(), "logs.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	o := b.other()
	o.runner.Record = func() (Store, error) { return other, nil }
	left := func(after time.Duration) (names []string) {
		if _, err := o.runner.Prune(t.Context(), time.Now().Add(after)); err != nil {
			t.Error(err)
		}
		entries, err := os.ReadDir(b.runner.Jobs)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range entries {
			names = append(names, e.Name())
		}
		return names
	}
	if got := left(time.Minute); !slices.Equal(got, []string{orphaned, kept}) {
		t.Errorf("after a minute: %q", got)
	}
	if got := left(2 * time.Hour); !slices.Equal(got, []string{kept}) {
		t.Errorf("after two hours: %q", got)
	}
}

func TestRecordTurnedOff(t *testing.T) {
	b := newFixture(t, "")
	memory, err := sqlite.OpenMemory()
	if err != nil {
		t.Fatal(err)
	}
	defer memory.Close()
	b.runner.Record, b.runner.Volatile = func() (Store, error) { return memory, nil }, true
	if out := b.runner.Run(t.Context(), b.request("out=fine")); out.Answer.Text != "fine" || out.Warnings != nil {
		t.Errorf("outcome: %+v", out)
	}
	job := b.submit("sleep")
	if job.Durable || job.State != call.Running {
		t.Errorf("%+v", job)
	}
	if end, err := b.runner.Cancel(t.Context(), store.Local, job.Row.ID, "test", long); err != nil || end.State != call.Canceled {
		t.Errorf("%+v %v", end, err)
	}
	last := b.submit("deaf", "sleep")
	b.runner.Close()
	if row, err := memory.Job(t.Context(), store.Local, last.Row.ID); err != nil || row.Outcome.Ending != store.EndCanceled || alive(last.Pid) {
		t.Errorf("%+v %v", row, err)
	}
	for _, folder := range []string{b.runner.Jobs, b.runner.Spool} {
		if entries, _ := os.ReadDir(folder); len(entries) > 0 {
			t.Errorf("left behind: %v", entries)
		}
	}
}
