package main

import (
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/llm-cli-gateway/gateway/engine/tools"
)

func (a *app) breaker() *cobra.Command {
	cmd := &cobra.Command{
		Use: "breaker [command]", GroupID: "use", Args: cobra.NoArgs,
		Short: "List breakers, and let calls through again",
		Long: `List the breakers that count failures or let no calls through. After several failures
in a row that may pass, no calls are made to a CLI or a model for a while; then one call is
a trial.`,
		Example: `  $ gateway breaker
  $ gateway breaker reset acme`,
	}
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		e, err := a.open(cmd)
		if err != nil {
			return err
		}
		defer e.Close()
		list, err := e.Tools.Breakers(cmd.Context())
		if err != nil {
			return fail(err)
		}
		for _, b := range list {
			if b.Failures > 0 {
				fmt.Fprintf(cmd.OutOrStdout(), "%s.\n", tools.BreakerText(b, time.Now()))
			}
		}
		return nil
	}
	cmd.AddCommand(a.breakerReset())
	return cmd
}

func (a *app) breakerReset() *cobra.Command {
	return &cobra.Command{
		Use: "reset CLI", Args: cobra.ExactArgs(1),
		Short: "Let calls of a CLI, or of CLI/MODEL, through at once",
		RunE: func(cmd *cobra.Command, args []string) error {
			e, err := a.open(cmd)
			if err != nil {
				return err
			}
			defer e.Close()
			closed, err := e.Tools.ResetBreaker(cmd.Context(), args[0])
			if err != nil {
				return fail(err)
			}
			if len(closed) == 0 {
				fmt.Fprintf(cmd.OutOrStdout(), "No breaker of %s counts a failure.\n", args[0])
			}
			for _, b := range closed {
				fmt.Fprintf(cmd.OutOrStdout(), "Calls of %s go through again, after %d failures.\n", b.Key, b.Failures)
			}
			return nil
		},
	}
}
