package installed

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/llm-cli-gateway/gateway/engine/catalog"
	"github.com/llm-cli-gateway/gateway/engine/host"
	"github.com/llm-cli-gateway/gateway/engine/job/environment"
)

// Upgrade is a plan to bring a CLI to another version: what to run, and with what. It
// has been found possible if Problem is empty.
type Upgrade struct {
	CLI      *catalog.CLI
	Target   string
	State    State  // of the CLI before
	Strategy string // see upgrade.Plan
	Note     string // what a person should know about this kind of installation

	Bin     string        // the program as the spec names it, for people
	Path    string        // the same as an absolute path; "" if it is not installed
	Args    []string      // without the program
	Environ []string      // complete; holds secrets, never to be shown
	Dir     string        // where to run it: outside of any project
	Timeout time.Duration // for all of it

	Problem, Hint string // why it cannot be run, and what to do about it
}

// Command is the plan as words, for people: the program by its name.
func (u Upgrade) Command() []string {
	if len(u.Args) == 0 {
		return nil
	}
	return append([]string{u.Bin}, u.Args...)
}

// Plan plans an upgrade to a target in which upgrade.TargetProblem finds no problem. Nothing
// is run but the question for the version.
func (p *Prober) Plan(ctx context.Context, catalog *catalog.Catalog, cli *catalog.CLI, target string, timeout time.Duration) Upgrade {
	u := Upgrade{CLI: cli, Target: target, State: p.State(ctx, catalog, cli), Timeout: timeout, Dir: workplace()}
	file := ""
	if u.State.Installed {
		file = resolved(u.State.Path)
	}
	up, problem := cli.Upgrade(file, target)
	u.Strategy, u.Note, u.Bin, u.Args = up.Strategy, up.Note, up.Bin, up.Args
	if u.Bin == "" {
		u.Bin, u.Path = cli.Bin, u.State.Path
	}
	if problem != "" {
		u.Problem, u.Hint = problem, up.Note
		return u
	}
	var err error
	if u.Environ, err = p.Host.Environ(environment.OfCLI(catalog, cli, map[string]string{}, u.Dir)); err != nil {
		u.Problem = err.Error()
		return u
	}
	switch {
	case up.Bin == "" && !u.State.Installed:
		u.Problem, u.Hint = fmt.Sprintf("%s is not installed, so it cannot update itself", cli.DisplayName()), u.State.Hint
	case up.Bin != "":
		if u.Path, err = p.Host.Find(up.Bin); err != nil {
			u.Problem, u.Hint = err.Error(), "install "+up.Bin+" first"
		}
	}
	if u.Problem == "" && u.State.Matches != nil && !*u.State.Matches {
		u.Problem, u.Hint = u.State.Problem, u.State.Hint
	}
	return u
}

// workplace is the home of the user: what installs programs reads settings of the
// project that it stands in.
func workplace() string {
	if home := host.Home(); home != "" {
		return home
	}
	return os.TempDir()
}
