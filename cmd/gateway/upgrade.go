package main

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/llm-cli-gateway/gateway/engine/tools"
)

func (a *app) upgrade() *cobra.Command {
	var target, format string
	var yes, force bool
	var timeout time.Duration
	cmd := &cobra.Command{
		Use: "upgrade CLI", GroupID: "use",
		Short: "Plan or run the upgrade of a CLI",
		Long: `Show the command that upgrades a CLI, and with --yes run it. The command comes from the
spec of the CLI and depends on where the CLI is installed.

Exit codes: 0 planned or done, 1 impossible or failed, 2 invalid command line.`,
		Example: `  $ gateway upgrade acme
  $ gateway upgrade acme --target 1.2.3 --yes`,
		Args: func(_ *cobra.Command, words []string) error {
			if len(words) != 1 {
				return errors.New("give the name of one CLI; `gateway call " + tools.CLIVersions + "` lists the CLIs")
			}
			return nil
		},
	}
	cmd.Flags().StringVar(&target, "target", "latest", "upgrade to this `VERSION` or tag")
	cmd.Flags().BoolVar(&yes, "yes", false, "run the upgrade, do not only show it")
	cmd.Flags().BoolVar(&force, "force", false, "run the upgrade even while jobs of the CLI run")
	cmd.Flags().DurationVar(&timeout, "timeout", 10*time.Minute, "end the upgrade after this `TIME`")
	cmd.Flags().StringVar(&format, "format", "text", "print the plan or the result as `FORMAT`: text or json")
	cmd.RunE = func(cmd *cobra.Command, words []string) error {
		if err := checkFormat(format); err != nil {
			return err
		}
		e, err := a.open(cmd)
		if err != nil {
			return err
		}
		defer e.Close()
		in := tools.CLIUpgradeInput{CLI: words[0], Target: target, DryRun: !yes, TimeoutMs: int(timeout.Milliseconds()), Force: force}
		plan, r := tools.CLIUpgradeTool.Call(cmd.Context(), e.Tools, callerOf(cmd), in)
		switch {
		case format == "json":
			if err := printJSON(cmd.OutOrStdout(), r); err != nil {
				return fail(err)
			}
		case r.IsError:
			return fail(errors.New(r.Text[0]))
		case !yes:
			fmt.Fprintf(cmd.OutOrStdout(), "%s\nNothing was run; use --yes to run it.\n", r.Text[0])
		default:
			fmt.Fprintln(cmd.OutOrStdout(), strings.Join(r.Text, "\n"))
		}
		if r.IsError || plan != nil && plan.Problem != "" {
			return exitCode(1)
		}
		return nil
	}
	return cmd
}
