package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"strings"

	"github.com/spf13/cobra"

	"github.com/llm-cli-gateway/gateway/engine/call"
	"github.com/llm-cli-gateway/gateway/engine/tools"
)

// arguments are the ways to give arguments on a command line.
type arguments struct {
	json   string
	format string
}

// flags adds the flags; the first format is the default.
func (g *arguments) flags(cmd *cobra.Command, format string) {
	cmd.Flags().StringVar(&g.json, "json", "", "take the arguments from the JSON object `ARGS`; - reads it from standard input")
	cmd.Flags().StringVar(&g.format, "format", format, "print the result as `FORMAT`: text or json")
}

// named wants the name of a tool in front.
func named(cmd *cobra.Command, words []string) error {
	if len(words) == 0 {
		return errors.New("the name of a tool is missing; `gateway tools` lists the tools")
	}
	return nil
}

// read makes a JSON object of what was given.
func (g *arguments) read(t *tools.Tools, tool string, pairs []string, in io.Reader) (json.RawMessage, error) {
	if err := checkFormat(g.format); err != nil {
		return nil, err
	}
	// Before anything is read: is there such a tool?
	if _, err := t.KVArgs(tool, nil); err != nil {
		return nil, fmt.Errorf("%w; `gateway tools` lists the tools", err)
	}
	switch {
	case g.json != "" && len(pairs) > 0:
		return nil, errors.New("arguments can be given as key=value or with --json, not both")
	case g.json == "-":
		return io.ReadAll(in)
	case g.json != "":
		return json.RawMessage(g.json), nil
	}
	read := false
	for i, pair := range pairs {
		key, ok := strings.CutSuffix(pair, "=-")
		if !ok {
			continue
		}
		if read {
			return nil, errors.New("only one parameter can be read from standard input")
		}
		text, err := io.ReadAll(in)
		if err != nil {
			return nil, err
		}
		pairs[i], read = key+"="+string(text), true
	}
	return t.KVArgs(tool, pairs)
}

func (a *app) call() *cobra.Command {
	var given arguments
	cmd := &cobra.Command{
		Use: "call TOOL [key=value ... | --json ARGS]", GroupID: "use", Args: named,
		Short: "Call a tool once, exactly as a client would",
		Long: `Call a tool once. The call is handled and recorded like one from an MCP client. The
answer is printed to standard output, everything else to standard error.

Give a list as one key=value for each element. key=- reads the value from standard
input.

Exit codes: 0 answered, 1 the call failed, 2 invalid command line.`,
		Example: `  $ gateway call acme_request prompt="Explain this repository" model=fast
  $ git diff | gateway call acme_request prompt=-
  $ gateway call acme_request --json '{"prompt": "hi"}' --format json`,
		ValidArgsFunction: a.completeTool,
	}
	given.flags(cmd, "text")
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
		req := call.Request{Tool: words[0], Args: args, Client: call.Client{Name: "gateway call", Version: release()}}
		if given.format == "text" {
			req.Inline = math.MaxInt // a person reads it, or a file takes it
		}
		r := e.Tools.Call(cmd.Context(), req)
		if given.format == "json" {
			err = printJSON(cmd.OutOrStdout(), r)
		} else {
			err = printText(cmd.OutOrStdout(), cmd.ErrOrStderr(), r)
		}
		switch {
		case err != nil:
			return fail(err)
		case r.IsError:
			return exitCode(1)
		}
		return nil
	}
	return cmd
}

// printJSON writes the structured result as one object, the answer last.
func printJSON(w io.Writer, r tools.Result) error {
	var b bytes.Buffer
	if err := json.Indent(&b, r.Object(), "", "  "); err != nil {
		return err
	}
	_, err := fmt.Fprintln(w, b.String())
	return err
}

// printText writes the answer and its notes.
func printText(out, errOut io.Writer, r tools.Result) error {
	if r.Response != "" {
		if _, err := fmt.Fprintln(out, strings.TrimSuffix(r.Response, "\n")); err != nil {
			return err
		}
	}
	for _, text := range r.Text {
		if text != r.Response {
			fmt.Fprintln(errOut, text)
		}
	}
	return nil
}

// completeTool offers the names of tools, then those of parameters.
func (a *app) completeTool(cmd *cobra.Command, words []string, _ string) ([]string, cobra.ShellCompDirective) {
	e, err := a.open(cmd)
	if err != nil {
		return nil, cobra.ShellCompDirectiveError
	}
	defer e.Close()
	var out []string
	if len(words) == 0 {
		for _, t := range e.Tools.Offers() {
			out = append(out, t.Name+"\t"+t.Title)
		}
		return out, cobra.ShellCompDirectiveNoFileComp
	}
	for _, name := range e.Tools.Params(words[0]) {
		out = append(out, name+"=")
	}
	return out, cobra.ShellCompDirectiveNoSpace | cobra.ShellCompDirectiveNoFileComp
}
