package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/llm-cli-gateway/gateway/engine"
)

func (a *app) lock() *cobra.Command {
	return &cobra.Command{
		Use: "lock [DIR...]", GroupID: "write",
		Short: "Keep the hashes of specs",
		Long: `Write the SHA-256 of every spec file of a folder into its specs.lock: of your folder and
of those of --specs, if none is named. From then on whoever reads the folder is warned of
a file that was changed, added or taken away since; 'gateway vet' makes an error of it
with --locked, or where the variable CI is set.`,
		Example: `  $ gateway lock
  $ gateway lock ./specs && git add ./specs/specs.lock`,
		RunE: func(cmd *cobra.Command, paths []string) error {
			dirs := engine.Lockable(append([]string{}, paths...), a.specs)
			if len(dirs) < len(paths) || len(dirs) == 0 {
				return errors.New("a lock belongs to a folder of specs; there is none of that name")
			}
			for _, dir := range dirs {
				change, files, err := engine.Lock(dir)
				if err == nil {
					err = change.Replace()
				}
				if err != nil {
					return fail(err)
				}
				fmt.Fprintf(cmd.OutOrStdout(), "%s: %d files\n", change.Name, files)
			}
			return nil
		},
	}
}
