package main

import (
	"encoding/json"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/llm-cli-gateway/gateway/engine/call"
	"github.com/llm-cli-gateway/gateway/engine/tools"
)

func (a *app) models() *cobra.Command {
	var format string
	cmd := &cobra.Command{
		Use: "models [CLI]", GroupID: "use",
		Short: "List models, aliases and defaults",
		Long: `List the models of each CLI, or of one: those that specs tell of, those that environment
variables and the CLI's own settings name, and those that were used. Any other name
can be passed as well.`,
		Example: `  $ gateway models
  $ gateway models acme --format json`,
		Args: func(_ *cobra.Command, words []string) error {
			if len(words) > 1 {
				return fmt.Errorf("one CLI or none, not %d", len(words))
			}
			return nil
		},
		ValidArgsFunction: a.completeCLI,
	}
	cmd.Flags().StringVar(&format, "format", "text", "print the list as `FORMAT`: text or json")
	cmd.RunE = func(cmd *cobra.Command, words []string) error {
		if format != "text" && format != "json" {
			return fmt.Errorf("--format must be text or json, not %q", format)
		}
		e, err := a.open(cmd)
		if err != nil {
			return err
		}
		defer e.Close()
		args := map[string]string{}
		if len(words) == 1 {
			args["cli"] = words[0]
		}
		raw, err := json.Marshal(args)
		if err != nil {
			return err
		}
		r := e.Tools.Call(cmd.Context(), call.Request{Tool: tools.ListModels, Args: raw, Client: call.Client{Name: "gateway models", Version: release()}})
		switch {
		case r.IsError:
			return fail(errors.New(r.Text[0]))
		case format == "json":
			err = printJSON(cmd.OutOrStdout(), r)
		default:
			err = printAll(cmd.OutOrStdout(), cmd.ErrOrStderr(), r)
		}
		if err != nil {
			return fail(err)
		}
		return nil
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
			names = append(names, cli.Name+"\t"+cli.Heading())
		}
	}
	return names, cobra.ShellCompDirectiveNoFileComp
}
