package tools

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/llm-cli-gateway/gateway/engine/call"
	"github.com/llm-cli-gateway/gateway/engine/catalog"
	"github.com/llm-cli-gateway/gateway/engine/job"
	"github.com/llm-cli-gateway/gateway/engine/supervisor"
)

// upgraded is the end of an upgrade, or where it stands.
type upgraded struct {
	Status    string           `json:"status"`
	JobID     string           `json:"jobId,omitempty"`
	CLI       string           `json:"cli"`
	Before    string           `json:"before,omitempty"`
	Installed string           `json:"installed,omitempty"` // after
	Target    string           `json:"target"`
	Strategy  string           `json:"strategy"`
	Command   []string         `json:"command"`
	DryRun    bool             `json:"dryRun"`
	Error     *catalog.Failure `json:"error,omitempty"`
}

// upgrade runs an upgrade as a job, and waits for it as for a call.
func (t *Tools) upgrade(ctx context.Context, c UpgradeCall) Result {
	u := c.Plan
	s := upgraded{Status: string(call.Failed), CLI: u.CLI.Name, Before: u.State.Version, Target: u.Target, Strategy: u.Strategy, Command: u.Command()}
	fail := func(f catalog.Failure) Result {
		s.Error = &f
		return Result{Text: []string{f.Message + hintText(f)}, Structured: encode(s), IsError: true, Bare: true}
	}
	j, err := t.Runner.Start(ctx, job.Program{
		Tool: CLIUpgrade, CLI: u.CLI.Name, Path: u.Path, Args: u.Args, Environ: u.Environ, Dir: u.Dir, Wall: u.Timeout, Client: c.Client, Alone: !c.Force,
	})
	var busy *job.BusyError
	switch {
	case errors.As(err, &busy):
		return fail(catalog.Failure{Class: catalog.ClassUsage, Message: u.CLI.Heading() + " is not upgraded while " + busy.Error(), Hint: "wait for them or cancel them, or pass force: true"})
	case errors.Is(err, supervisor.ErrUnsupported):
		return fail(catalog.Failure{Class: catalog.ClassUsage, Message: "upgrades are only planned on this system", Hint: "run it yourself: " + strings.Join(u.Command(), " ")})
	case err != nil:
		return fail(catalog.Failure{Class: catalog.ClassStart, Message: "the upgrade could not be started: " + err.Error()})
	}
	s.JobID = j.Row.ID
	if j, err = t.Calls.Follow(ctx, j, t.softDeadline(), c.Progress); err != nil {
		return problem(err)
	}
	t.Versions.Forget(u.CLI)
	s.Status = string(j.State)
	if !j.State.Ended() { // an upgrade is not ended half way because its caller turns away
		text := fmt.Sprintf("Job %s upgrades %s. %s with this jobId tells its end.", j.Row.ID, u.CLI.Heading(), JobResult)
		return Result{Text: []string{text}, Structured: encode(s), Bare: true}
	}
	if f := t.Runner.Completion(j).Answer.Failure; f != nil {
		f.Hint = fmt.Sprintf("%s with jobId %s has all that it printed; by hand: %s", JobResult, j.Row.ID, strings.Join(u.Command(), " "))
		return fail(*f)
	}
	cat := t.Catalog()
	if now := t.Versions.States(ctx, cat, []*catalog.CLI{u.CLI}); len(now) == 1 {
		s.Installed = now[0].Version
	}
	text := fmt.Sprintf("%s is now in version %s; it was %s.", u.CLI.Heading(), either(s.Installed, "unknown"), either(s.Before, "unknown"))
	return Result{Text: []string{text}, Structured: encode(s), Bare: true}
}

func either(a, b string) string {
	if a == "" {
		return b
	}
	return a
}
