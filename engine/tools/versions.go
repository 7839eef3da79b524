package tools

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/llm-cli-gateway/gateway/engine/call"
	"github.com/llm-cli-gateway/gateway/engine/catalog"
	"github.com/llm-cli-gateway/gateway/engine/installed"
	"github.com/llm-cli-gateway/gateway/engine/lang"
	"github.com/llm-cli-gateway/gateway/engine/text"
)

// Names of the tools about the installed CLIs.
const (
	CLIVersions = "cli_versions"
	CLIUpgrade  = "cli_upgrade"
)

// Bounds of the time that an upgrade may take, in milliseconds.
const (
	minUpgradeMs     = 1_000
	maxUpgradeMs     = 3_600_000
	defaultUpgradeMs = 600_000
)

var (
	versionsSchema = json.RawMessage(`{"type":"object","properties":{"clis":{"type":"array","items":{"type":"object","properties":{` +
		`"cli":{"type":"string"},"installed":{"type":"boolean"},"path":{"type":"string"},"version":{"type":"string"},"matchesSpec":{"type":"boolean"},` +
		`"login":{"type":"string","enum":["found","none","unknown"]},"loginHint":{"type":"string"},"unverified":{"type":"string"},"problem":{"type":"string"},"hint":{"type":"string"}}}}},"required":["clis"]}`)
	upgradeSchema = json.RawMessage(`{"type":"object","properties":{"status":{"type":"string"},"jobId":{"type":"string"},"cli":{"type":"string"},"installed":{"type":"string"},` +
		`"target":{"type":"string"},"strategy":{"type":"string"},"command":{"type":"array","items":{"type":"string"}},"dryRun":{"type":"boolean"},"problem":{"type":"string"},` +
		`"error":{"type":"object","properties":{"class":{"type":"string"},"message":{"type":"string"}}}},"required":["status"]}`)

	versionsTool = catalog.NewBuiltin(catalog.Tool{Name: CLIVersions, Title: "Versions of the CLIs", Output: versionsSchema, Rare: true, ReadOnly: true, Idempotent: true,
		Description: "Tell which CLIs are installed, where, in which version, and whether somebody is logged in."},
		&catalog.Param{Name: "cli", Kind: catalog.String, ParamSpec: lang.ParamSpec{Doc: "Only this CLI.", MaxLength: ptr(64)}})
	upgradeTool = catalog.NewBuiltin(catalog.Tool{Name: CLIUpgrade, Title: "Upgrade a CLI", Output: upgradeSchema, Rare: true, Destructive: true, OpenWorld: true,
		Description: "Plan the upgrade of a CLI, or with dryRun false run it."},
		&catalog.Param{Name: "cli", Kind: catalog.String, ParamSpec: lang.ParamSpec{Doc: "CLI to upgrade.", Required: true, MaxLength: ptr(64)}},
		&catalog.Param{Name: "target", Kind: catalog.String, ParamSpec: lang.ParamSpec{Doc: "Version or tag.", Default: "latest", MaxLength: ptr(128)}},
		&catalog.Param{Name: "dryRun", Kind: catalog.Bool, ParamSpec: lang.ParamSpec{Doc: "Only tell what would be run.", Default: true}},
		number("timeoutMs", "End it after so long.", minUpgradeMs, maxUpgradeMs, defaultUpgradeMs),
		&catalog.Param{Name: "force", Kind: catalog.Bool, ParamSpec: lang.ParamSpec{Doc: "Even while jobs of this CLI run."}})
)

// UpgradeCall is an upgrade that was asked for in earnest.
type UpgradeCall struct {
	Plan     installed.Upgrade // one that can be run
	Force    bool              // even while jobs of the CLI run
	Client   call.Client
	Progress func(message string) // nil when nobody listens
}

// aboutCLIs answers a tool about the installed CLIs.
func (t *Tools) aboutCLIs(ctx context.Context, tool *catalog.Builtin, args map[string]any, c *call.Request) Result {
	cat := t.Catalog()
	name, _ := args["cli"].(string)
	clis := cat.CLIs
	if name != "" {
		cli, ok := cat.CLI(name)
		if !ok {
			return refused(unknownCLI(cat, name), "`gateway call "+CLIVersions+"` lists the CLIs")
		}
		clis = []*catalog.CLI{cli}
	}
	if tool == versionsTool {
		return versionsResult(cat, t.Versions.States(ctx, cat, clis))
	}
	target := args["target"].(string)
	if wrong := catalog.BadTarget(target); wrong != "" {
		return refused("target: "+wrong, "correct the target and call again; nothing was run")
	}
	u := t.Versions.Plan(ctx, cat, clis[0], target, time.Duration(args["timeoutMs"].(int))*time.Millisecond)
	if dry, _ := args["dryRun"].(bool); dry {
		return plannedResult(u)
	}
	switch force, _ := args["force"].(bool); {
	case u.Problem != "":
		return refused(u.Problem, u.Hint)
	default:
		return t.upgrade(ctx, UpgradeCall{Plan: u, Force: force, Client: c.Client, Progress: c.Progress})
	}
}

