package main

import (
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"github.com/llm-cli-gateway/gateway/engine"
)

func (a *app) fmt() *cobra.Command {
	var check, fix bool
	cmd := &cobra.Command{
		Use: "fmt [PATH...]", GroupID: "write",
		Short: "Format specs canonically",
		Long: `Format spec files canonically: the given files and folders, or your folder. CUE files get
the form of CUE's own formatter. YAML files are not changed, because no formatter would
keep their comments in place. The meaning of a file stays the same. The names of changed
files are printed.

With --fix, files are also migrated to the newest version of the language: renamed keys get
their new names. With --check nothing is changed, and a diff is printed.

Exit codes: 0 success, or with --check nothing to do; 1 a file cannot be read, or with
--check would change; 2 invalid command line.`,
		Example: `  $ gateway fmt
  $ gateway fmt --check specs/ my-agent.cue`,
	}
	cmd.Flags().BoolVar(&check, "check", false, "print a diff, and change nothing")
	cmd.Flags().BoolVar(&fix, "fix", false, "migrate files to the newest version of the language")
	cmd.RunE = func(cmd *cobra.Command, paths []string) error {
		if len(paths) == 0 {
			paths = []string{engine.UserDir()}
		}
		for _, path := range paths {
			if _, err := os.Stat(path); err != nil {
				return fmt.Errorf("cannot read %s: %w", path, err)
			}
		}
		out := cmd.OutOrStdout()
		changes, diags := engine.Format(cmd.Context(), paths, fix)
		for _, d := range diags {
			fmt.Fprintln(cmd.ErrOrStderr(), d)
		}
		failed := len(diags) > 0
		var broken error
		for _, c := range changes {
			switch {
			case c.Same():
			case check:
				failed = true
				fmt.Fprint(out, c.Diff())
			default:
				if err := c.Replace(); err != nil {
					broken = errors.Join(broken, err)
					continue
				}
				fmt.Fprintln(out, c.Name)
			}
		}
		if broken != nil {
			return fail(broken)
		}
		if failed {
			return exitCode(1)
		}
		return nil
	}
	return cmd
}
