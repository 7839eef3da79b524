package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/llm-cli-gateway/gateway/engine/call"
	"github.com/llm-cli-gateway/gateway/engine/tools"
)

func (a *app) upgrade() *cobra.Command {
	var target, format string
	var yes, force bool
	var timeout time.Duration
	cmd := &cobra.Command{
		Use: "upgrade CLI", GroupID: "use",
		Short: "Plan or run the upgrade of a CLI",
		Long: `Show what would bring a CLI to another version, and with --yes run it. The command
comes from the spec of the CLI and follows from where the CLI is installed.

Exit codes: 0 planned or done, 1 it cannot be done or failed, 2 not understood.`,
		Example: `  $ gateway upgrade acme
  $ gateway upgrade acme --target 1.2.3 --yes`,
		Args: func(_ *cobra.Command, words []string) error {
			if len(words) != 1 {
				return errors.New("which CLI? `gateway call " + tools.CLIVersions + "` lists them")
			}
			return nil
		},
	}
	cmd.Flags().StringVar(&target, "target", "latest", "bring it to this `VERSION` or tag")
	cmd.Flags().BoolVar(&yes, "yes", false, "run it, do not only show it")
	cmd.Flags().BoolVar(&force, "force", false, "run it even while jobs of the CLI run")
	cmd.Flags().DurationVar(&timeout, "timeout", 10*time.Minute, "end it after this `TIME`")
	cmd.Flags().StringVar(&format, "format", "text", "print the plan or the result as `FORMAT`: text or json")
	cmd.RunE = func(cmd *cobra.Command, words []string) error {
		if format != "text" && format != "json" {
			return fmt.Errorf("--format must be text or json, not %q", format)
		}
		e, err := a.open(cmd)
		if err != nil {
			return err
		}
		defer e.Close()
		args, err := json.Marshal(map[string]any{"cli": words[0], "target": target, "dryRun": !yes, "timeoutMs": timeout.Milliseconds(), "force": force})
		if err != nil {
			return err
		}
		r := e.Tools.Call(cmd.Context(), call.Request{Tool: tools.CLIUpgrade, Args: args, Client: call.Client{Name: "gateway upgrade", Version: release()}})
		switch {
		case format == "json":
			if err := printJSON(cmd.OutOrStdout(), r); err != nil {
				return fail(err)
			}
		case r.IsError:
			return fail(errors.New(r.Text[0]))
		case !yes:
			fmt.Fprintf(cmd.OutOrStdout(), "%s\nNothing was run; --yes runs it.\n", r.Text[0])
		default:
			fmt.Fprintln(cmd.OutOrStdout(), strings.Join(r.Text, "\n"))
		}
		if r.IsError {
			return exitCode(1)
		}
		return nil
	}
	return cmd
}
