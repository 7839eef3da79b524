package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/llm-cli-gateway/gateway/engine"
	"github.com/llm-cli-gateway/gateway/engine/lang/author"
	"github.com/llm-cli-gateway/gateway/engine/lang/check"
	"github.com/llm-cli-gateway/gateway/engine/lang/diagnostic"
	"github.com/llm-cli-gateway/gateway/engine/lang/load"
)

func (a *app) vet() *cobra.Command {
	var strict, verbose, coverage, ask, locked bool
	var format, against string
	cmd := &cobra.Command{
		Use: "vet [PATH...] [--probe [CLI...]]", GroupID: "write",
		Short: "Check specs; prints nothing if they are valid",
		Long: `Check specs: files or folders, each on top of the built-in specs and the paths before it.
Without a path, check what 'gateway serve' would load.

Each problem is printed on one line, file:line:col: path: problem. Examples in specs are
compared with the command lines they produce, tool schemas are checked against what all
clients understand, and for each parameter it is proved that no value can become an
option. Nothing is run and no agent needs to be installed, except for --probe.

With --probe, the installed programs are asked for their version and their help texts, and
nothing else: an option that a spec uses and its program lacks is a problem, an option
that only the program has is a warning. Give names of agents to select some; a path must
then contain a / or a dot.

With --against, the specs are also compared with their version at a git commit: a change
that breaks callers, such as a removed parameter, or widens what calls may do, such as a
removed danger mark, is a problem. --verbose lists all changes.

A folder that has a specs.lock is compared with it (see 'gateway lock'). Differences are
warnings, and errors with --locked or if the variable CI is set.

Exit codes: 0 no problems, 1 problems (with --strict also warnings), 2 invalid command
line.`,
		Example: `  $ gateway vet specs/
  $ gateway vet --strict --format github my-agent.cue
  $ gateway vet --probe acme                         # does it still accept its options?
  $ gateway vet --against origin/main specs/         # what does this change break or allow?
  $ gateway vet --verbose                            # sizes of the tools, and the proofs`,
	}
	cmd.Flags().BoolVar(&strict, "strict", false, "count warnings as problems, and warn of agents of which nothing is known about access")
	cmd.Flags().BoolVar(&coverage, "coverage", false, "warn about parameters, values, modes and output that no example covers")
	cmd.Flags().BoolVar(&ask, "probe", false, "compare the specs with the help texts of the installed programs")
	cmd.Flags().BoolVar(&locked, "locked", false, "fail if a folder has no specs.lock or differs from it")
	cmd.Flags().StringVar(&against, "against", "", "compare the specs with the git commit, tag or branch `REF`")
	cmd.Flags().BoolVarP(&verbose, "verbose", "v", false, "report the size of each tool and how a hostile value of each parameter is neutralized")
	cmd.Flags().StringVar(&format, "format", "text", "print the problems as `FORMAT`: text, json, github or sarif")
	cmd.RunE = func(cmd *cobra.Command, paths []string) error {
		if !slices.Contains(author.Formats, format) {
			return fmt.Errorf("--format must be one of %s, not %q", strings.Join(author.Formats, ", "), format)
		}
		var names []string
		if ask {
			names, paths = split(paths)
		}
		for _, path := range paths {
			if _, err := os.Stat(path); err != nil {
				return fmt.Errorf("cannot read %s: %w", path, err)
			}
		}
		memory := &load.Memory{} // of one load for the next
		more := []func(*load.Options){func(o *load.Options) { o.Memory = memory }}
		if strict {
			more = append(more, engine.Strict)
		}
		if coverage {
			more = append(more, engine.Coverage)
		}
		result := engine.Vet(cmd.Context(), paths, a.specs, os.Environ(), more...)
		var asked []engine.Probed
		if ask && !diagnostic.Failed(result.Diagnostics) {
			probed, found, err := engine.Probe(cmd.Context(), result, names, os.Environ())
			if err != nil {
				return fail(err)
			}
			asked, result.Diagnostics = probed, diagnostic.Sort(append(result.Diagnostics, found...))
		}
		if ci := os.Getenv("CI"); locked || ci != "" && ci != "false" && ci != "0" {
			result.Diagnostics = engine.RequireLock(result.Diagnostics, engine.Lockable(slices.Clone(paths), a.specs), locked)
		}
		if against != "" && !diagnostic.Failed(result.Diagnostics) {
			found, err := a.against(cmd.Context(), against, paths, verbose, memory)
			if err != nil {
				return fail(err)
			}
			result.Diagnostics = diagnostic.Sort(append(result.Diagnostics, found...))
		}
		if err := report(cmd.OutOrStdout(), result, asked, format, verbose); err != nil {
			return fail(err)
		}
		if diagnostic.Failed(result.Diagnostics) || strict && diagnostic.Warned(result.Diagnostics) {
			return exitCode(1)
		}
		return nil
	}
	return cmd
}

// against compares the paths with what they were, or the folders of the user's specs.
func (a *app) against(ctx context.Context, ref string, paths []string, verbose bool, memory *load.Memory) ([]diagnostic.Diagnostic, error) {
	if len(paths) == 0 {
		if _, err := os.Stat(engine.UserDir()); err == nil {
			paths = append(paths, engine.UserDir())
		}
		paths = append(paths, a.specs...)
	}
	if len(paths) == 0 {
		return nil, fmt.Errorf("there are no specs to compare: %s does not exist; give a path", engine.UserDir())
	}
	found, err := engine.DiffSpecs(ctx, ref, paths, os.Environ(), memory)
	if !verbose {
		found = slices.DeleteFunc(found, func(d diagnostic.Diagnostic) bool { return d.Severity == diagnostic.Note })
	}
	return found, err
}

// measured is what vet reports about one tool.
type measured struct {
	Name   string        `json:"name"`
	Bytes  int           `json:"bytes"`
	Proofs []check.Proof `json:"proofs"`
}

// split separates the names of CLIs from paths.
func split(words []string) (names, paths []string) {
	for _, word := range words {
		if strings.ContainsAny(word, `/\.`) {
			paths = append(paths, word)
		} else {
			names = append(names, word)
		}
	}
	return names, paths
}

func report(w io.Writer, result load.Result, asked []engine.Probed, format string, verbose bool) error {
	if !verbose || result.Catalog == nil || format == "github" || format == "sarif" {
		return author.Print(w, result.Diagnostics, format)
	}
	all := []measured{}
	for _, cli := range result.Catalog.CLIs {
		all = append(all, measured{cli.Tool(), len(cli.Describe().Listing()), check.Proofs(cli)})
	}
	if format == "json" {
		enc := json.NewEncoder(w)
		enc.SetEscapeHTML(false)
		enc.SetIndent("", "  ")
		report := map[string]any{"diagnostics": append([]diagnostic.Diagnostic{}, result.Diagnostics...), "tools": all}
		if asked != nil {
			report["probed"] = asked
		}
		return enc.Encode(report)
	}
	if err := author.Print(w, result.Diagnostics, format); err != nil {
		return err
	}
	for _, p := range asked {
		fmt.Fprintln(w, p)
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
