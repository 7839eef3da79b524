package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/llm-cli-gateway/gateway/engine"
)

func (a *app) docs() *cobra.Command {
	var check bool
	cmd := &cobra.Command{
		Use: "docs [DIR]", GroupID: "write", Args: cobra.MaximumNArgs(1),
		Short: "Write the reference of all agents and tools",
		Long: `Write the reference of what the specs describe, as Markdown: what each agent can do, its
parameters, models, failures and risks, the tools of the gateway itself, policies and MCP
clients. It is printed, or written to DIR/README.md, unless somebody else wrote that file.

With --check nothing is written: the exit code is 1 if the file is not what the specs
say, and the difference is shown.`,
		Example: `  $ gateway docs | less
  $ gateway docs --specs ./specs docs/agents`,
	}
	cmd.Flags().BoolVar(&check, "check", false, "show how the file differs from what the specs say, and write nothing")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		e, err := a.open(cmd)
		if err != nil {
			return err
		}
		defer e.Close()
		out := cmd.OutOrStdout()
		if len(args) == 0 {
			_, err := fmt.Fprint(out, engine.Docs(e.Catalog()))
			return err
		}
		change, err := engine.DocsFile(args[0], e.Catalog())
		switch {
		case err != nil:
			return fail(err)
		case change.Same():
			return nil
		case check:
			fmt.Fprint(out, change.Diff())
			return exitCode(1)
		}
		if err := change.Replace(); err != nil {
			return fail(err)
		}
		fmt.Fprintln(out, change.Name)
		return nil
	}
	return cmd
}
