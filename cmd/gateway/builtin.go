package main

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/llm-cli-gateway/gateway/engine/call"
	"github.com/llm-cli-gateway/gateway/engine/tools"
)

// printer writes the output of a built-in tool for people.
type printer[Out any] func(out, errOut io.Writer, o *Out, r tools.Result) error

// runTool calls a built-in tool for a command, and prints its result.
func runTool[In, Out any](a *app, cmd *cobra.Command, format string, tool *tools.Builtin[In, Out], in In, text printer[Out]) error {
	if err := checkFormat(format); err != nil {
		return err
	}
	e, err := a.open(cmd)
	if err != nil {
		return err
	}
	defer e.Close()
	o, r := tool.Call(cmd.Context(), e.Tools, callerOf(cmd), in)
	return printTool(cmd, format, o, r, text)
}

// printTool prints the result of a built-in tool. The error is what the tool answered, if
// it has no output.
func printTool[Out any](cmd *cobra.Command, format string, o *Out, r tools.Result, text printer[Out]) error {
	var err error
	switch {
	case o == nil:
		err = errors.New(r.Text[0])
	case format == "json":
		err = printJSON(cmd.OutOrStdout(), r)
	default:
		err = text(cmd.OutOrStdout(), cmd.ErrOrStderr(), o, r)
	}
	if err != nil {
		return fail(err)
	}
	return nil
}

// printAll writes all the text of a result, for commands whose answer that is.
func printAll[Out any](out, _ io.Writer, _ *Out, r tools.Result) error {
	_, err := fmt.Fprintln(out, strings.Join(r.Text, "\n"))
	return err
}

func checkFormat(format string) error {
	if format != "text" && format != "json" {
		return fmt.Errorf("--format must be text or json, not %q", format)
	}
	return nil
}

// callerOf names the command as the client of a tool, without its subcommand.
func callerOf(cmd *cobra.Command) tools.Caller {
	for cmd.HasParent() && cmd.Parent().HasParent() {
		cmd = cmd.Parent()
	}
	return tools.Caller{Client: call.Client{Name: cmd.CommandPath(), Version: release()}}
}
