// Package engine assembles the gateway: it loads the specs, connects the other
// packages, holds the current catalog, and implements the checks of the doctor.
//
// It hides where files are on this machine. It must not know what a tool does or
// how a call arrives.
package engine

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/llm-cli-gateway/gateway/engine/call"
	"github.com/llm-cli-gateway/gateway/engine/call/refused"
	"github.com/llm-cli-gateway/gateway/engine/calllog"
	"github.com/llm-cli-gateway/gateway/engine/catalog"
	"github.com/llm-cli-gateway/gateway/engine/host"
	"github.com/llm-cli-gateway/gateway/engine/installed"
	"github.com/llm-cli-gateway/gateway/engine/job"
	"github.com/llm-cli-gateway/gateway/engine/lang"
	"github.com/llm-cli-gateway/gateway/engine/lang/diagnostic"
	"github.com/llm-cli-gateway/gateway/engine/mcp"
	"github.com/llm-cli-gateway/gateway/engine/models"
	"github.com/llm-cli-gateway/gateway/engine/ownsettings"
	"github.com/llm-cli-gateway/gateway/engine/process"
	"github.com/llm-cli-gateway/gateway/engine/session"
	"github.com/llm-cli-gateway/gateway/engine/store"
	"github.com/llm-cli-gateway/gateway/engine/store/sqlite"
	"github.com/llm-cli-gateway/gateway/engine/tools"
	"github.com/llm-cli-gateway/gateway/engine/watch"
)

// Options configure a gateway.
type Options struct {
	Specs   []string // folders over the user's, lowest first
	Environ []string // ours, as os.Environ gives it
	Version string
	Profile string // of the listing of tools, over the setting; "": that one's
	Log     *slog.Logger
	Applied func(lang.Settings) // called when other settings take effect; may be nil
}

// Engine is a gateway without a transport.
type Engine struct {
	Tools *tools.Tools

	options Options
	catalog atomic.Pointer[catalog.Catalog]
	loads   reloading
	started lang.Settings // with which the packages were set up
	now     chan struct{} // signals that the specs are to be read at once
	record  record        // of jobs
	log     record        // of calls, where it is another one
	refused *refused.Recorder
}

// Open loads the specs and sets up the packages. The diagnostics say what is wrong
// with the specs; the engine is nil if that is more than a warning.
func Open(o Options) (*Engine, []diagnostic.Diagnostic) { return OpenContext(context.Background(), o) }

// OpenContext is Open with a context that ends the evaluation of spec files, which is a
// diagnostic then. What was opened outlives it.
func OpenContext(ctx context.Context, o Options) (*Engine, []diagnostic.Diagnostic) {
	e := &Engine{options: o, now: make(chan struct{}, 1)}
	loaded := e.load(ctx)
	if loaded.Catalog == nil {
		return nil, loaded.Diagnostics
	}
	e.assemble(loaded.Catalog)
	return e, loaded.Diagnostics
}

