package tools

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/llm-cli-gateway/gateway/engine/call"
	"github.com/llm-cli-gateway/gateway/engine/catalog"
	"github.com/llm-cli-gateway/gateway/engine/installed"
	"github.com/llm-cli-gateway/gateway/engine/job"
	"github.com/llm-cli-gateway/gateway/engine/lang"
	"github.com/llm-cli-gateway/gateway/engine/store"
	"github.com/llm-cli-gateway/gateway/engine/supervisor"
)

// runUpgrade runs an upgrade as a job, and waits for it as for a call. With force it runs
// even while jobs of the CLI do.
func (t *Tools) runUpgrade(ctx context.Context, from Caller, u installed.Upgrade, force bool) (CLIUpgradeOutput, error) {
	out := CLIUpgradeOutput{Status: string(call.Failed), CLI: u.CLI.Name, Before: u.State.Version, Target: u.Target, Strategy: u.Strategy, Command: u.Command(), heading: u.CLI.DisplayName()}
	j, err := t.Runner.Start(ctx, job.Program{
		Principal: store.Local, Tool: CLIUpgrade, CLI: u.CLI.Name, Path: u.Path, Args: u.Args, Environ: u.Environ, Dir: u.Dir, Wall: u.Timeout, Client: from.Client, Alone: !force,
	})
	if err != nil {
		out.Error = notStarted(u, err)
		return out, nil
	}
	out.JobID = j.Row.ID
	if j, err = t.Calls.Follow(ctx, j, t.softDeadline(), from.Progress); err != nil {
		return out, err
	}
	t.Versions.Forget(u.CLI)
	out.Status = string(j.State)
	if !j.State.Ended() { // an upgrade is not ended half way because its caller turns away
		return out, nil
	}
	if f := t.Runner.Completion(j).Answer.Failure; f != nil {
		f.Hint = fmt.Sprintf("%s with jobId %s and include has all that it printed; by hand: %s", JobResult, j.Row.ID, strings.Join(u.Command(), " "))
		out.Error = f
		return out, nil
	}
	if now := t.Versions.States(ctx, t.Catalog(), []*catalog.CLI{u.CLI}); len(now) == 1 {
		out.Installed = now[0].Version
	}
	return out, nil
}

// notStarted is the failure of an upgrade whose job could not be started.
func notStarted(u installed.Upgrade, err error) *lang.Failure {
	var busy *job.BusyError
	switch {
	case errors.As(err, &busy):
		return &lang.Failure{Class: lang.ClassUsage, Message: u.CLI.DisplayName() + " is not upgraded while " + busy.Error(), Hint: "wait for them or cancel them, or pass force: true"}
	case errors.Is(err, supervisor.ErrUnsupported):
		return &lang.Failure{Class: lang.ClassUsage, Message: "upgrades are only planned on this system", Hint: "run it yourself: " + strings.Join(u.Command(), " ")}
	}
	return &lang.Failure{Class: lang.ClassStart, Message: "the upgrade could not be started: " + err.Error()}
}
