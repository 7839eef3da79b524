package job

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"sync"
	"syscall"
	"time"

	"github.com/llm-cli-gateway/gateway/engine/host"
	"github.com/llm-cli-gateway/gateway/engine/plan"
	"github.com/llm-cli-gateway/gateway/engine/proc"
	"github.com/llm-cli-gateway/gateway/engine/store"
)

// Request is a call, bound and placed.
type Request struct {
	Catalog *plan.Catalog // what the call was bound against; it keeps it to its end
	Call    *plan.Call
	Dir     string   // absolute working directory
	Roots   []string // further folders that the client works in
	Client  Client
}

// Client is who asked, as it introduced itself.
type Client struct{ Name, Version string }

// Outcome is what became of a call.
type Outcome struct {
	ID       string
	Answer   plan.Answer
	ExitCode int // -1 if there was none
	Duration time.Duration
	Warnings []string // what went wrong beside the call itself
}

// Runner runs calls. Its methods may be called from any goroutine.
type Runner struct {
	Host    *host.Host
	Record  func() (*store.Store, error) // the open record; nil store: calls are not recorded
	Spool   string                       // folder for the output of running calls, made when needed
	Version string                       // of the gateway, for the record
	Parent  string                       // job that the gateway itself runs in, "" if none; for the record
	Jobs    string                       // absolute folder of the directories of jobs, made when needed
	Current func() *plan.Catalog         // the current catalog; by it is read what jobs printed

	running sync.WaitGroup
	desk    desk

	lease  sync.Once // of the gateway, see owner.go
	leased *os.File
	name   string
	buried sync.Once
}

// Wait waits for the runs under way. A run that is being ended still owns a process
// and a row, so whoever closes the record waits first.
func (r *Runner) Wait() { r.running.Wait() }

// Run runs one call to its end. When ctx ends, the program and all it started are
// ended too. What goes wrong is part of the outcome, never a Go error.
func (r *Runner) Run(ctx context.Context, req Request) Outcome {
	r.running.Add(1)
	defer r.running.Done()
	run := r.newRun(req, req.Call.CLI.Tool())
	defer run.close()
	out := run.run(ctx)
	out.ID = run.id
	out.Duration = time.Since(run.started)
	return out
}

// run is one call on its way.
type run struct {
	*Runner
	Request
	tool    string
	id      string
	started time.Time
	files   *files
	environ []string
	records *store.Store
	secrets redactor
}

func (r *Runner) newRun(req Request, tool string) *run {
	return &run{Runner: r, Request: req, tool: tool, id: store.NewID(), started: time.Now()}
}

func (r *run) run(ctx context.Context) Outcome {
	process, out := r.launch(ctx)
	if process == nil {
		return out
	}
	select {
	case <-process.Done():
	case <-ctx.Done():
		process.Stop(proc.Canceled)
		<-process.Done()
	}
	return r.end(process.Exit())
}

// launch brings a call to where its program runs and its row is live. Without a
// process the outcome is final.
func (r *run) launch(ctx context.Context) (*proc.Process, Outcome) {
	if failure := r.refused(ctx); failure != nil {
		return nil, Outcome{ExitCode: -1, Answer: plan.Answer{Failure: failure}}
	}
	command, failure := r.prepare()
	if failure != nil && failure.Class == plan.ClassUsage {
		return nil, Outcome{ExitCode: -1, Answer: plan.Answer{Failure: failure}}
	}
	if failure := r.begin(ctx, command); failure != nil {
		return nil, Outcome{ExitCode: -1, Answer: plan.Answer{Failure: failure}}
	}
	if ctx.Err() != nil {
		canceled := &plan.Failure{Class: plan.ClassCanceled, Message: "the call was canceled before it began"}
		return nil, r.finish(Outcome{ExitCode: -1, Answer: plan.Answer{Failure: canceled}}, proc.Exit{Code: -1}, store.EndCanceled)
	}
	var process *proc.Process
	if failure == nil {
		process, failure = r.start(command)
	}
	if failure != nil {
		return nil, r.finish(Outcome{ExitCode: -1, Answer: plan.Answer{Failure: failure}}, proc.Exit{Code: -1}, store.EndStartFailed)
	}
	return process, Outcome{}
}

