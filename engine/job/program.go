package job

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/llm-cli-gateway/gateway/engine/call"
	"github.com/llm-cli-gateway/gateway/engine/host"
	"github.com/llm-cli-gateway/gateway/engine/job/redaction"
	"github.com/llm-cli-gateway/gateway/engine/lang"
	"github.com/llm-cli-gateway/gateway/engine/store"
)

// Program is a command that is no call of a CLI, such as its upgrade. It is a job like
// any other: durable, on record, and ended with all that it started.
type Program struct {
	Principal string   // who asked for it; never empty
	Tool      string   // by which it was asked for
	CLI       string   // that it is about
	Path      string   // absolute
	Args      []string // without the program itself
	Environ   []string // complete
	Dir       string   // absolute
	Wall      time.Duration
	Client    call.Client
	Alone     bool // not while calls of the CLI run
}

// program marks the row of a Program among the modes of calls.
const program = "program"

// BusyError says that jobs of a CLI run which a program would disturb.
type BusyError struct{ IDs []string }

func (e *BusyError) Error() string {
	return fmt.Sprintf("%d of its jobs run: %s", len(e.IDs), strings.Join(e.IDs, ", "))
}

// Start starts a program as a job. The error is a *BusyError if it has to wait for
// calls; nothing is run then.
func (r *Runner) Start(ctx context.Context, p Program) (call.Job, error) {
	r.running.Add(1)
	defer r.running.Done()
	records, err := r.Record()
	if err != nil {
		return call.Job{}, err
	}
	if p.Alone {
		if busy, err := r.busy(ctx, records, p.CLI); err != nil || len(busy) > 0 {
			if err == nil {
				err = &BusyError{busy}
			}
			return call.Job{}, err
		}
	}
	run := &run{Runner: r, id: store.NewID(), started: time.Now(), records: records, environ: p.Environ, secrets: redaction.New(p.Environ, r.Current())}
	run.row = store.Job{
		ID: run.id, Principal: p.Principal, Tool: p.Tool, CLI: p.CLI, Mode: program, ParentID: run.parent(ctx), Owner: run.rowOwner(), Cwd: p.Dir, Argv: run.secrets.All(p.Args),
		EnvNames: host.Names(p.Environ), GatewayVersion: r.Version, ClientName: p.Client.Name, ClientVersion: p.Client.Version, Created: run.started, State: store.Live,
	}
	prepared, err := r.executor().prepareProgram(run, p)
	if err != nil {
		return call.Job{}, err
	}
	if err := records.Begin(context.WithoutCancel(ctx), run.row); err != nil { // as accept does
		return call.Job{}, errors.Join(err, prepared.discard())
	}
	job, err := prepared.start(run)
	if err != nil {
		job := run.recordStartFailure(&lang.Failure{Class: lang.ClassStart, Message: err.Error()})
		return job, errors.Join(err, prepared.discard())
	}
	return job, nil
}

// busy are the jobs of a CLI that have not ended.
func (r *Runner) busy(ctx context.Context, records Store, cli string) (ids []string, err error) {
	f := store.Filter{Principal: store.AnyPrincipal, CLI: cli, State: store.Live, Limit: 500}
	for {
		rows, err := records.Jobs(ctx, f)
		if err != nil {
			return nil, err
		}
		for _, row := range rows {
			f.Before = row.ID
			job, err := r.status(ctx, records, row)
			if err != nil {
				return nil, err
			}
			if !job.State.Ended() && !job.State.Idle() {
				ids = append(ids, row.ID)
			}
		}
		if len(rows) < f.Limit {
			return ids, nil
		}
	}
}
