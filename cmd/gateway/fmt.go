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
		Short: "Bring specs into canonical form",
		Long: `Bring spec files into canonical form: files or folders, your folder if none is named.
CUE has a form of its own, that of its formatter; YAML has none that would keep comments
in their places, and stays as it is. What a file says is the same afterwards. The names
of files that change are printed.

With --fix a file is also brought to the newest version of the language, which it then
names: keys that have been renamed get their new names, and nothing else changes. With --check nothing is changed: what would is shown as a diff.

Exit codes: 0 done, or with --check nothing to do; 1 a file cannot be read, or with
--check would change; 2 not understood.`,
		Example: `  $ gateway fmt
  $ gateway fmt --check specs/ my-agent.cue`,
	}
	cmd.Flags().BoolVar(&check, "check", false, "show what would change, and change nothing")
	cmd.Flags().BoolVar(&fix, "fix", false, "bring files to the newest version of the language")
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
		changes, diags := engine.Format(paths, fix)
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
