package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/llm-cli-gateway/gateway/engine/tools"
)

func (a *app) models() *cobra.Command {
	var format string
	cmd := &cobra.Command{
		Use: "models [CLI]", GroupID: "use",
		Short: "List models, aliases and defaults",
		Long: `List the models of each CLI, or of one: those that specs, environment variables and the
CLI's own settings name, and those of earlier calls. Any other name can be passed as
well.`,
		Example: `  $ gateway models
  $ gateway models acme --format json`,
		Args: func(_ *cobra.Command, words []string) error {
			if len(words) > 1 {
				return fmt.Errorf("at most one CLI can be given, not %d", len(words))
			}
			return nil
		},
		ValidArgsFunction: a.completeCLI,
	}
	cmd.Flags().StringVar(&format, "format", "text", "print the list as `FORMAT`: text or json")
	cmd.RunE = func(cmd *cobra.Command, words []string) error {
		var in tools.ListModelsInput
		if len(words) == 1 {
			in.CLI = words[0]
		}
		return runTool(a, cmd, format, tools.ListModelsTool, in, printAll)
	}
	return cmd
}

// completeCLI offers the names of CLIs.
func (a *app) completeCLI(cmd *cobra.Command, words []string, _ string) (names []string, _ cobra.ShellCompDirective) {
	e, err := a.open(cmd)
	if err != nil {
		return nil, cobra.ShellCompDirectiveError
	}
	defer e.Close()
	if len(words) == 0 {
		for _, cli := range e.Catalog().CLIs {
			names = append(names, cli.Name+"\t"+cli.DisplayName())
		}
	}
	return names, cobra.ShellCompDirectiveNoFileComp
}
