package main

import (
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"github.com/llm-cli-gateway/gateway/engine"
)

func (a *app) trust() *cobra.Command {
	var remove bool
	cmd := &cobra.Command{
		Use: "trust [DIR]", GroupID: "use", Args: cobra.MaximumNArgs(1),
		Short: "Trust a directory, or list those that are trusted",
		Long: `Trust a directory and all that is below it: the settings, hooks, servers and plugins
that it holds for an agent then count when the agent is called there. They can run
commands by themselves, so trust only what you have read. Without DIR the command lists
the directories that are trusted.`,
		Example: `  $ gateway trust .
  $ gateway trust --remove .`,
	}
	cmd.Flags().BoolVar(&remove, "remove", false, "do not trust DIR any more")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if len(args) == 0 {
			if remove {
				return errors.New("--remove needs a DIR")
			}
			dirs, err := engine.TrustedDirs()
			if err != nil {
				return fail(err)
			}
			for _, dir := range dirs {
				fmt.Fprintln(cmd.OutOrStdout(), dir)
			}
			return nil
		}
		if loaded := engine.Load(cmd.Context(), a.specs, os.Environ(), false); !remove && loaded.Catalog != nil && engine.LocksTrust(loaded.Catalog) {
			return fail(errors.New("the site alone says which directories are trusted (gateway.locked): ask who administers this machine"))
		}
		dir, err := engine.TrustDir(args[0], !remove)
		if err != nil {
			return fail(err)
		}
		verb := "trusted, with all that is below it"
		if remove {
			verb = "not trusted any more"
		}
		fmt.Fprintf(cmd.OutOrStdout(), "%s is %s.\n", dir, verb)
		return nil
	}
	return cmd
}