// assemble sets up the packages. It touches nothing on the disk.
func (e *Engine) assemble(catalog *catalog.Catalog) {
	o := e.options
	e.catalog.Store(catalog)
	settings := catalog.Settings
	e.started = settings
	e.log.path = database(settings.LogsDB, filepath.Join(StateDir(), "logs.db"))
	e.record.path = database(settings.Jobs.DB, e.log.path)
	e.record.memory = e.record.path == ""
	e.log.opening = e.takeOver
	if e.log.path == e.record.path {
		e.record.opening = e.takeOver
	}
	runner := &job.Runner{
		Host:       host.New(o.Environ, settings.Path, settings.EnvFile),
		Record:     opener(e.record.open, func(s *sqlite.Store) job.Store { return s }),
		JobsApart:  e.log.path == "" || e.log.path != e.record.path,
		Volatile:   e.record.memory,
		RecordName: e.record.path,
		Spool:      filepath.Join(StateDir(), "run"),
		Jobs:       filepath.Join(StateDir(), "jobs"),
		Own:        StateDir(),
		Pools:      filepath.Join(StateDir(), "pools"),
		Current:    e.catalog.Load,
		Version:    o.Version,
		Parent:     parent(o.Environ),
	}
	if e.log.path != "" && e.log.path != e.record.path {
		runner.Log = opener(e.log.open, func(s *sqlite.Store) job.CallStore { return s })
	}
	sessions := &session.Service{Record: opener(e.record.open, func(s *sqlite.Store) session.Store { return s }), Place: e.record.path, Legacy: filepath.Join(StateDir(), "sessions.json"), Turns: runner}
	versions := &installed.Prober{Host: runner.Host, File: filepath.Join(StateDir(), "versions.json")}
	registry := &models.Registry{Host: runner.Host, Record: opener(e.record.open, func(s *sqlite.Store) models.Store { return s })}
	journal := store.Journal{Path: filepath.Join(StateDir(), "approvals.jsonl")}
	e.Tools = &tools.Tools{
		Profile: o.Profile,
		Catalog: e.catalog.Load, Specs: e, Runner: runner, Versions: versions, Sessions: sessions,
		Decisions: opener(e.decisions, func(s *sqlite.Store) tools.ApprovalStore { return s }), Journal: journal, Models: registry,
		Calls: &call.Service{
			Catalog: e.catalog.Load, Versions: versions, Models: registry, Sessions: sessions, Jobs: runner, Ceilings: runner, Trust: trusted{trustList()}, Settings: &ownsettings.Reader{Host: runner.Host}, Empty: emptyDir,
			Costs:     opener(e.record.open, func(s *sqlite.Store) call.Costs { return s }),
			Decisions: opener(e.decisions, func(s *sqlite.Store) call.Decisions { return s }), Journal: journal,
		},
	}
	e.refused = &refused.Recorder{
		Record: opener(e.decisions, func(s *sqlite.Store) refused.Store { return s }), Kept: runner.Kept, Parent: runner.Enclosing, Version: o.Version,
		Failed: func(err error) { e.logger().Warn("a call that was refused could not be recorded", "error", err) },
	}
	e.Tools.Calls.Refusals = e.refused
	e.Tools.Handler = call.New(e.Tools.Calls)
	e.Tools.Log = &calllog.Log{To: e.logger(), Current: e.catalog.Load}
	runner.Ended, runner.Failed = e.Tools.Log.JobEnded, e.Tools.Log.AttemptFailed
	runner.Decisions = e.Tools.Calls
	runner.Pruners = []job.Pruner{e.Tools}
}

// Catalog is the current catalog.
func (e *Engine) Catalog() *catalog.Catalog { return e.catalog.Load() }

// Record opens the record of jobs, if it is not open yet.
func (e *Engine) Record() (*sqlite.Store, error) { return e.record.open() }

// decisions opens the record of calls; nil where calls are not recorded.
func (e *Engine) decisions() (*sqlite.Store, error) {
	if e.log.path == e.record.path && !e.record.memory {
		return e.record.open()
	}
	return e.log.open()
}

// RecordPath is where calls are recorded; "" when they are not.
func (e *Engine) RecordPath() string { return e.log.path }

// Volatile reports whether jobs are kept in memory only.
func (e *Engine) Volatile() bool { return e.record.memory }

// Close leaves jobs to their supervisors, waits for calls that are being ended and
// closes what was opened.
func (e *Engine) Close() error {
	e.Tools.Runner.Close()
	e.refused.Close()
	return errors.Join(e.record.close(), e.log.close())
}

// Serve speaks MCP with one client until it is gone. Calls in flight when the client
// closes its end have the linger to be answered; then they go on as jobs. Meanwhile it records the ends of jobs
// of gateways that are gone.
func (e *Engine) Serve(ctx context.Context, in io.Reader, out io.Writer, linger time.Duration) error {
	if e.record.memory {
		e.logger().Warn("jobs are kept in memory only: they end with this gateway and cannot be found afterwards", "setting", "gateway.jobs.db (LLM_GATEWAY_JOBS_DB)")
	}
	e.Tools.Log.Serving = true
	tending, stop := context.WithCancel(ctx)
	tended := make(chan struct{})
	go func() {
		defer close(tended)
		select {
		case <-e.record.inUse():
			if err := e.WriteMetadata(); err != nil {
				e.logger().Warn("the upkeep of the record failed", "error", err)
			}
		case <-tending.Done():
		}
		e.Tools.Runner.Maintain(tending, e.record.inUse(), e.logger())
	}()
	defer func() { stop(); <-tended }()
	greeted := make(chan struct{})
	s := mcp.New(mcp.Options{
		Name: "llm-cli-gateway", Version: e.options.Version, Instructions: e.instructions(),
		Caller: caller{e.Tools}, Log: e.options.Log, Grace: max(linger, 1), Hello: func() { e.Tools.Runner.Warm(); close(greeted) },
	})
	watching, unwatch := context.WithCancel(ctx)
	watched := make(chan struct{})
	go func() {
		defer close(watched)
		select { // reading again can wait until the client has been served
		case <-greeted:
			e.watch(watching, s)
		case <-watching.Done():
		}
	}()
	defer func() { unwatch(); <-watched }()
	living, release := whileClientLives(ctx, greeted)
	defer release()
	err := s.Serve(living, in, out)
	if errors.Is(context.Cause(living), errClientDied) {
		return nil // as if it had closed its end
	}
	return err
}

