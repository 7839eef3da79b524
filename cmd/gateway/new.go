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
		Short: "Begin a spec for another agent",
		Long: `Begin a spec: NAME.cue in your folder, with comments that say what to complete. With
--from-help the program is asked for its options (--help, and nothing else), and each
becomes a parameter as far as its help tells; options that look as if the agent would
stop asking are marked as dangerous. What is written passes 'gateway vet'. A file that
is there already is never written over.`,
		Example: `  $ gateway new juno --from-help
  $ gateway new juno --from-help --command run --dry-run`,
	}
	cmd.Flags().BoolVar(&n.Ask, "from-help", false, "draft it from what the program tells of its options")
	cmd.Flags().StringVar(&n.Bin, "bin", "", "the `PROGRAM`: its name, or its absolute path (default: NAME)")
	cmd.Flags().StringArrayVar(&n.Command, "command", nil, "the subcommand `WORD` that answers a prompt; can be repeated")
	cmd.Flags().BoolVar(&n.YAML, "yaml", false, "write YAML, and not CUE")
	cmd.Flags().StringVar(&n.Dir, "dir", "", "write into the folder `DIR` (default: yours)")
	cmd.Flags().BoolVar(&dryRun, "dry-run", false, "print the spec, and write nothing")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if n.Name = args[0]; !isName(n.Name) {
			return fmt.Errorf("%q is no name for an agent: at most 25 small letters, digits and _, beginning with a letter", n.Name)
		}
		if n.Dir == "" {
			n.Dir = engine.UserDir()
		}
		n.Environ = os.Environ()
		loaded := engine.Load(a.specs, n.Environ, false)
		for _, d := range loaded.Diagnostics {
			fmt.Fprintln(cmd.ErrOrStderr(), d)
		}
		if n.Catalog = loaded.Catalog; n.Catalog == nil {
			return fail(errors.New("the specs cannot be used; `gateway vet` checks them"))
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
