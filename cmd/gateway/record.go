package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"
)

func (a *app) record() *cobra.Command {
	var example bool
	cmd := &cobra.Command{
		Use: "record JOB --as-example", GroupID: "write", Args: oneJob,
		Short: "Print a recorded call as an example for its spec",
		Long: `Print a recorded call as an example in CUE, to be pasted into the list of examples of its
spec: the arguments, the command line and input that they produced, and the smallest part
of the agent's output that gives the same answer. Secrets, and whatever looks like a key
or a token, are removed. Notes about the example are printed to standard error.

Exit codes: 0 success, 1 no such job or it has not finished, 2 invalid command line.`,
		Example: `  $ gateway jobs list --cli acme
  $ gateway record 01m7yxwwn9b7n2y9ydtm5g01xf --as-example`,
	}
	cmd.Flags().BoolVar(&example, "as-example", false, "print the call as an element of cli.NAME.examples")
	cmd.RunE = func(cmd *cobra.Command, words []string) error {
		if !example {
			return errors.New("--as-example is missing; to read the answer of a job, use `gateway jobs result`")
		}
		e, err := a.open(cmd)
		if err != nil {
			return err
		}
		defer e.Close()
		text, notes, err := e.Example(cmd.Context(), words[0])
		if err != nil {
			return fail(err)
		}
		for _, note := range notes {
			fmt.Fprintf(cmd.ErrOrStderr(), "note: %s\n", note)
		}
		fmt.Fprint(cmd.OutOrStdout(), text)
		return nil
	}
	return cmd
}
