package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/llm-cli-gateway/gateway/engine"
	"github.com/llm-cli-gateway/gateway/engine/text"
)

func (a *app) init() *cobra.Command {
	var clients []string
	var dryRun bool
	cmd := &cobra.Command{
		Use: "init [DIR]", GroupID: "write", Args: cobra.MaximumNArgs(1),
		Short: "Set up a folder for your specs, and MCP clients",
		Long: `Set up a folder for specs, yours if none is named: a file to begin with, the schema
where CUE's own tools look for it, and a JSON Schema for editors of YAML. What is there
already stays as it is, unless it was made here and nobody has changed it since. Then
the MCP clients are listed that are known, with whether they are found on this machine.

With --client the gateway is written into the settings of that client instead. All else
in that file stays, comments as well; the old file is kept beside it. --dry-run shows
what would change and changes nothing.`,
		Example: `  $ gateway init
  $ gateway init --client acme --dry-run
  $ gateway init ./specs                             # of a repository`,
	}
	cmd.Flags().StringArrayVar(&clients, "client", nil, "write the gateway into the settings of the MCP client `NAME`; can be repeated")
	cmd.Flags().BoolVar(&dryRun, "dry-run", false, "show what would change, and change nothing")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if len(clients) > 0 && len(args) > 0 {
			return errors.New("--client and DIR do not go together")
		}
		out := cmd.OutOrStdout()
		if len(clients) == 0 {
			if err := initFolder(out, args, dryRun); err != nil {
				return fail(err)
			}
		}
		me := program()
		loaded := engine.Load(a.specs, os.Environ(), false)
		if loaded.Catalog == nil {
			for _, d := range loaded.Diagnostics {
				fmt.Fprintln(cmd.ErrOrStderr(), d)
			}
			return fail(errors.New("the specs cannot be used, so that no MCP clients are known; `gateway vet` checks them"))
		}
		known, err := engine.Clients(loaded.Catalog, os.Environ(), me.path)
		if err != nil {
			return fail(err)
		}
		if len(clients) == 0 {
			return listClients(out, known)
		}
		if me.build != "" {
			fmt.Fprintf(cmd.ErrOrStderr(), "%s is not there yet; make it with: %s\n", me.path, me.build)
		}
		return initClients(out, clients, known, me.path, dryRun)
	}
	return cmd
}

// initFolder makes what a folder of specs lacks.
func initFolder(out io.Writer, args []string, dryRun bool) error {
	dir := engine.UserDir()
	if len(args) > 0 {
		var err error
		if dir, err = filepath.Abs(args[0]); err != nil {
			return err
		}
	}
	steps, err := engine.InitFolder(dir)
	if err != nil {
		return err
	}
	fmt.Fprintln(out, dir)
	for _, s := range steps {
		name, err := filepath.Rel(dir, s.Name)
		if err != nil {
			return err
		}
		what, done := "made", "would be made"
		switch {
		case s.Kept:
			fmt.Fprintf(out, "  kept     %s: it is not as it was made; it would be changed so:\n%s", name, indented(s.Diff()))
			continue
		case s.Same():
			fmt.Fprintf(out, "  is there %s\n", name)
			continue
		case s.Exists:
			what, done = "updated", "would be updated"
		}
		if dryRun {
			fmt.Fprintf(out, "  %s: %s\n", done, name)
			continue
		}
		if err := s.Make(); err != nil {
			return err
		}
		fmt.Fprintf(out, "  %-8s %s\n", what, name)
	}
	return nil
}

func indented(text string) string {
	var b strings.Builder
	for line := range strings.Lines(text) {
		b.WriteString("    " + line)
	}
	return b.String()
}

// listClients tells of all clients.
func listClients(out io.Writer, known []engine.Client) error {
	p := newPage(out)
	p.print("\nMCP clients (`gateway init --client NAME` adds the gateway, with --dry-run shows how)\n")
	rows := [][]string{}
	for _, c := range known {
		state := "not found"
		switch {
		case c.Configured != "":
			state = "has a gateway in " + c.Configured
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
			hint := "there are " + strings.Join(all, ", ")
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
		fmt.Fprintf(out, "%s: its spec does not say what to write; add the gateway with:\n%s", c.Title, indented(c.Line(program)+"\n"))
		return nil
	}
	change, err := c.Settings(program)
	if err != nil {
		return fmt.Errorf("%s: %w", c.Name, err)
	}
	if change.Same() {
		fmt.Fprintf(out, "%s: the gateway is there already: %s\n", c.Title, c.File)
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
		fmt.Fprintf(out, "%s: the gateway is in %s now; the old file is %s\n", c.Title, c.File, backup)
	default:
		fmt.Fprintf(out, "%s: the gateway is in %s now, which is a new file\n", c.Title, c.File)
	}
	if c.Note != "" {
		fmt.Fprintln(out, c.Note)
	}
	return nil
}
