package job

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/llm-cli-gateway/gateway/engine/call"
	"github.com/llm-cli-gateway/gateway/engine/call/refused"
	"github.com/llm-cli-gateway/gateway/engine/catalog"
	"github.com/llm-cli-gateway/gateway/engine/catalog/extract"
	"github.com/llm-cli-gateway/gateway/engine/host"
	"github.com/llm-cli-gateway/gateway/engine/job/early"
	"github.com/llm-cli-gateway/gateway/engine/job/environment"
	"github.com/llm-cli-gateway/gateway/engine/job/outcome"
	"github.com/llm-cli-gateway/gateway/engine/job/redaction"
	"github.com/llm-cli-gateway/gateway/engine/lang"
	"github.com/llm-cli-gateway/gateway/engine/store"
	"github.com/llm-cli-gateway/gateway/engine/supervisor"
)

// status is the status of the job of a row. For a live one its directory is the truth.
func (r *Runner) status(ctx context.Context, records Store, row store.Job) (call.Job, error) {
	job := call.Job{Row: row, Durable: r.durable(row)}
	if row.State == store.Done {
		job.State, job.Printed = call.StateOf(row.Outcome.Ending), row.Outcome.OutBytes+row.Outcome.ErrBytes
		return job, r.withAttempts(ctx, records, &job)
	}
	if row.Waits() {
		return r.waiting(ctx, records, row)
	}
	if row.Between() {
		return r.retrying(ctx, records, row)
	}
	job.State = call.Running
	x, err := r.executor().find(row.ID)
	var now executionStatus
	if err == nil {
		now, err = x.status()
	}
	switch {
	case errors.Is(err, fs.ErrNotExist) || errors.Is(err, supervisor.ErrUnsupported):
		return r.missing(ctx, records, job)
	case err != nil:
		return job, err
	case now.phase == supervisor.Ended || now.phase == supervisor.Lost:
		row, err := records.Job(ctx, row.Principal, row.ID) // of a list, the texts are cut
		if err != nil {
			return call.Job{}, err
		}
		if row.State == store.Done || row.Between() {
			return r.status(ctx, records, row)
		}
		return x.finalize(records, row)
	case now.phase == supervisor.Queued:
		job.State = call.Queued
	}
	if now.phase == supervisor.Running && !now.canceling {
		if cli, ok := r.Current().CLI(row.CLI); ok && row.Mode != program && x.handle() == nil { // another gateway's, which may be gone
			early.EndOnce(x, cli.At(row.CLIVersion))
		}
	}
	job.Pid, job.Canceling, job.Printed = now.pid, now.canceling, now.printed
	return job, r.withAttempts(ctx, records, &job)
}

// withAttempts adds the attempts that have ended to a job that has more than one.
func (r *Runner) withAttempts(ctx context.Context, records Store, job *call.Job) (err error) {
	if job.Row.N() > 1 {
		job.Attempts, err = records.Attempts(ctx, job.Row.ID)
	}
	return err
}

// missing is a live row without a directory: a call that some gateway runs itself, or
// a job whose directory was removed or lost in a power cut, or is elsewhere because
// another user or another home made it. Nothing is known of one elsewhere, so nothing is
// recorded; nor while the folder of all jobs is missing, since it may come back.
func (r *Runner) missing(ctx context.Context, records Store, job call.Job) (call.Job, error) {
	again, err := records.Job(ctx, job.Row.Principal, job.Row.ID) // its end may have been recorded meanwhile
	if err == nil && again.State == store.Done {
		return r.status(ctx, records, again)
	}
	if !job.Durable {
		return job, nil
	}
	job.State = call.Orphaned
	gone := "its directory " + filepath.Join(cmp.Or(job.Row.Folder, r.folder()), job.Row.ID) + " is not there"
	if _, there := os.Stat(r.folder()); err != nil || there != nil || again.Folder != r.folder() {
		job.Notes = append(job.Notes, gone)
		return job, nil
	}
	again.Outcome = store.Outcome{Ending: store.EndLost, Detail: "directory_gone", ErrorClass: lang.ClassLost, ErrorMessage: gone,
		Ended: time.Now(), Duration: max(0, time.Since(again.Created))}
	err = r.finish(records, again)
	again.State, job.Row = store.Done, again
	if err != nil && !errors.Is(err, store.ErrDone) {
		job.Notes = append(job.Notes, rowNotFinished(err))
	}
	return job, nil
}

