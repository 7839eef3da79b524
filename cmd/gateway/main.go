// Command gateway is one MCP server through which any MCP client calls the coding
// agents that are installed on a machine as command-line programs.
//
// This package knows flags, exit codes, signals and printing; one file a command.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/llm-cli-gateway/gateway/engine"
	"github.com/llm-cli-gateway/gateway/engine/tools"
)

func main() {
	ctx, cancel := context.WithCancelCause(context.Background())
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	go func() {
		if <-signals == os.Interrupt {
			cancel(interrupted{})
		}
		cancel(nil)
	}()
	if strings.TrimSuffix(filepath.Base(os.Args[0]), ".exe") == standInName {
		os.Exit(standIn(os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
	}
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(shortLivedGC)
	}
	os.Exit(run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}

// How much garbage may gather before it is collected, in percent of what is in use. A
// command is over before much has gathered: loading specs takes a third less time so. A
// gateway that serves for days sets the usual value once it has started.
const (
	shortLivedGC = 400
	longLivedGC  = 100
)

// interrupted is the cause of a context that the user has canceled. Code that looks for it
// knows the method, not the type.
type interrupted struct{}

func (interrupted) Error() string        { return "interrupted" }
func (interrupted) CancelReason() string { return "interrupted by its user" }
func (interrupted) Unwrap() error        { return context.Canceled }

// run executes one command line and returns the exit code: 0 done, 1 it failed,
// 2 it was not understood.
func run(ctx context.Context, args []string, in io.Reader, out, errOut io.Writer) int {
	a := &app{}
	defer a.flush()
	root := newRoot(a)
	root.SetArgs(args)
	root.SetIn(in)
	root.SetOut(out)
	root.SetErr(errOut)
	cmd, err := root.ExecuteContextC(ctx)
	var code exitCode
	switch {
	case err == nil:
		return 0
	case errors.As(err, &code):
		return int(code)
	}
	fmt.Fprintf(errOut, "gateway: %v\n", err)
	var failed *failure
	if errors.As(err, &failed) {
		return 1
	}
	fmt.Fprintf(errOut, "Run '%s --help' for usage.\n", cmd.CommandPath())
	return 2
}

// exitCode ends the program with a code; its message has been printed.
type exitCode int

func (e exitCode) Error() string { return fmt.Sprintf("exit code %d", int(e)) }

// failure is an error that no other command line would have avoided.
type failure struct{ error }

func (f *failure) Unwrap() error { return f.error }

func fail(err error) error { return &failure{err} }

// app is what the commands share.
type app struct {
	specs   []string
	profile string // of the listing of tools; "": the setting's

	closeLog func(most time.Duration) // of the engine that was opened; nil: there is none
}

// flush writes what is left of the log. A reader that has stopped reading is not waited for long.
func (a *app) flush() {
	if a.closeLog != nil {
		a.closeLog(logWait)
	}
}

const logWait = 200 * time.Millisecond

// listing adds the flag for the profile.
func (a *app) listing(cmd *cobra.Command) {
	cmd.Flags().StringVar(&a.profile, "profile", "", "list the tools in the `PROFILE` full or compact (default: gateway.tools.profile)")
}

func newRoot(a *app) *cobra.Command {
	root := &cobra.Command{
		Use:   "gateway <command>",
		Short: "One MCP server for all coding agents on this machine",
		Long: `One MCP server through which any MCP client can call the coding agents that are
installed on this machine as command-line programs.

Each agent is described by a spec, a few lines of CUE or YAML, and becomes a tool. To
add an agent, a model alias or a setting, edit a spec.`,
		Example: `  $ gateway demo                                     # see it work; nothing needs to be installed
  $ gateway tools                                    # the tools that clients see
  $ gateway vet                                      # check your specs
  $ gateway explain acme_request prompt=hello        # what a call would run`,
		SilenceErrors: true, SilenceUsage: true,
		Version: stamp().String(),
	}
	root.Flags().Bool("version", false, "print version, commit and date")
	root.SetVersionTemplate("gateway {{.Version}}\n")
	root.PersistentFlags().StringArrayVar(&a.specs, "specs", nil, "also read the specs in `DIR`, which override yours; can be repeated")
	root.AddGroup(&cobra.Group{ID: "use", Title: "Commands:"}, &cobra.Group{ID: "write", Title: "Commands for authors of specs:"})
	root.AddCommand(a.demo(), a.serve(), a.call(), a.jobs(), a.sessions(), a.approvals(), a.breaker(), a.logs(), a.stats(), a.trust(), a.models(), a.doctor(), a.tools(), a.init(), a.new(), a.vet(), a.fmt(), a.lock(), a.docs(), a.record(), a.explain(), a.upgrade(), a.version())
	root.SetHelpCommand(help(root))
	root.SetCompletionCommandGroupID("use")
	return root
}

// open loads the specs. What is wrong with them is printed, one line each.
func (a *app) open(cmd *cobra.Command) (*engine.Engine, error) {
	if a.profile != "" && !slices.Contains(tools.Profiles, a.profile) {
		return nil, fmt.Errorf("--profile must be %s, not %q", strings.Join(tools.Profiles, " or "), a.profile)
	}
	// Standard output may belong to a protocol; logs never go there.
	log := newLogger(cmd.ErrOrStderr())
	a.closeLog = log.close
	e, diags := engine.OpenContext(cmd.Context(), engine.Options{Specs: a.specs, Environ: os.Environ(), Version: release(), Profile: a.profile, Log: log.Logger, Applied: log.apply})
	for _, d := range diags {
		fmt.Fprintln(cmd.ErrOrStderr(), d)
	}
	if e == nil {
		return nil, fail(errors.New("the specs are invalid; run `gateway vet` for details"))
	}
	log.apply(e.Catalog().Settings)
	log.Debug("specs loaded", "digest", e.Catalog().Digest(), "tools", len(e.Catalog().CLIs), "record", e.RecordPath())
	return e, nil
}
