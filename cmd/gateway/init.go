package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/llm-cli-gateway/gateway/engine"
	"github.com/llm-cli-gateway/gateway/engine/catalog/access"
	"github.com/llm-cli-gateway/gateway/engine/text"
)

func (a *app) init() *cobra.Command {
	var clients []string
	var dryRun bool
	cmd := &cobra.Command{
		Use: "init [DIR]", GroupID: "write", Args: cobra.MaximumNArgs(1),
		Short: "Create a folder for specs, or add the gateway to MCP clients",
		Long: `Create a folder for specs (DIR, or your own): a file to start with, the schema where CUE's
own tools look for it, and a JSON Schema for YAML editors. Existing files are kept, except
unmodified files of an earlier init, which are updated. Then list the known MCP clients
and whether they are installed on this machine.

With --client, add the gateway to the settings of that client instead. The rest of the
file is preserved, comments included, and a backup is kept next to it. --dry-run shows
the change without making it.`,
		Example: `  $ gateway init
  $ gateway init --client acme --dry-run
  $ gateway init ./specs                             # the folder of a repository`,
	}
	cmd.Flags().StringArrayVar(&clients, "client", nil, "add the gateway to the settings of the MCP client `NAME`; can be repeated")
	cmd.Flags().BoolVar(&dryRun, "dry-run", false, "show what would change, and change nothing")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if len(clients) > 0 && len(args) > 0 {
			return errors.New("--client and DIR cannot be combined")
		}
		out := cmd.OutOrStdout()
		if len(clients) == 0 {
			if err := initFolder(cmd.InOrStdin(), out, args, dryRun); err != nil {
				return fail(err)
			}
		}
		me := program()
		loaded := engine.Load(cmd.Context(), a.specs, os.Environ(), false)
		if loaded.Catalog == nil {
			for _, d := range loaded.Diagnostics {
				fmt.Fprintln(cmd.ErrOrStderr(), d)
			}
			return fail(errors.New("the specs are invalid, so no MCP clients are known; run `gateway vet` for details"))
		}
		known, err := engine.Clients(loaded.Catalog, os.Environ(), me.path)
		if err != nil {
			return fail(err)
		}
		if len(clients) == 0 {
			return listClients(out, known)
		}
		if me.build != "" {
			fmt.Fprintf(cmd.ErrOrStderr(), "%s does not exist yet; build it with: %s\n", me.path, me.build)
		}
		return initClients(out, clients, known, me.path, dryRun)
	}
	return cmd
}

// initFolder makes what a folder of specs lacks.
func initFolder(in io.Reader, out io.Writer, args []string, dryRun bool) error {
	dir, access := engine.UserDir(), ""
	if len(args) > 0 {
		var err error
		if dir, err = filepath.Abs(args[0]); err != nil {
			return err
		}
	} else if _, err := os.Stat(filepath.Join(dir, engine.AccessFile)); errors.Is(err, fs.ErrNotExist) {
		if access, err = askAccess(in, out, dryRun); err != nil {
			return err
		}
	}
	steps, err := engine.InitFolder(dir, access)
	if err != nil {
		return err
	}
	fmt.Fprintln(out, dir)
	for _, s := range steps {
		name, err := filepath.Rel(dir, s.Name)
		if err != nil {
			return err
		}
		what, done := "created", "would be created"
		switch {
		case s.Kept:
			fmt.Fprintf(out, "  kept     %s: it was modified; the update would be:\n%s", name, indented(s.Diff()))
			continue
		case s.Same():
			fmt.Fprintf(out, "  exists   %s\n", name)
			continue
		case s.Exists:
			what, done = "updated", "would be updated"
		}
		if dryRun {
			fmt.Fprintf(out, "  %s: %s\n", done, name)
			continue
		}
		if err := s.Write(); err != nil {
			return err
		}
		fmt.Fprintf(out, "  %-8s %s\n", what, name)
	}
	return nil
}

// askAccess asks once what calls may do that do not say. Without a terminal that is reading.
func askAccess(in io.Reader, out io.Writer, dryRun bool) (string, error) {
	const least = "read"
	file, ok := in.(*os.File)
	if !ok || dryRun || !terminal(file) || !terminal(out) {
		fmt.Fprintf(out, "Calls that do not say what they may do change nothing (%s); set gateway.access.default for more.\n", least)
		return least, nil
	}
	lines := bufio.NewScanner(in)
	for {
		fmt.Fprint(out, "What may calls do that do not say? read: change nothing; edit: write in the working directory;\nfull: anything; own: what the agent's settings say. [read] ")
		if !lines.Scan() {
			return least, lines.Err()
		}
		switch answer := strings.TrimSpace(lines.Text()); {
		case answer == "":
			return least, nil
		case slices.Contains(access.Names, answer):
			return answer, nil
		}
	}
}

func indented(text string) string {
	var b strings.Builder
	for line := range strings.Lines(text) {
		b.WriteString("    " + line)
	}
	return b.String()
}

// listClients prints all clients.
func listClients(out io.Writer, known []engine.Client) error {
	p := newPage(out)
	p.print("\nMCP clients (`gateway init --client NAME` adds the gateway; --dry-run shows the change)\n")
	rows := [][]string{}
	for _, c := range known {
		state := "not found"
		switch {
		case c.Configured != "":
			state = "configured in " + c.Configured
		case c.Found:
			state = "found"
		}
		rows = append(rows, []string{c.Name, c.Title, state})
	}
	p.table(rows)
	return p.err
}

// initClients writes the gateway into settings of clients.
func initClients(out io.Writer, names []string, known []engine.Client, program string, dryRun bool) error {
	var failed error
	for _, name := range names {
		i := slices.IndexFunc(known, func(c engine.Client) bool { return c.Name == name })
		if i < 0 {
			all := []string{}
			for _, c := range known {
				all = append(all, c.Name)
			}
			hint := "known clients: " + strings.Join(all, ", ")
			if near := text.Nearest(name, all); near != "" {
				hint = fmt.Sprintf("did you mean %q?", near)
			}
			return fmt.Errorf("no MCP client is called %q (%s)", name, hint)
		}
	}
	for _, c := range known {
		if slices.Contains(names, c.Name) {
			if err := initClient(out, c, program, dryRun); err != nil {
				failed = errors.Join(failed, err)
			}
		}
	}
	if failed != nil {
		return fail(failed)
	}
	return nil
}

func initClient(out io.Writer, c engine.Client, program string, dryRun bool) error {
	if c.File == "" {
		fmt.Fprintf(out, "%s: its spec does not describe its settings; add the gateway with:\n%s", c.Title, indented(c.Line(program)+"\n"))
		return nil
	}
	change, err := c.Settings(program)
	if err != nil {
		return fmt.Errorf("%s: %w", c.Name, err)
	}
	if change.Same() {
		fmt.Fprintf(out, "%s: already configured in %s\n", c.Title, c.File)
		return nil
	}
	if dryRun {
		fmt.Fprint(out, change.Diff())
		return nil
	}
	backup, err := change.Write()
	switch {
	case err != nil:
		return fmt.Errorf("%s: %w", c.Name, err)
	case backup != "":
		fmt.Fprintf(out, "%s: added the gateway to %s; the backup is %s\n", c.Title, c.File, backup)
	default:
		fmt.Fprintf(out, "%s: created %s with the gateway\n", c.Title, c.File)
	}
	if c.Note != "" {
		fmt.Fprintln(out, c.Note)
	}
	return nil
}