// ending is a job that has ended or is lost, and what is needed to read what it printed.
type ending struct {
	row     store.Job // with its texts not cut
	dir     *supervisor.Dir
	state   supervisor.State
	call    *catalog.Call // nil: the spec that could decode it is gone
	runner  *Runner       // finds what the program wrote beside
	secrets redaction.Redactor
	known   bool // the secrets are known
	run     *run // of this gateway, if it made the attempt
}

// byBreaker is why a queued job is ended whose breaker has opened.
const byBreaker = lang.ClassBreaker

// moved reports whether a job has gone on since its row was read.
func (r *Runner) moved(records Store, row store.Job) bool {
	now, err := records.Job(context.Background(), row.Principal, row.ID)
	return err == nil && (now.Between() || now.N() > row.N())
}

// specWait is how long the end of a job is left to gateways that have the spec of its CLI.
const specWait = time.Minute

// finalize records the end of a job, once, even if others try to.
func (r *Runner) finalize(records Store, e ending) (call.Job, error) {
	if e.call == nil && e.row.Mode != program && e.state.Phase == supervisor.Ended && time.Since(outcome.ExitOf(e.state.Exit).Ended) < cmp.Or(r.specWaitOverride, specWait) {
		note := "it has ended; this gateway has no spec of " + e.row.CLI + " by which to read what it printed, and waits for one that has"
		return call.Job{Row: e.row, State: call.Running, Durable: r.durable(e.row), Notes: []string{note}}, nil
	}
	if e.state.Phase == supervisor.Lost {
		if _, err := e.dir.Sweep(); errors.Is(err, supervisor.ErrLive) { // another gateway is sweeping
			return call.Job{Row: e.row, State: call.Running, Durable: true, Canceling: e.state.Canceling}, nil
		}
	}
	synced := e.sync()
	out, ending, err := e.decode()
	if err != nil {
		return call.Job{}, err
	}
	exit := outcome.ExitOf(e.state.Exit)
	end := outcome.Row(out, exit, ending, e.secrets.Redact, e.secrets.Answer)
	outcome.PerCall(records, e.row, &end, &out.Answer)
	outcome.Price(e.call, e.row, &end, &out.Answer)
	if e.state.Phase == supervisor.Ended && e.state.Start == (supervisor.Start{}) {
		outcome.Unstarted(e.row, &end)
	}
	if !e.known {
		outcome.Unrecorded(&end, "because the environment cannot be made and with it not known what is secret")
	} else if e.secrets.DropsAnswers() {
		outcome.Unrecorded(&end, outcome.Dropped)
	}
	if text := e.state.Exit.Detail; text != "" && exit.Reason != outcome.Settled && exit.Reason != outcome.Watched {
		end.Detail += ": " + e.secrets.Redact(text)
	}
	if ending == store.EndOK && (len(end.Response) > store.MaxResponse || outcome.WhyUnrecorded(end) != "") {
		// The rest is only in the directory, to which the row refers.
		if err := <-synced; err != nil {
			return call.Job{}, err
		}
	}
	if end.Ended = exit.Ended; e.state.Phase == supervisor.Lost || end.Ended.IsZero() {
		end.Ended = time.Now()
	}
	end.Duration = max(0, end.Ended.Sub(e.row.Created))
	e.row.Outcome = end
	job, err := r.conclude(records, &ended{row: e.row, out: &out, run: e.run})
	if err == nil && job.State == call.Retrying {
		return job, nil
	}
	end = job.Row.Outcome
	if errors.Is(err, store.ErrDone) && (e.call == nil || e.row.N() > 1 || r.moved(records, e.row)) { // by a gateway that may have had the spec, or that went on
		if row, err := records.Job(context.Background(), e.row.Principal, e.row.ID); err == nil && row.State == store.Done || row.Between() || row.N() > e.row.N() {
			return r.status(context.Background(), records, row)
		}
	}
	job.Row.State = store.Done
	if end.Model != "" {
		job.Row.Model = end.Model
	}
	if err != nil && !errors.Is(err, store.ErrDone) {
		// The directory still says how it ended; the row is completed when that is possible
		// again, for example when the disk is no longer full.
		job.Notes = append(job.Notes, rowNotFinished(err))
	}
	out.ID, out.Duration = e.row.ID, end.Duration
	job.Completion = &out
	return job, r.withAttempts(context.Background(), records, &job)
}

