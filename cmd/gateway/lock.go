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
		Short: "Write the hashes of spec files to specs.lock",
		Long: `Write the SHA-256 of every spec file of a folder to its specs.lock. Without DIR, do this for
your folder and those of --specs. From then on everyone who reads the folder is warned about
files that were changed, added or removed. 'gateway vet' turns the warning into an error
with --locked, or if the variable CI is set.`,
		Example: `  $ gateway lock
  $ gateway lock ./specs && git add ./specs/specs.lock`,
		RunE: func(cmd *cobra.Command, paths []string) error {
			dirs := engine.Lockable(append([]string{}, paths...), a.specs)
			if len(dirs) < len(paths) || len(dirs) == 0 {
				return errors.New("there is no such folder of specs")
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
