package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/llm-cli-gateway/gateway/engine"
	"github.com/llm-cli-gateway/gateway/engine/plan"
	"github.com/llm-cli-gateway/gateway/engine/spec"
)

func (a *app) vet() *cobra.Command {
	var strict, verbose, coverage bool
	var format string
	cmd := &cobra.Command{
		Use: "vet [PATH...]", GroupID: "write",
		Short: "Check specs; silent when they are fine",
		Long: `Check specs: files or folders, each over the built-in specs and those before it.
Without a path, what 'gateway serve' would load is checked.

Every problem is one line, file:line:col: path: what is wrong. Nothing is run and no
agent needs to be installed: examples in specs are compared with the command lines
they give, tool schemas are held against what all clients understand, and for each
parameter it is proved that no value can stand as an option.

Exit codes: 0 fine, 1 problems (with --strict also warnings), 2 not understood.`,
		Example: `  $ gateway vet specs/
  $ gateway vet --strict --format github my-agent.cue
  $ gateway vet --verbose                            # bytes of every tool, and the proofs`,
	}
	cmd.Flags().BoolVar(&strict, "strict", false, "let warnings count")
	cmd.Flags().BoolVar(&coverage, "coverage", false, "warn of parameters, values, modes and output that no example shows")
	cmd.Flags().BoolVarP(&verbose, "verbose", "v", false, "report bytes per tool and how a hostile value of each parameter is neutralised")
	cmd.Flags().StringVar(&format, "format", "text", "print the problems as `FORMAT`: text, json, github or sarif")
	cmd.RunE = func(cmd *cobra.Command, paths []string) error {
		if !slices.Contains(spec.Formats, format) {
			return fmt.Errorf("--format must be one of %s, not %q", strings.Join(spec.Formats, ", "), format)
		}
		for _, path := range paths {
			if _, err := os.Stat(path); err != nil {
				return fmt.Errorf("cannot read %s: %w", path, err)
			}
		}
		more := []func(*spec.Options){}
		if coverage {
			more = append(more, engine.Coverage)
		}
		result := engine.Vet(paths, a.specs, os.Environ(), more...)
		if err := report(cmd.OutOrStdout(), result, format, verbose); err != nil {
			return fail(err)
		}
		if spec.Failed(result.Diagnostics) || strict && len(result.Diagnostics) > 0 {
			return exitCode(1)
		}
		return nil
	}
	return cmd
}

// measured is what vet can tell about one tool.
type measured struct {
	Name   string       `json:"name"`
	Bytes  int          `json:"bytes"`
	Proofs []plan.Proof `json:"proofs"`
}

func report(w io.Writer, result spec.Result, format string, verbose bool) error {
	if !verbose || result.Catalog == nil || format == "github" || format == "sarif" {
		return spec.Print(w, result.Diagnostics, format)
	}
	all := []measured{}
	for _, cli := range result.Catalog.CLIs {
		all = append(all, measured{cli.Tool(), len(cli.Describe().Listing()), cli.Proofs()})
	}
	if format == "json" {
		enc := json.NewEncoder(w)
		enc.SetEscapeHTML(false)
		enc.SetIndent("", "  ")
		return enc.Encode(map[string]any{"diagnostics": append([]spec.Diagnostic{}, result.Diagnostics...), "tools": all})
	}
	if err := spec.Print(w, result.Diagnostics, format); err != nil {
		return err
	}
	t := tabwriter.NewWriter(w, 0, 4, 2, ' ', 0)
	for _, m := range all {
		fmt.Fprintf(t, "%s\t%d bytes\n", m.Name, m.Bytes)
		for _, p := range m.Proofs {
			fmt.Fprintf(t, "  %s\t%s\t%s\n", p.Param, p.Value, p.How)
		}
	}
	return t.Flush()
}