// watch keeps the specs and the listing as the files and the machine are, until ctx ends.
func (e *Engine) watch(ctx context.Context, s *mcp.Server) {
	listed := e.listed()
	tidy := len(e.Status().Files) > 0
	e.remember()
	look := func() {
		if e.reload(ctx) {
			tidy = true
			e.remember()
		}
		if now := e.listed(); now != listed {
			listed = now
			if err := s.ListChanged(); err != nil {
				e.logger().Error("tools left out", "error", err)
			}
		}
		if tidy { // a load leaves much garbage
			tidy = false
			debug.FreeOSMemory()
		}
	}
	// A load may wait for the evaluation of a file, and must not keep newer changes from
	// being seen.
	wanted := make(chan struct{}, 1)
	var loader sync.WaitGroup
	loader.Go(func() {
		for range wanted {
			look()
		}
	})
	watch.Run(ctx, watch.Options{Folders: folders(e.options.Specs), Now: e.now, Log: e.options.Log, Wake: func() {
		e.supersede()
		select {
		case wanted <- struct{}{}:
		default: // a look is due already
		}
	}})
	close(wanted)
	loader.Wait()
}

// listed is equal as long as clients are shown the same: a program may have been installed
// meanwhile, or taken away.
func (e *Engine) listed() string {
	names := []string{e.Catalog().Digest()}
	for _, cli := range e.Tools.Listed() {
		names = append(names, cli.Name)
	}
	return strings.Join(names, " ")
}

// logger receives reports that are no answer to a request.
func (e *Engine) logger() *slog.Logger {
	if e.options.Log != nil {
		return e.options.Log
	}
	return slog.New(slog.DiscardHandler)
}

// instructions tell a model what the server is for. Clients search them, and some show no
// more than the first 240 characters: those say how the tools are used.
func (e *Engine) instructions() string {
	names := []string{}
	for _, cli := range e.Tools.Listed() {
		names = append(names, cli.Tool()+" ("+cli.DisplayName()+")")
	}
	return "Delegate a task, or get a second opinion or a review: call the tool of another coding agent with a prompt. The sessionId of a result resumes that conversation. If the status is running, llm_job_result with the jobId returns the answer. " +
		"The agents are command-line programs. Each has one tool: " + strings.Join(names, ", ") + ". " +
		"Its _async variant, or async: true, starts a job at once, which goes on without this server: another one can return its answer. " +
		"A failed call says what went wrong and what to do."
}

// parent is the job in which the gateway itself runs, "" if none: a CLI that it
// called may call it again.
func parent(environ []string) string {
	for _, kv := range environ {
		if id, ok := strings.CutPrefix(kv, process.CookieName+"="); ok && store.ValidID(id) {
			return id
		}
	}
	return ""
}

// StateDir is the folder of the gateway's own files.
func StateDir() string { return filepath.Join(homeDir(), ".llm-cli-gateway") }

// homeDir is the user's home. Without one it is a folder of the user's own in the
// temporary one, which is shared and where others could have put state.
func homeDir() string {
	if home := host.Home(); home != "" {
		return home
	}
	return filepath.Join(os.TempDir(), fmt.Sprintf("llm-cli-gateway-%d", os.Getuid()))
}

// database is the absolute path of a database that a setting names, or the one that is
// usual; "" if the setting turns it off.
func database(path, usual string) string {
	switch {
	case path == "":
		return usual
	case path == "none":
		return ""
	case strings.HasPrefix(path, "~/"):
		return filepath.Join(homeDir(), path[2:])
	}
	if absolute, err := filepath.Abs(path); err == nil {
		return absolute
	}
	return path
}
