package installed

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"sync"

	"github.com/llm-cli-gateway/gateway/engine/catalog"
	"github.com/llm-cli-gateway/gateway/engine/host"
	"github.com/llm-cli-gateway/gateway/engine/job/environment"
)

// State is what is known of a CLI on this machine.
type State struct {
	CLI       string `json:"cli"`
	Installed bool   `json:"installed"`
	Path      string `json:"path,omitempty"`    // as it was found
	Version   string `json:"version,omitempty"` // "" if it cannot be found out
	// Matches says that the program answered as its spec expects: another one may bear
	// the same name. It is nil where that is not known.
	Matches   *bool  `json:"matchesSpec,omitempty"`
	Login     string `json:"login"`               // LoginFound, LoginNone or LoginUnknown
	LoginBy   string `json:"loginBy,omitempty"`   // the variable or file that shows it
	LoginHint string `json:"loginHint,omitempty"` // how to log in, where there is no sign of it
	// Changes are the ranges of versions whose part of the spec holds for this one.
	Changes []string `json:"changes,omitempty"`
	// Unverified says why the spec could not be verified.
	Unverified string `json:"unverified,omitempty"`

	Problem string `json:"problem,omitempty"` // what is wrong, "" if nothing
	Hint    string `json:"hint,omitempty"`    // what to do about the problem, or to install it
	// Looked are the folders in which a program that is missing was looked for: often
	// the same for all, so that a list of several prints them once.
	Looked []string `json:"-"`
}

// State finds out about one CLI. A program that failed to answer before is asked again.
func (p *Prober) State(ctx context.Context, catalog *catalog.Catalog, cli *catalog.CLI) State {
	s := State{CLI: cli.Name, Login: LoginUnknown, Unverified: cli.Unverified}
	environ, err := p.Host.Environ(environment.OfCLI(catalog, cli, map[string]string{}, ""))
	if err != nil { // the environment file: no CLI can be called
		s.Problem = err.Error()
		return s
	}
	if s.Login, s.LoginBy = login(cli.Login, environ); s.Login == LoginNone {
		s.LoginHint = cli.Login.Hint
	}
	path, err := p.Host.Find(cli.Bin)
	var missing *host.NotFoundError
	var broken *host.NotExecutableError
	switch {
	case errors.As(err, &missing):
		s.Looked = missing.Looked
	case errors.As(err, &broken):
		s.Problem, s.Hint = err.Error(), broken.Fix()
		return s
	case err != nil:
		s.Problem = err.Error()
	}
	if err != nil {
		s.Hint = fmt.Sprintf("set cli.%s.bin to its path", cli.Name)
		if cli.Install != "" {
			s.Hint = "install it: " + cli.Install + "; or " + s.Hint
		}
		return s
	}
	s.Installed, s.Path = true, path
	a := p.answer(ctx, catalog, cli, path, 0)
	yes := a.said == "" && a.err == nil
	s.Version = a.version
	switch {
	case errors.Is(a.err, errNoCommand):
	case errors.Is(a.err, context.DeadlineExceeded):
		s.Problem = "its version could not be determined in time"
		s.Hint = "run " + strings.Join(append([]string{path}, cli.CLISpec.Version.Argv...), " ")
	case a.err != nil:
		s.Problem = fmt.Sprintf("its version could not be determined: %s", a.err)
		s.Hint = "run " + strings.Join(append([]string{path}, cli.CLISpec.Version.Argv...), " ")
	case !yes:
		s.Matches = &yes
		s.Problem = fmt.Sprintf("it answers %q, which its spec does not expect: this may be another program of the same name", a.said)
		s.Hint = fmt.Sprintf("set cli.%s.bin to the right program, or correct cli.%s.version.match", cli.Name, cli.Name)
	default:
		if cli.CLISpec.Version.Match != "" {
			s.Matches = &yes
		}
		s.Changes = cli.Changes(a.version)
	}
	return s
}

// atOnce is how many programs are asked at the same time: several of them load a
// runtime that keeps a core busy for seconds.
const atOnce = 4

// States finds out about some CLIs, in their order.
func (p *Prober) States(ctx context.Context, catalog *catalog.Catalog, clis []*catalog.CLI) []State {
	out := make([]State, len(clis))
	room := make(chan struct{}, atOnce)
	var all sync.WaitGroup
	for i, cli := range clis {
		all.Go(func() {
			room <- struct{}{}
			defer func() { <-room }()
			out[i] = p.State(ctx, catalog, cli)
		})
	}
	all.Wait()
	return out
}

// resolved is a path without symbolic links; the path itself if they lead nowhere.
func resolved(path string) string {
	if real, err := filepath.EvalSymlinks(path); err == nil {
		return real
	}
	return path
}
