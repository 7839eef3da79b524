package main

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/llm-cli-gateway/gateway/engine/lang"
	"github.com/llm-cli-gateway/gateway/engine/tools"
)

func (a *app) explain() *cobra.Command {
	var given arguments
	cmd := &cobra.Command{
		Use: "explain TOOL [key=value ... | --json ARGS]", GroupID: "write", Args: named,
		Short: "Show what a call would run, and the origin of each argument",
		Long: `Show what a call would run: program, command line, standard input, environment
(names only), working directory and time limits, and the origin of each argument.
Nothing is run.

Exit codes: 0 success, 1 invalid arguments, 2 invalid command line.`,
		Example: `  $ gateway explain acme_request prompt=hello model=fast --format text
  $ gateway explain acme_request --json '{"prompt": "hi", "sessionId": "abc"}'`,
		ValidArgsFunction: a.completeTool,
	}
	given.flags(cmd, "json")
	cmd.RunE = func(cmd *cobra.Command, words []string) error {
		e, err := a.open(cmd)
		if err != nil {
			return err
		}
		defer e.Close()
		args, err := given.read(e.Tools, words[0], words[1:], cmd.InOrStdin())
		if err != nil {
			return err
		}
		x, err := e.Tools.Explain(cmd.Context(), words[0], args)
		if err != nil {
			return fail(err)
		}
		if given.format == "text" {
			return explainText(cmd.OutOrStdout(), x)
		}
		enc := json.NewEncoder(cmd.OutOrStdout())
		enc.SetEscapeHTML(false)
		enc.SetIndent("", "  ")
		return enc.Encode(x)
	}
	return cmd
}

func explainText(w io.Writer, x tools.Explanation) error {
	quoted := []string{lang.ShellWord(x.Bin)}
	for _, word := range x.Argv {
		quoted = append(quoted, lang.ShellWord(word))
	}
	fmt.Fprintf(w, "%s\n\n", strings.Join(quoted, " "))
	if x.Missing != "" {
		fmt.Fprintf(w, "not installed  %s\n", x.Missing)
	}
	fmt.Fprintf(w, "directory      %s\n", x.Dir)
	access := x.Access.Level
	if x.Access.Words != access {
		access += ", the program " + x.Access.Words
	}
	fmt.Fprintf(w, "access         %s (%s)\n", access, x.Access.From)
	if x.Access.Reach != "" {
		fmt.Fprintf(w, "reach          %s\n", x.Access.Reach)
	}
	fmt.Fprintf(w, "trusted        %t\n", x.Trusted)
	if x.Stdin != nil {
		fmt.Fprintf(w, "standard input %d bytes\n", len(*x.Stdin))
	}
	if o := x.Optimization; o != nil && o.Prompt != nil {
		fmt.Fprintf(w, "prompt         shortened by %d of %d characters\n", o.Prompt.Before-o.Prompt.After, o.Prompt.Before)
	}
	fmt.Fprintf(w, "timeouts       idle %d ms, total %d ms (0: none)\n", x.Timeouts.IdleMs, x.Timeouts.WallMs)
	fmt.Fprintf(w, "environment    %s\n", strings.Join(slices.Sorted(maps.Keys(x.Env)), " "))
	if x.Version != "" {
		fmt.Fprintf(w, "version        %s\n", x.Version)
	}
	if x.MCP != nil {
		fmt.Fprintf(w, "MCP servers    %s\n", strings.Join(x.MCP.Enabled, " "))
	}
	for _, warning := range slices.Concat(x.Warnings, x.Optimization.Notes()) {
		fmt.Fprintf(w, "warning        %s\n", warning)
	}
	for _, f := range x.Files {
		fmt.Fprintf(w, "file           %s: %s\n", f.Name, strings.ReplaceAll(strings.TrimSpace(f.Text), "\n", "\n               "))
	}
	for _, r := range x.Risks {
		fmt.Fprintf(w, "risk           %s (%d): %s\n", r.ID, r.Score, r.Reason)
	}
	for _, d := range x.Policies {
		by := d.Policy
		if by == "" {
			by = d.Strategy
		}
		if d.Note != "" {
			by += " (" + d.Note + ")"
		}
		fmt.Fprintf(w, "%-14s score %d: %s\n", d.Verdict, d.Score, by)
	}
	fmt.Fprintln(w)
	for _, s := range x.Steps {
		fmt.Fprintf(w, "  %-40s %s\n", lang.ShellWord(s.Word), s.From)
	}
	return nil
}
