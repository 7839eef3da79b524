package job

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/llm-cli-gateway/gateway/engine/call"
	"github.com/llm-cli-gateway/gateway/engine/catalog"
	"github.com/llm-cli-gateway/gateway/engine/catalog/extract"
	"github.com/llm-cli-gateway/gateway/engine/host"
	"github.com/llm-cli-gateway/gateway/engine/job/environment"
	"github.com/llm-cli-gateway/gateway/engine/job/outcome"
	"github.com/llm-cli-gateway/gateway/engine/job/redaction"
	"github.com/llm-cli-gateway/gateway/engine/job/storedcall"
	"github.com/llm-cli-gateway/gateway/engine/lang"
	"github.com/llm-cli-gateway/gateway/engine/process"
	"github.com/llm-cli-gateway/gateway/engine/promptpaths"
	"github.com/llm-cli-gateway/gateway/engine/session"
	"github.com/llm-cli-gateway/gateway/engine/store"
)

// run is one call that is being made.
type run struct {
	*Runner
	call.Request
	id      string
	started time.Time
	command catalog.Command
	environ []string
	records Store
	secrets redaction.Redactor
	row     store.Job
	depth   int       // of calls inside of calls
	since   time.Time // an answer that the same call got from then on is good enough

	attempt  int               // its number; 0 is the first
	instead  []storedcall.Call // that are made if this one fails
	closed   time.Duration     // for how long a breaker lets nothing through
	approved string            // digest of the command line that a person approved; "" if this gateway made it
}

func (r *Runner) newRun(req call.Request) *run {
	if req.Tool == "" {
		req.Tool = req.Bound.CLI.Tool()
	}
	return &run{Runner: r, Request: req, id: store.NewID(), started: time.Now()}
}

// validate refuses a call that must not be prepared; nil if it may be.
func (r *run) validate(ctx context.Context) *lang.Failure {
	if text := promptpaths.Outside(r.Bound, r.Dir, r.Roots); text != "" {
		return &lang.Failure{Class: lang.ClassUsage, Message: text, Hint: "name files below the working directory, or set workingDir to where they are"}
	}
	if ctx.Err() != nil {
		return &lang.Failure{Class: lang.ClassCanceled, Message: "the call was canceled before it began"}
	}
	if r.Bound.CLI.HasLevels() && r.Bound.Access.Level == "" {
		return &lang.Failure{Class: lang.ClassStart, Message: "nobody decided what this call may do, so it is not made"}
	}
	return nil
}

// open opens the record. A call that cannot be recorded is not made.
func (r *run) open(ctx context.Context) (failure *lang.Failure) {
	var err error
	if r.records, err = r.Record(); err != nil {
		return r.recordFailure(ctx, err)
	}
	// What fails here is reported by Maintain, which tries again; this call goes on.
	r.reaped.Do(func() { _, _ = r.ReapDeadOwners(ctx, r.records) })
	return nil
}

func (r *run) recordFailure(ctx context.Context, err error) *lang.Failure {
	if ctx.Err() != nil {
		return &lang.Failure{Class: lang.ClassCanceled, Message: "the call was canceled before it began"}
	}
	return &lang.Failure{Class: lang.ClassRecord, Message: "the call cannot be recorded: " + err.Error(), Hint: "a call that cannot be recorded is not made"}
}

// buildCommand makes the command line and the environment; the files of the call are written
// to the folder later. A mistake in the call itself has the class usage; everything else is
// a failure to start.
func (r *run) buildCommand(folder string) *lang.Failure {
	violations := environment.SelectServers(r.Host, r.Request.Catalog, r.Bound, r.Dir)
	if violations == nil {
		r.command, violations = r.Bound.Command(folder)
	}
	if violations != nil {
		return &lang.Failure{Class: lang.ClassUsage, Message: violations.Error(), Hint: "correct the arguments and call again; nothing was run"}
	}
	var err error
	if r.environ, err = r.Host.Environ(environment.OfCall(r.Request.Catalog, r.Bound, r.command, r.Dir)); err != nil {
		return environment.StartFailure(err)
	}
	r.secrets = redaction.New(r.environ, r.Request.Catalog)
	return nil
}

// Names under which the recorded arguments of a call hold the selection of its MCP servers, and
// what the optimizer saved of its prompt. No parameter has them.
const serversArgument, savingsArgument = "mcp", "prompt.saved"

