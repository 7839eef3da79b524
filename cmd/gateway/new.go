package main

import (
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"github.com/llm-cli-gateway/gateway/engine"
)

// isName reports whether a CLI may be called so.
func isName(name string) bool {
	for i, c := range name {
		if (c < 'a' || c > 'z') && (i == 0 || c != '_' && (c < '0' || c > '9')) {
			return false
		}
	}
	return name != "" && len(name) <= 25
}

func (a *app) new() *cobra.Command {
	var n engine.NewSpec
	var dryRun bool
	cmd := &cobra.Command{
		Use: "new NAME", GroupID: "write", Args: cobra.ExactArgs(1),
		Short: "Create a spec for another agent",
		Long: `Create a spec, NAME.cue in your folder, with comments that say what to complete. With
--from-help, the program is run with --help (and nothing else), and each option in its
help text becomes a parameter; options that seem to stop the agent from asking are marked
as dangerous. The new spec passes 'gateway vet'. An existing file is never overwritten.`,
		Example: `  $ gateway new juno --from-help
  $ gateway new juno --from-help --command run --dry-run`,
	}
	cmd.Flags().BoolVar(&n.Ask, "from-help", false, "create parameters from the help text of the program")
	cmd.Flags().StringVar(&n.Bin, "bin", "", "name or absolute path of the `PROGRAM` (default: NAME)")
	cmd.Flags().StringArrayVar(&n.Command, "command", nil, "subcommand `WORD` that answers a prompt; can be repeated")
	cmd.Flags().BoolVar(&n.YAML, "yaml", false, "write YAML instead of CUE")
	cmd.Flags().StringVar(&n.Dir, "dir", "", "write to the folder `DIR` (default: your folder)")
	cmd.Flags().BoolVar(&dryRun, "dry-run", false, "print the spec, and write nothing")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if n.Name = args[0]; !isName(n.Name) {
			return fmt.Errorf("%q is not a valid name for an agent: use at most 25 lower-case letters, digits and _, starting with a letter", n.Name)
		}
		if n.Dir == "" {
			n.Dir = engine.UserDir()
		}
		n.Environ = os.Environ()
		loaded := engine.Load(cmd.Context(), a.specs, n.Environ, false)
		for _, d := range loaded.Diagnostics {
			fmt.Fprintln(cmd.ErrOrStderr(), d)
		}
		if n.Catalog = loaded.Catalog; n.Catalog == nil {
			return fail(errors.New("the specs are invalid; run `gateway vet` for details"))
		}
		change, err := engine.New(cmd.Context(), n)
		if err != nil {
			return fail(err)
		}
		out := cmd.OutOrStdout()
		if dryRun {
			_, err := out.Write(change.New)
			return err
		}
		if err := change.Replace(); err != nil {
			return fail(err)
		}
		fmt.Fprintln(out, change.Name)
		return nil
	}
	return cmd
}
