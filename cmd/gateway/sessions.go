package main

import (
	"errors"
	"fmt"
	"io"
	"strconv"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/llm-cli-gateway/gateway/engine/tools"
)

func (a *app) sessions() *cobra.Command {
	cmd := &cobra.Command{
		Use: "sessions <command>", GroupID: "use", Args: cobra.NoArgs,
		Short: "List, create, select and delete sessions",
		Long: `List, create, select and delete sessions: conversations that calls can continue. Calls
that name no session use the active session of their CLI.`,
		Example: `  $ gateway sessions create acme --description "Fix the build"
  $ gateway call acme_request prompt="Why does it fail?"
  $ gateway sessions use acme none`,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(a.sessionsList(), a.sessionsShow(), a.sessionsCreate(), a.sessionsUse(), a.sessionsDelete(), a.sessionsClear())
	return cmd
}

// sessionCommand makes a command that calls a session tool with its arguments.
func sessionCommand[In, Out any](a *app, cmd *cobra.Command, tool *tools.Builtin[In, Out], text printer[Out], input func(words []string) In) *cobra.Command {
	format := cmd.Flags().String("format", "text", "print the result as `FORMAT`: text or json")
	cmd.RunE = func(cmd *cobra.Command, words []string) error {
		return runTool(a, cmd, *format, tool, input(words), text)
	}
	return cmd
}

func (a *app) sessionsList() *cobra.Command {
	cmd := &cobra.Command{Use: "list", Args: cobra.NoArgs, Short: "List sessions, most recently used first"}
	cli := cmd.Flags().String("cli", "", "only sessions of this `CLI`")
	limit := cmd.Flags().Int("limit", 50, "show at most `N` sessions")
	return sessionCommand(a, cmd, tools.SessionListTool, printSessions, func([]string) tools.SessionListInput {
		return tools.SessionListInput{CLI: *cli, Limit: *limit}
	})
}

// printSessions writes a table of sessions.
func printSessions(out, errOut io.Writer, list *tools.SessionListOutput, r tools.Result) error {
	for _, warning := range r.Text[1:] {
		fmt.Fprintln(errOut, warning)
	}
	if len(list.Sessions) == 0 {
		return nil
	}
	w := tabwriter.NewWriter(out, 0, 4, 2, ' ', 0)
	fmt.Fprintln(w, "ID\tCLI\tACTIVE\tTURNS\tLAST USED\tDESCRIPTION")
	for _, s := range list.Sessions {
		active := "-"
		if s.Active {
			active = "yes"
		}
		description := "-"
		if s.Description != "" {
			description = strconv.Quote(s.Description)
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%d\t%s\t%s\n", s.SessionID, s.CLI, active, s.Turns, s.Used.Local().Format(time.DateTime), description)
	}
	return w.Flush()
}

func (a *app) sessionsShow() *cobra.Command {
	cmd := &cobra.Command{Use: "show ID", Args: oneSession, Short: "Show a session"}
	cli := cmd.Flags().String("cli", "", "its `CLI`, if several have a session with that id")
	return sessionCommand(a, cmd, tools.SessionGetTool, printAll, func(words []string) tools.SessionRef {
		return tools.SessionRef{SessionID: words[0], CLI: *cli}
	})
}

func (a *app) sessionsCreate() *cobra.Command {
	cmd := &cobra.Command{
		Use: "create CLI", Args: cliAnd(0, ""),
		Short: "Create a session, whose first call starts the conversation",
	}
	description := cmd.Flags().String("description", "", "`TEXT` that describes the session")
	aside := cmd.Flags().Bool("inactive", false, "do not make it the active session")
	return sessionCommand(a, cmd, tools.SessionCreateTool, printAll, func(words []string) tools.SessionCreateInput {
		return tools.SessionCreateInput{CLI: words[0], Description: *description, SetAsActive: !*aside}
	})
}

func (a *app) sessionsUse() *cobra.Command {
	cmd := &cobra.Command{
		Use: "use CLI ID|none", Args: cliAnd(1, "the session is missing: give its id, or none to have no active session"),
		Short: "Set the active session of a CLI",
	}
	return sessionCommand(a, cmd, tools.SessionUseTool, printAll, func(words []string) tools.SessionUseInput {
		if words[1] == "none" {
			words[1] = ""
		}
		return tools.SessionUseInput{CLI: words[0], SessionID: words[1]}
	})
}

func (a *app) sessionsDelete() *cobra.Command {
	cmd := &cobra.Command{Use: "delete ID", Args: oneSession, Short: "Delete a session; the CLI keeps the conversation"}
	cli := cmd.Flags().String("cli", "", "its `CLI`, if several have a session with that id")
	return sessionCommand(a, cmd, tools.SessionDeleteTool, printAll, func(words []string) tools.SessionRef {
		return tools.SessionRef{SessionID: words[0], CLI: *cli}
	})
}

func (a *app) sessionsClear() *cobra.Command {
	cmd := &cobra.Command{Use: "clear", Args: cobra.NoArgs, Short: "Delete all sessions"}
	cli := cmd.Flags().String("cli", "", "only sessions of this `CLI`")
	return sessionCommand(a, cmd, tools.SessionClearTool, printAll, func([]string) tools.SessionClearInput {
		return tools.SessionClearInput{CLI: *cli}
	})
}

// oneSession wants the id of a session.
func oneSession(_ *cobra.Command, words []string) error {
	if len(words) != 1 {
		return errors.New("give the id of one session; `gateway sessions list` lists the sessions")
	}
	return nil
}

// cliAnd wants the name of a CLI and that many words behind it.
func cliAnd(more int, missing string) cobra.PositionalArgs {
	return func(_ *cobra.Command, words []string) error {
		switch {
		case len(words) == 0:
			return errors.New("the name of a CLI is missing; `gateway models` lists the CLIs")
		case len(words) <= more:
			return errors.New(missing)
		case len(words) > more+1:
			return fmt.Errorf("unexpected argument %q", words[more+1])
		}
		return nil
	}
}