// refused says why a call is not even prepared; nil if it is.
func (r *run) refused(ctx context.Context) *plan.Failure {
	if text := Outside(r.Call, r.Dir, r.Roots); text != "" {
		return &plan.Failure{Class: plan.ClassUsage, Message: text, Hint: "name files below the working directory, or set workingDir to where they are"}
	}
	if ctx.Err() != nil {
		return &plan.Failure{Class: plan.ClassCanceled, Message: "the call was canceled before it began"}
	}
	return nil
}

// cannot is a failure to start that says what err does.
func cannot(err error) *plan.Failure {
	if errors.Is(err, syscall.ENOSPC) {
		return &plan.Failure{Class: plan.ClassDisk, Message: err.Error(), Hint: "make room where the gateway keeps its state, then try again"}
	}
	return &plan.Failure{Class: plan.ClassStart, Message: err.Error()}
}

// prepare makes the files of the run, its command line and its environment. What is
// wrong with the call itself is of class usage; all else is a failure to start.
func (r *run) prepare() (plan.Command, *plan.Failure) {
	var err error
	if r.files, err = newFiles(r.Spool, r.owner()); err != nil {
		return plan.Command{Bin: r.Call.CLI.Bin}, cannot(err)
	}
	path := ""
	if r.Call.CLI.CLISpec.Prompt.Via == "file" {
		if path, err = r.files.prompt(r.Call.Sent()); err != nil {
			return plan.Command{}, cannot(err)
		}
	}
	command, failure := r.compose(path)
	if failure == nil && command.Stdin != nil {
		if err := r.files.input(*command.Stdin); err != nil {
			return command, cannot(err)
		}
	}
	return command, failure
}

// compose makes the command line and the environment; the prompt may be in a file.
func (r *run) compose(prompt string) (plan.Command, *plan.Failure) {
	command, violations := r.Call.Command(prompt)
	if violations != nil {
		return plan.Command{}, &plan.Failure{Class: plan.ClassUsage, Message: violations.Error(), Hint: "correct the arguments and call again; nothing was run"}
	}
	var err error
	if r.environ, err = r.Host.Environ(Environment(r.Request.Catalog, r.Call, command, r.Dir)); err != nil {
		return command, cannot(err)
	}
	r.secrets = secretsOf(r.environ)
	return command, nil
}

// Environment is the filter for a call: what the gateway passes to every CLI, what
// the CLI's spec adds, and what the command sets. PWD is set because programs
// believe it, and ours names another directory.
func Environment(c *plan.Catalog, call *plan.Call, command plan.Command, dir string) host.Filter {
	general, own := c.Settings.Env, call.CLI.Env
	set := maps.Clone(command.Env)
	set["PWD"] = dir
	return host.Filter{
		Pass: append(append([]string{}, general.Pass...), own.Pass...),
		Drop: append(append([]string{proc.CookieName}, general.Drop...), own.Drop...),
		Set:  set,
	}
}

// Limits are the bounds of a run: the call's, else the CLI's, else the gateway's. A
// timeout of 0 means never, a grace of 0 no grace.
func Limits(c *plan.Catalog, call *plan.Call) proc.Limits {
	own, general := call.CLI.Timeouts, c.Settings.Timeouts
	grace := first(0, own.GraceMs, general.GraceMs)
	if grace == 0 && (own.GraceMs != nil || general.GraceMs != nil) {
		grace = time.Nanosecond // 0 would be the default
	}
	return proc.Limits{
		Output: c.Settings.OutputCap,
		Idle:   first(call.Idle, own.IdleMs, general.IdleMs),
		Wall:   first(call.Wall, own.WallMs, general.WallMs),
		Grace:  grace,
	}
}

// first is what was asked for, else the first that was said, in milliseconds.
func first(asked time.Duration, said ...*int64) time.Duration {
	for _, ms := range said {
		if asked == 0 && ms != nil {
			return time.Duration(*ms) * time.Millisecond
		}
	}
	return asked
}