// buildRow makes the row of the call.
func (r *run) buildRow() {
	// Arguments are plain values: strings, numbers and lists of them.
	arguments := r.secrets.Arguments(r.Bound.Arguments())
	if e := r.Bound.Servers(); e != nil {
		arguments[serversArgument] = e
	}
	if r.Bound.Access.Level != "" {
		arguments[catalog.AccessArgument] = r.Bound.RecordedAccess()
	}
	if r.Bound.Saved != nil {
		arguments[savingsArgument] = r.Bound.Saved
	}
	args, _ := json.Marshal(arguments)
	r.row = store.Job{
		ID: r.id, Principal: r.Principal, Tool: r.Tool, CLI: r.Bound.CLI.Name, CLIVersion: r.Bound.CLI.Installed().String(), Mode: string(r.Bound.Mode), Model: r.secrets.Redact(r.Bound.Model), ParentID: r.parent(context.Background()), Owner: r.rowOwner(),
		DedupKey: r.row.DedupKey, Session: r.Bound.Session, Opens: r.Bound.Session != "" && r.Bound.Mode == lang.New, SessionID: r.Bound.SessionID, CorrelationID: r.secrets.Redact(r.Bound.CorrelationID), SpecHash: r.Bound.CLI.Digest(), CatalogDigest: r.Catalog.Digest(),
		Approval: r.Approval.Record(), Cwd: r.Dir, Prompt: r.secrets.Prompt(r.Bound.Prompt), Args: args, Argv: r.secrets.Argv(r.command.Args, r.Bound.Prompt),
		EnvNames: host.Names(r.environ), GatewayVersion: r.Version, ClientName: r.Client.Name, ClientVersion: r.Client.Version,
		Created: r.started, State: store.Live, ModelAsked: r.secrets.Redact(r.Bound.ModelAsked()), ModelResolved: r.secrets.Redact(r.Bound.Model), Access: r.Bound.Access.Level,
	}
	if r.Charge != nil {
		r.row.Reserved, r.row.Fit = &r.Charge.USD, r.Charge.Fit
	}
	if r.attempt == 0 {
		r.chain()
	}
}

// recordStartFailure completes the row of a call that could not be started.
func (r *run) recordStartFailure(failure *lang.Failure) call.Job {
	out := call.Completion{ExitCode: -1, Answer: extract.Answer{Failure: failure}}
	end := outcome.Row(out, process.Exit{Code: -1}, store.EndStartFailed, r.secrets.Redact, r.secrets.Answer)
	end.Ended, end.Duration = time.Now(), time.Since(r.started)
	e := &ended{row: r.row, out: &out, run: r, open: r.closed}
	e.row.Outcome = end
	job, err := r.conclude(r.records, e)
	if err == nil && job.State == call.Retrying {
		return job
	}
	job.State, job.Row.State, job.Completion = call.Failed, store.Done, e.out
	// Another gateway may have been first to see it.
	if err != nil && !errors.Is(err, store.ErrDone) {
		job.Notes = append(job.Notes, rowNotFinished(err))
	}
	return job
}

func rowNotFinished(err error) string {
	return "the record of this call could not be completed: " + err.Error()
}

// finish records the end of a job, once. Where calls are recorded apart from jobs, the
// call record is written first: if we die between the two, it is written again and changes nothing.
func (r *Runner) finish(records Store, row store.Job) error {
	ctx := context.Background()
	if err := r.logCall(ctx, row); err != nil {
		return err
	}
	return r.finishRow(ctx, records, row)
}

// logCall records a call that has ended where calls are recorded apart from jobs.
func (r *Runner) logCall(ctx context.Context, row store.Job) error {
	if r.Log == nil {
		return nil
	}
	log, err := r.Log()
	if err == nil && log != nil {
		row.State = store.Done
		_, err = log.ImportJob(ctx, row)
	}
	return err
}

// finishRow writes the end of a job, and what it means for its session.
func (r *Runner) finishRow(ctx context.Context, records Store, row store.Job) error {
	cli, _ := r.Current().CLI(row.CLI)
	err := records.Finish(ctx, row.ID, row.Outcome, session.Ended(cli, row))
	if err == nil {
		r.tellEnded(row)
	}
	return err
}

func (r *Runner) tellEnded(row store.Job) {
	if r.Ended != nil {
		r.Ended(row)
	}
}