// sync writes the directory of a job to disk if its row might not hold the whole answer,
// concurrently with decoding. The result is sent later.
func (e *ending) sync() <-chan error {
	synced := make(chan error, 1)
	if e.state.Exit.Stdout.Size > store.MaxResponse/4 || !e.known || e.secrets.DropsAnswers() { // reading may make a text longer
		go func() { synced <- e.dir.Sync() }()
	} else {
		synced <- nil
	}
	return synced
}

// decode reads what the job printed. What is said about it has no secrets.
func (e *ending) decode() (call.Completion, store.Ending, error) {
	out, end, err := e.read()
	e.secrets.Report(&out)
	return out, end, err
}

func (e *ending) read() (call.Completion, store.Ending, error) {
	fail := func(class, message, hint string, ending store.Ending) (call.Completion, store.Ending, error) {
		failure := &lang.Failure{Class: class, Message: message, Hint: hint}
		return call.Completion{ExitCode: e.state.Exit.Code, Answer: extract.Answer{Failure: failure}}, ending, nil
	}
	switch e.state.Exit.Reason {
	case supervisor.StartFailed:
		return fail(lang.ClassStart, "it could not be started: "+e.state.Exit.Err, "", store.EndStartFailed)
	case supervisor.NeverStarted:
		return fail(lang.ClassStart, "the gateway ended before it had started the job; nothing was run", "call again", store.EndStartFailed)
	case supervisor.Canceled:
		if e.state.Exit.Detail == byBreaker {
			return fail(lang.ClassBreaker, "so many calls of the CLI have failed meanwhile that this one was not started", "call again later, or use another CLI", store.EndStartFailed)
		}
	case supervisor.QueueTimeout:
		return fail(lang.ClassTimeout, "it waited too long for a place among the calls that may run at once; nothing was run",
			"call again later, or allow more (gateway.jobs.concurrency, concurrency of the CLI)", store.EndTimeout)
	}
	if e.call == nil && e.row.Mode != program {
		ending := outcome.EndingOf(e.state.Exit.Reason)
		if ending == "" {
			ending = store.EndError
		}
		return fail(lang.ClassUnparsable, "there is no spec of "+e.row.CLI+" any more by which its output could be read", "read its stdout", ending)
	}
	stdout, stderr, err := e.dir.OpenOutput()
	if err != nil {
		return call.Completion{}, "", err
	}
	defer stdout.Close()
	defer stderr.Close()
	if e.row.Mode == program {
		return outcome.DecodeProgram(stdout, stderr, outcome.ExitOf(e.state.Exit))
	}
	exit := outcome.ExitOf(e.state.Exit)
	out, ending := outcome.Decode(e.call, stdout, stderr, exit, e.runner.written(e.row, e.call, e.dir.Path(), exit))
	return out, ending, nil
}

// restoreCall is the call of a row, as far as it is needed to read its output.
func (r *Runner) restoreCall(row store.Job) (*catalog.Call, bool) {
	cli, ok := r.Current().CLI(row.CLI)
	if !ok {
		return nil, false
	}
	var arguments map[string]any
	if len(row.Args) > 0 && json.Unmarshal(row.Args, &arguments) != nil {
		return nil, false
	}
	call := cli.At(row.CLIVersion).RestoreCall(lang.Mode(row.Mode), row.SessionID, arguments)
	call.Prompt, call.Model, call.CorrelationID = row.Prompt, row.Model, row.CorrelationID
	if asked, ok := arguments[catalog.ParamModel].(string); ok { // the row has the one that answered
		call.Model = asked
	}
	return call, true
}

// Kept is what the record keeps of texts in calls of a CLI, for which nothing was prepared.
func (r *Runner) Kept(cli string) refused.Kept {
	secrets, _ := r.secretsOf(store.Job{CLI: cli})
	return refused.Kept{Text: secrets.Redact, Prompt: secrets.Prompt, Answer: secrets.Answer}
}

// secretsOf are the secrets that a job may have printed: those of the environment that
// its CLI would get from us.
func (r *Runner) secretsOf(row store.Job) (redaction.Redactor, bool) {
	catalog := r.Current()
	filter := host.Filter{Pass: slices.Concat(catalog.Settings.Env.Pass, environment.ServerVariables(catalog)), Set: map[string]string{}}
	if cli, ok := catalog.CLI(row.CLI); ok {
		filter.Pass = append(append([]string{}, filter.Pass...), cli.Env.Pass...)
		for name, value := range cli.Env.Set.All() {
			filter.Set[name] = value
		}
	}
	environ, err := r.Host.Environ(filter)
	return redaction.New(environ, catalog), err == nil
}
