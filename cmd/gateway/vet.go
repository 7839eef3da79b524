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
	"github.com/llm-cli-gateway/gateway/engine/lang/load"
)

func (a *app) vet() *cobra.Command {
	var strict, verbose, coverage, ask, locked bool
	var format, against string
	cmd := &cobra.Command{
		Use: "vet [PATH...] [--probe [CLI...]]", GroupID: "write",
		Short: "Check specs; silent when they are fine",
		Long: `Check specs: files or folders, each over the built-in specs and those before it.
Without a path, what 'gateway serve' would load is checked.

Every problem is one line, file:line:col: path: what is wrong. Nothing is run and no
agent needs to be installed, but for --probe: examples in specs are compared with the command lines
they give, tool schemas are held against what all clients understand, and for each
parameter it is proved that no value can stand as an option.

With --probe the installed programs are asked for their version and their help texts,
and nothing else: what a spec uses and its program lacks is a problem, what the program
has and the spec does not know a warning. Words that are names of agents choose some;
a path then has a / or a dot in it.

With --against the specs are also compared with what they were at a commit of git, for
reviewers: what breaks callers, such as a parameter that is gone, and what widens what
calls may do, such as a mark of danger that is gone, are problems; with --verbose all
that changed is told.

A folder with a specs.lock is held against it (see 'gateway lock'). What differs is a
warning; an error with --locked, and where the variable CI is set.

Exit codes: 0 fine, 1 problems (with --strict also warnings), 2 not understood.`,
		Example: `  $ gateway vet specs/
  $ gateway vet --strict --format github my-agent.cue
  $ gateway vet --probe acme                         # does it still take what we give it?
  $ gateway vet --against origin/main specs/         # what does this change widen or break?
  $ gateway vet --verbose                            # bytes of every tool, and the proofs`,
	}
	cmd.Flags().BoolVar(&strict, "strict", false, "let warnings count")
	cmd.Flags().BoolVar(&coverage, "coverage", false, "warn of parameters, values, modes and output that no example shows")
	cmd.Flags().BoolVar(&ask, "probe", false, "ask the installed programs for their options and compare the specs with them")
	cmd.Flags().BoolVar(&locked, "locked", false, "let it be an error if a folder has no specs.lock or differs from it")
	cmd.Flags().StringVar(&against, "against", "", "compare the specs with those of the git commit, tag or branch `REF`")
	cmd.Flags().BoolVarP(&verbose, "verbose", "v", false, "report bytes per tool and how a hostile value of each parameter is neutralised")
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
		if coverage {
			more = append(more, engine.Coverage)
		}
		result := engine.Vet(paths, a.specs, os.Environ(), more...)
		var asked []engine.Probed
		if ask && !load.Failed(result.Diagnostics) {
			told, found, err := engine.Probe(cmd.Context(), result, names, os.Environ())
			if err != nil {
				return fail(err)
			}
			asked, result.Diagnostics = told, load.Sort(append(result.Diagnostics, found...))
		}
		if ci := os.Getenv("CI"); locked || ci != "" && ci != "false" && ci != "0" {
			result.Diagnostics = engine.Insist(result.Diagnostics, engine.Lockable(slices.Clone(paths), a.specs), locked)
		}
		if against != "" && !load.Failed(result.Diagnostics) {
			found, err := a.against(cmd.Context(), against, paths, verbose, memory)
			if err != nil {
				return fail(err)
			}
			result.Diagnostics = load.Sort(append(result.Diagnostics, found...))
		}
		if err := report(cmd.OutOrStdout(), result, asked, format, verbose); err != nil {
			return fail(err)
		}
		if load.Failed(result.Diagnostics) || strict && load.Warned(result.Diagnostics) {
			return exitCode(1)
		}
		return nil
	}
	return cmd
}

// against compares the paths with what they were, or the folders of the user's specs.
func (a *app) against(ctx context.Context, ref string, paths []string, verbose bool, memory *load.Memory) ([]load.Diagnostic, error) {
	if len(paths) == 0 {
		if _, err := os.Stat(engine.UserDir()); err == nil {
			paths = append(paths, engine.UserDir())
		}
		paths = append(paths, a.specs...)
	}
	if len(paths) == 0 {
		return nil, fmt.Errorf("there are no specs of yours to compare: %s does not exist; name a path", engine.UserDir())
	}
	found, err := engine.Against(ctx, ref, paths, os.Environ(), memory)
	if !verbose {
		found = slices.DeleteFunc(found, func(d load.Diagnostic) bool { return d.Severity == load.Note })
	}
	return found, err
}

// measured is what vet can tell about one tool.
type measured struct {
	Name   string        `json:"name"`
	Bytes  int           `json:"bytes"`
	Proofs []check.Proof `json:"proofs"`
}

// split tells the names of CLIs from paths.
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
		told := map[string]any{"diagnostics": append([]load.Diagnostic{}, result.Diagnostics...), "tools": all}
		if asked != nil {
			told["probed"] = asked
		}
		return enc.Encode(told)
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
