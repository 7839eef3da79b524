package tools

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/llm-cli-gateway/gateway/engine/call"
	"github.com/llm-cli-gateway/gateway/engine/catalog"
	"github.com/llm-cli-gateway/gateway/engine/catalog/access"
	"github.com/llm-cli-gateway/gateway/engine/catalog/upgrade"
	"github.com/llm-cli-gateway/gateway/engine/installed"
	"github.com/llm-cli-gateway/gateway/engine/lang"
)

// CLIUpgrade is the name of CLIUpgradeTool.
const CLIUpgrade = "cli_upgrade"

// CLIUpgradeInput is the input of CLIUpgradeTool.
type CLIUpgradeInput struct {
	CLI       string `json:"cli" doc:"CLI to upgrade" required:"true" maxLength:"64"`
	Target    string `json:"target" doc:"Version or tag" default:"latest" maxLength:"128"`
	DryRun    bool   `json:"dryRun" doc:"Only show what would be run" default:"true"`
	TimeoutMs int    `json:"timeoutMs" doc:"End the upgrade after this many milliseconds" min:"1000" max:"3600000" default:"600000"`
	Force     bool   `json:"force" doc:"Upgrade even while jobs of this CLI run"`
}

// CLIUpgradeOutput is a plan, or with DryRun false what became of it.
type CLIUpgradeOutput struct {
	Status    string        `json:"status"` // "planned", or that of the job
	JobID     string        `json:"jobId,omitempty"`
	CLI       string        `json:"cli"`
	Before    string        `json:"before,omitempty"`    // version before an upgrade that was run
	Installed string        `json:"installed,omitempty"` // version now
	Path      string        `json:"path,omitempty"`      // of the installed program
	Target    string        `json:"target"`
	Strategy  string        `json:"strategy,omitempty"`
	Command   []string      `json:"command"`           // program and words
	Program   string        `json:"program,omitempty"` // path of the program that would be run
	DryRun    bool          `json:"dryRun"`
	TimeoutMs int64         `json:"timeoutMs,omitempty"`
	Note      string        `json:"note,omitempty"`
	Problem   string        `json:"problem,omitempty"` // why it could not be run now
	Hint      string        `json:"hint,omitempty"`
	Error     *lang.Failure `json:"error,omitempty"`

	heading string          // of the CLI
	before  installed.State // of the CLI, before the upgrade
}

var upgradeSchema = json.RawMessage(`{"type":"object","properties":{"status":{"type":"string"},"jobId":{"type":"string"},"cli":{"type":"string"},"installed":{"type":"string"},` +
	`"target":{"type":"string"},"strategy":{"type":"string"},"command":{"type":"array","items":{"type":"string"}},"dryRun":{"type":"boolean"},"problem":{"type":"string"},` +
	`"error":{"type":"object"}},"required":["status"]}`)

// CLIUpgradeTool plans the upgrade of a CLI, and runs it.
var CLIUpgradeTool = &Builtin[CLIUpgradeInput, CLIUpgradeOutput]{
	Tool: catalog.Tool{Name: CLIUpgrade, Title: "Upgrade a CLI", Output: upgradeSchema, Advanced: true, Destructive: true, OpenWorld: true,
		Description: "Plan the upgrade of a CLI, or with dryRun false run it."},
	changes: func(in CLIUpgradeInput) call.Change {
		if in.DryRun {
			return call.Change{}
		}
		return call.Change{CLI: in.CLI, Level: access.Full, By: "gateway upgrade " + in.CLI}
	},
	handle: (*Tools).upgradeCLI,
	render: renderUpgrade,
	failed: func(o CLIUpgradeOutput) bool { return o.Error != nil },
}

func (t *Tools) upgradeCLI(ctx context.Context, from Caller, in CLIUpgradeInput) (CLIUpgradeOutput, error) {
	cat := t.Catalog()
	cli, err := knownCLI(cat, in.CLI, listsCLIs)
	if err != nil {
		return CLIUpgradeOutput{}, err
	}
	if wrong := upgrade.TargetProblem(in.Target); wrong != "" {
		return CLIUpgradeOutput{}, &usageError{"target: " + wrong, "correct the target and call again; nothing was run"}
	}
	u := t.Versions.Plan(ctx, cat, cli, in.Target, time.Duration(in.TimeoutMs)*time.Millisecond)
	if in.DryRun {
		return planned(u), nil
	}
	if u.Problem != "" {
		return CLIUpgradeOutput{}, &usageError{u.Problem, u.Hint}
	}
	return t.runUpgrade(ctx, from, u, in.Force)
}

// planned is what an upgrade would run.
func planned(u installed.Upgrade) CLIUpgradeOutput {
	out := CLIUpgradeOutput{
		Status: "planned", CLI: u.CLI.Name, Installed: u.State.Version, Path: u.State.Path, Target: u.Target, Strategy: u.Strategy,
		Command: u.Command(), Program: u.Path, DryRun: true, TimeoutMs: u.Timeout.Milliseconds(), Note: u.Note, Problem: u.Problem, Hint: u.Hint,
		heading: u.CLI.DisplayName(), before: u.State,
	}
	if len(out.Command) == 0 {
		out.Status, out.Command = string(call.Failed), []string{}
		out.Error = &lang.Failure{Class: lang.ClassUsage, Message: u.Problem, Hint: u.Hint}
	}
	return out
}

func renderUpgrade(o CLIUpgradeOutput) []string {
	switch {
	case o.Error != nil:
		return []string{o.Error.Message + hintText(*o.Error)}
	case o.DryRun:
		return []string{renderPlan(o), "Nothing was run; dryRun: false runs it."}
	case !call.State(o.Status).Ended():
		return []string{fmt.Sprintf("Job %s upgrades %s. %s with this jobId returns the result.", o.JobID, o.heading, JobResult)}
	}
	return []string{fmt.Sprintf("%s is now in version %s; it was %s.", o.heading, cmp.Or(o.Installed, "unknown"), cmp.Or(o.Before, "unknown"))}
}

func renderPlan(o CLIUpgradeOutput) string {
	which := fmt.Sprintf("%s %s (%s)", o.heading, o.before.Version, o.before.Path)
	switch {
	case !o.before.Installed:
		which = o.heading + " (not installed)"
	case o.before.Version == "":
		which = fmt.Sprintf("%s (%s)", o.heading, o.before.Path)
	}
	text := fmt.Sprintf("To bring %s to %s (%s):\n  %s", which, o.Target, o.Strategy, strings.Join(o.Command, " "))
	if o.Note != "" {
		text += "\nNote: " + o.Note
	}
	if o.Problem != "" {
		text += "\nIt cannot be run now: " + o.Problem
		if o.Hint != "" {
			text += "\nHint: " + o.Hint
		}
	}
	return text
}