// find looks for the program.
func (r *run) find(command plan.Command) (path string, failure *plan.Failure) {
	cli := r.Call.CLI
	var missing *host.NotFoundError
	path, err := r.Host.Find(command.Bin)
	if errors.As(err, &missing) {
		hint := "install " + cli.Heading()
		if cli.Install != "" {
			hint += ": " + cli.Install
		}
		hint += fmt.Sprintf("; or set cli.%s.bin to where it is", cli.Name)
		return "", &plan.Failure{Class: plan.ClassMissing, Message: fmt.Sprintf("%s is not installed: %s", cli.Heading(), missing), Hint: hint}
	}
	if err != nil {
		return "", cannot(err)
	}
	return path, nil
}

func (r *run) start(command plan.Command) (*proc.Process, *plan.Failure) {
	path, failure := r.find(command)
	if failure != nil {
		return nil, failure
	}
	process, err := proc.Start(proc.Command{
		Path: path, Args: command.Args, Env: r.environ, Dir: r.Dir,
		Stdin: r.files.stdin, Stdout: r.files.stdout, Stderr: r.files.stderr, Cookie: r.id,
	}, Limits(r.Catalog, r.Call))
	if err != nil {
		return nil, r.unstartable(err)
	}
	return process, nil
}

func (r *run) unstartable(err error) *plan.Failure {
	return &plan.Failure{Class: plan.ClassStart, Message: fmt.Sprintf("%s could not be started: %s", r.Call.CLI.Heading(), err)}
}

// end turns a finished process into an outcome.
func (r *run) end(exit proc.Exit) Outcome {
	out, ending := judge(r.Call, r.files.stdout, r.files.stderr, exit)
	return r.finish(out, exit, ending)
}

// begin writes the live row. A call that cannot be recorded is not made.
func (r *run) begin(ctx context.Context, command plan.Command) *plan.Failure {
	var err error
	if r.records, err = r.Record(); err == nil && r.records != nil {
		// What fails here is told by Tend, which tries again; this call need not suffer.
		r.buried.Do(func() { _, _ = r.Bury(ctx, r.records) })
		err = r.records.Begin(ctx, r.row(command))
	}
	switch {
	case err != nil && ctx.Err() != nil:
		return &plan.Failure{Class: plan.ClassCanceled, Message: "the call was canceled before it began"}
	case err != nil:
		return &plan.Failure{Class: plan.ClassRecord, Message: "the call cannot be recorded: " + err.Error(), Hint: "a call that cannot be recorded is not made"}
	}
	return nil
}

func (r *run) row(command plan.Command) store.Job {
	// Arguments are plain values: strings, numbers and lists of them.
	args, _ := json.Marshal(r.secrets.cleanArguments(r.Call.Arguments()))
	return store.Job{
		ID: r.id, Tool: r.tool, CLI: r.Call.CLI.Name, Mode: string(r.Call.Mode), Model: r.Call.Model, ParentID: r.Parent, Owner: r.answerable(),
		SessionID: r.Call.SessionID, CorrelationID: r.Call.CorrelationID, CatalogDigest: r.Catalog.Digest(),
		Cwd: r.Dir, Prompt: r.secrets.clean(r.Call.Prompt), Args: args, Argv: r.secrets.cleanAll(command.Args),
		EnvNames: host.Names(r.environ), GatewayVersion: r.Version, ClientName: r.Client.Name, ClientVersion: r.Client.Version,
		Created: r.started, State: store.Live,
	}
}

// finish completes the row. A record that fails now must not cost the caller the
// answer, so it becomes a warning.
func (r *run) finish(out Outcome, exit proc.Exit, ending store.Ending) Outcome {
	if r.records == nil {
		return out
	}
	row := completed(out, exit, ending, r.secrets)
	row.Ended, row.Duration = time.Now(), time.Since(r.started)
	err := r.records.Finish(context.Background(), r.id, row)
	// Of a job that could not be started, another gateway may have been first to see it.
	if err != nil && !(isJob(store.Job{Tool: r.tool}) && errors.Is(err, store.ErrDone)) {
		out.Warnings = append(out.Warnings, "the record of this call could not be completed: "+err.Error())
	}
	return out
}

func (r *run) close() {
	if r.files != nil {
		r.files.close()
	}
}