func unknownCLI(cat *catalog.Catalog, name string) string {
	names := []string{}
	for _, cli := range cat.CLIs {
		names = append(names, cli.Name)
	}
	body := fmt.Sprintf("there is no CLI %q", name)
	if near := text.Nearest(name, names); near != "" {
		return body + fmt.Sprintf(" (did you mean %q?)", near)
	}
	return body + "; there are " + strings.Join(names, ", ")
}

// versionsResult tells the same to people and to programs.
func versionsResult(catalog *catalog.Catalog, states []installed.State) Result {
	lines, looked := []string{}, []string{}
	for _, s := range states {
		cli, _ := catalog.CLI(s.CLI)
		lines = append(lines, stateText(cli.Heading(), s))
		for _, dir := range s.Looked {
			if !slices.Contains(looked, dir) {
				looked = append(looked, dir)
			}
		}
	}
	if len(looked) > 0 {
		lines = append(lines, "What is missing was looked for in "+strings.Join(looked, ", ")+".")
	}
	return Result{Text: []string{strings.Join(lines, "\n")}, Bare: true, Structured: encode(struct {
		CLIs   []installed.State `json:"clis"`
		Looked []string          `json:"lookedIn,omitempty"`
	}{states, looked})}
}

// stateText is a line about a CLI, and further ones about what is wrong.
func stateText(heading string, s installed.State) string {
	var b strings.Builder
	switch {
	case !s.Installed:
		fmt.Fprintf(&b, "%s (%s) is not installed", heading, s.CLI)
	case s.Version == "":
		fmt.Fprintf(&b, "%s (%s), version unknown, at %s", heading, s.CLI, s.Path)
	default:
		fmt.Fprintf(&b, "%s (%s) %s at %s", heading, s.CLI, s.Version, s.Path)
	}
	switch s.Login {
	case installed.LoginFound:
		b.WriteString("; login: " + s.LoginBy)
	case installed.LoginNone:
		b.WriteString("; no sign of a login")
		if s.LoginHint != "" {
			b.WriteString(" (" + s.LoginHint + ")")
		}
	}
	if s.Unverified != "" {
		b.WriteString("\n  Unverified: " + s.Unverified)
	}
	if s.Problem != "" {
		b.WriteString("\n  Problem: " + s.Problem)
	}
	if s.Hint != "" {
		b.WriteString("\n  Hint: " + s.Hint)
	}
	return b.String()
}

// planned is a plan for programs.
type planned struct {
	Status    string           `json:"status"` // "planned" or "failed"
	CLI       string           `json:"cli"`
	Installed string           `json:"installed,omitempty"` // version
	Path      string           `json:"path,omitempty"`      // of the installed program
	Target    string           `json:"target"`
	Strategy  string           `json:"strategy,omitempty"`
	Command   []string         `json:"command"`           // program and words
	Program   string           `json:"program,omitempty"` // path of the program that would be run
	DryRun    bool             `json:"dryRun"`
	TimeoutMs int64            `json:"timeoutMs"`
	Note      string           `json:"note,omitempty"`
	Problem   string           `json:"problem,omitempty"` // why it could not be run now
	Hint      string           `json:"hint,omitempty"`
	Error     *catalog.Failure `json:"error,omitempty"` // there is no plan
}

// plannedResult shows what an upgrade would run.
func plannedResult(u installed.Upgrade) Result {
	p := planned{
		Status: "planned", CLI: u.CLI.Name, Installed: u.State.Version, Path: u.State.Path, Target: u.Target, Strategy: u.Strategy,
		Command: u.Command(), Program: u.Path, DryRun: true, TimeoutMs: u.Timeout.Milliseconds(), Note: u.Note, Problem: u.Problem, Hint: u.Hint,
	}
	if len(p.Command) == 0 {
		f := catalog.Failure{Class: catalog.ClassUsage, Message: u.Problem, Hint: u.Hint}
		p.Status, p.Command, p.Error = "failed", []string{}, &f
		return Result{Text: []string{u.Problem + hintText(f)}, Structured: encode(p), IsError: true, Bare: true}
	}
	text := fmt.Sprintf("To bring %s to %s (%s):\n  %s", whichCLI(u), u.Target, u.Strategy, strings.Join(p.Command, " "))
	if u.Note != "" {
		text += "\nNote: " + u.Note
	}
	if u.Problem != "" {
		text += "\nIt cannot be run now: " + u.Problem
		if u.Hint != "" {
			text += "\nHint: " + u.Hint
		}
	}
	return Result{Text: []string{text, "Nothing was run; dryRun: false runs it."}, Structured: encode(p), Bare: true}
}

// whichCLI names the installation that an upgrade is about.
func whichCLI(u installed.Upgrade) string {
	switch {
	case !u.State.Installed:
		return u.CLI.Heading() + " (not installed)"
	case u.State.Version == "":
		return fmt.Sprintf("%s (%s)", u.CLI.Heading(), u.State.Path)
	}
	return fmt.Sprintf("%s %s (%s)", u.CLI.Heading(), u.State.Version, u.State.Path)
}
