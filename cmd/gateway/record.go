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
		Short: "Turn a recorded call into an example for its spec",
		Long: `Turn a recorded call into an example, in CUE, to be pasted into the list of examples of
its spec: the arguments, the command line and input that they gave, and of what the
agent printed as little as gives the same answer. Values of secrets are left out, and
what looks like a key or a token. What to know of it is said on standard error.

Exit codes: 0 done, 1 there is no such job or it has not ended, 2 not understood.`,
		Example: `  $ gateway jobs list --cli acme
  $ gateway record 01m7yxwwn9b7n2y9ydtm5g01xf --as-example`,
	}
	cmd.Flags().BoolVar(&example, "as-example", false, "print it as an element of cli.NAME.examples")
	cmd.RunE = func(cmd *cobra.Command, words []string) error {
		if !example {
			return errors.New("as what? --as-example prints it as an example for a spec; `gateway jobs result` shows the answer")
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
