package main

import (
	"encoding/json"
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
		Short: "List, create, choose and delete sessions",
		Long: `List, create, choose and delete sessions: conversations that calls can go on with. The
active session of a CLI is used by calls that name none.`,
		Example: `  $ gateway sessions create acme --description "Mend the build"
  $ gateway call acme_request prompt="Why does it fail?"
  $ gateway sessions use acme none`,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(a.sessionsList(), a.sessionsShow(), a.sessionsCreate(), a.sessionsUse(), a.sessionsDelete(), a.sessionsClear())
	return cmd
}

// session is a command that calls a tool about sessions with what its words say.
func (a *app) session(cmd *cobra.Command, tool string, text func(out, errOut io.Writer, r tools.Result) error, args func(words []string) map[string]any) *cobra.Command {
	format := cmd.Flags().String("format", "text", "print the result as `FORMAT`: text or json")
	cmd.RunE = func(cmd *cobra.Command, words []string) error {
		_, err := a.jobTool(cmd, *format, tool, args(words), text)
		return err
	}
	return cmd
}

// given are the arguments that are not empty.
func given(pairs ...string) map[string]any {
	args := map[string]any{}
	for i := 0; i < len(pairs); i += 2 {
		if pairs[i+1] != "" {
			args[pairs[i]] = pairs[i+1]
		}
	}
	return args
}

func (a *app) sessionsList() *cobra.Command {
	cmd := &cobra.Command{Use: "list", Args: cobra.NoArgs, Short: "List sessions, the last used first"}
	cli := cmd.Flags().String("cli", "", "only sessions of this `CLI`")
	limit := cmd.Flags().Int("limit", 50, "at most `N` sessions")
	return a.session(cmd, tools.SessionList, printSessions, func([]string) map[string]any {
		args := given("cli", *cli)
		args["limit"] = *limit
		return args
	})
}

// printSessions writes a table of sessions.
func printSessions(out, errOut io.Writer, r tools.Result) error {
	var list struct {
		Sessions []struct {
			SessionID, CLI, Description string
			Active                      bool
			Turns                       int64
			LastUsed                    time.Time
		}
	}
	if err := json.Unmarshal(r.Structured, &list); err != nil {
		return err
	}
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
		fmt.Fprintf(w, "%s\t%s\t%s\t%d\t%s\t%s\n", s.SessionID, s.CLI, active, s.Turns, s.LastUsed.Local().Format(time.DateTime), description)
	}
	return w.Flush()
}

func (a *app) sessionsShow() *cobra.Command {
	cmd := &cobra.Command{Use: "show ID", Args: oneSession, Short: "Show a session"}
	cli := cmd.Flags().String("cli", "", "its `CLI`, where two have that id")
	return a.session(cmd, tools.SessionGet, printAll, func(words []string) map[string]any { return given("sessionId", words[0], "cli", *cli) })
}

func (a *app) sessionsCreate() *cobra.Command {
	cmd := &cobra.Command{
		Use: "create CLI", Args: cliAnd(0, ""),
		Short: "Create a session; its first call begins the conversation",
	}
	description := cmd.Flags().String("description", "", "`TEXT` by which you know it again")
	aside := cmd.Flags().Bool("inactive", false, "leave the active session as it is")
	return a.session(cmd, tools.SessionCreate, printAll, func(words []string) map[string]any {
		args := given("cli", words[0], "description", *description)
		args["setAsActive"] = !*aside
		return args
	})
}

func (a *app) sessionsUse() *cobra.Command {
	cmd := &cobra.Command{
		Use: "use CLI ID|none", Args: cliAnd(1, "which session? none leaves the CLI without an active one"),
		Short: "Make a session the active one of its CLI",
	}
	return a.session(cmd, tools.SessionUse, printAll, func(words []string) map[string]any {
		if words[1] == "none" {
			words[1] = ""
		}
		return given("cli", words[0], "sessionId", words[1])
	})
}

func (a *app) sessionsDelete() *cobra.Command {
	cmd := &cobra.Command{Use: "delete ID", Args: oneSession, Short: "Forget a session; the CLI keeps the conversation"}
	cli := cmd.Flags().String("cli", "", "its `CLI`, where two have that id")
	return a.session(cmd, tools.SessionDelete, printAll, func(words []string) map[string]any { return given("sessionId", words[0], "cli", *cli) })
}

func (a *app) sessionsClear() *cobra.Command {
	cmd := &cobra.Command{Use: "clear", Args: cobra.NoArgs, Short: "Forget all sessions"}
	cli := cmd.Flags().String("cli", "", "only those of this `CLI`")
	return a.session(cmd, tools.SessionClear, printAll, func([]string) map[string]any { return given("cli", *cli) })
}

// oneSession wants the id of a session.
func oneSession(_ *cobra.Command, words []string) error {
	if len(words) != 1 {
		return errors.New("which session? `gateway sessions list` lists them")
	}
	return nil
}

// cliAnd wants the name of a CLI, and so many words behind it.
func cliAnd(more int, missing string) cobra.PositionalArgs {
	return func(_ *cobra.Command, words []string) error {
		switch {
		case len(words) == 0:
			return errors.New("which CLI? `gateway tools` lists their tools")
		case len(words) <= more:
			return errors.New(missing)
		case len(words) > more+1:
			return fmt.Errorf("%q is too much", words[more+1])
		}
		return nil
	}
}
