package main

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/llm-cli-gateway/gateway/engine"
	"github.com/llm-cli-gateway/gateway/engine/store/sqlite"
)

// callFlags select calls of the record.
type callFlags struct {
	cli, class, search, since string
	limit                     int
	asJSON                    bool
}

func (f *callFlags) add(cmd *cobra.Command, limit int, what string) {
	cmd.Flags().StringVar(&f.cli, "cli", "", "only calls of this `CLI`")
	cmd.Flags().StringVar(&f.class, "class", "", "only calls that failed with this `CLASS`")
	cmd.Flags().StringVar(&f.search, "search", "", "only calls with these words (`TEXT`) in prompt or answer")
	cmd.Flags().StringVar(&f.since, "since", "", "only calls since this `TIME`: a date, or a span as 24h or 7d before now")
	cmd.Flags().IntVar(&f.limit, "limit", limit, "show at most `N` "+what)
	cmd.Flags().BoolVar(&f.asJSON, "json", false, "print an object of JSON for each, on a line of its own")
}

// selected are the calls that the flags select.
func (f *callFlags) selected(now time.Time) (sqlite.Calls, error) {
	since, err := sinceTime(f.since, now)
	return sqlite.Calls{CLI: f.cli, Class: f.class, Text: f.search, Since: since, Limit: f.limit}, err
}

// sinceTime reads a time: a date, a date with a time, or a span before now.
func sinceTime(text string, now time.Time) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	for _, layout := range []string{time.DateOnly, time.DateTime, time.RFC3339} {
		if t, err := time.ParseInLocation(layout, text, now.Location()); err == nil {
			return t, nil
		}
	}
	span, days := text, strings.TrimSuffix(text, "d")
	if days != text {
		span = days + "h"
	}
	d, err := time.ParseDuration(span)
	if err != nil || d < 0 {
		return time.Time{}, fmt.Errorf("--since %s is neither a date, as %s, nor a span, as 24h or 7d", text, now.Format(time.DateOnly))
	}
	if days != text {
		d *= 24
	}
	return now.Add(-d), nil
}

func (a *app) logs() *cobra.Command {
	var f callFlags
	cmd := &cobra.Command{
		Use: "logs", GroupID: "use", Args: cobra.NoArgs,
		Short: "List the calls of the record, newest first",
		Long: `List the calls of the record, newest first: all kinds of them, also those that were refused
and nothing was run for. With --json each has every column of the view calls.`,
		Example: `  $ gateway logs --since 24h --class rate_limit
  $ gateway logs --search "flaky test" --json`,
	}
	f.add(cmd, 50, "calls")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		return a.printCalls(cmd, &f, func(e *engine.Engine, c sqlite.Calls) ([]string, [][]any, error) { return e.CallRows(cmd.Context(), c) }, printLog)
	}
	return cmd
}

func (a *app) stats() *cobra.Command {
	var f callFlags
	var by string
	cmd := &cobra.Command{
		Use: "stats", GroupID: "use", Args: cobra.NoArgs,
		Short: "Sum up the calls of the record: numbers, tokens, cost",
		Long: `Sum up the calls of the record by day (in UTC), model, cli, client, dir or class. A sum leaves
out what nobody knows; cost_unknown says of how many calls that is.`,
		Example: `  $ gateway stats --by model --since 30d`,
	}
	f.add(cmd, 100, "lines")
	cmd.Flags().StringVar(&by, "by", "day", "a line for each `GROUP`: day, model, cli, client, dir or class")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		return a.printCalls(cmd, &f, func(e *engine.Engine, c sqlite.Calls) ([]string, [][]any, error) {
			return e.CallSums(cmd.Context(), c, by)
		}, printSums)
	}
	return cmd
}

// printCalls prints what the record says of the calls that the flags select.
func (a *app) printCalls(cmd *cobra.Command, f *callFlags, query func(*engine.Engine, sqlite.Calls) ([]string, [][]any, error), text func(io.Writer, []string, [][]any) error) error {
	selected, err := f.selected(time.Now())
	if err != nil {
		return err
	}
	e, err := a.open(cmd)
	if err != nil {
		return err
	}
	defer e.Close()
	columns, rows, err := query(e, selected)
	if err != nil {
		return fail(err)
	}
	if !f.asJSON {
		return text(cmd.OutOrStdout(), columns, rows)
	}
	for _, row := range rows {
		if err := printRow(cmd.OutOrStdout(), columns, row); err != nil {
			return err
		}
	}
	return nil
}

// documents are columns that hold JSON.
var documents = []string{"approval", "argv", "args", "env_names", "warnings"}

// printRow writes a row as an object on a line, its columns in their order.
func printRow(w io.Writer, columns []string, row []any) error {
	var b strings.Builder
	for i, name := range columns {
		value, err := json.Marshal(row[i])
		if s, ok := row[i].(string); ok && slices.Contains(documents, name) && json.Valid([]byte(s)) {
			value = []byte(s)
		}
		if err != nil {
			return err
		}
		fmt.Fprintf(&b, "%s%q:%s", map[bool]string{true: "{", false: ","}[i == 0], name, value)
	}
	_, err := fmt.Fprintln(w, b.String()+"}")
	return err
}

// cells are the values of some columns of a row, as text.
func cells(columns []string, row []any, names ...string) []string {
	var out []string
	for _, name := range names {
		cell := "-"
		if i := slices.Index(columns, name); i >= 0 && row[i] != nil {
			cell = strings.Join(strings.Fields(fmt.Sprint(row[i])), " ")
		}
		if runes := []rune(cell); len(runes) > 60 {
			cell = string(runes[:59]) + "…"
		}
		out = append(out, cell)
	}
	return out
}

func printLog(out io.Writer, columns []string, rows [][]any) error {
	return printTable(out, []string{"ID", "STARTED", "CLI", "MODEL", "OUTCOME", "CLASS", "MS", "COST", "PROMPT"}, columns, rows,
		"id", "started_at", "cli", "model", "outcome", "error_class", "duration_ms", "cost_usd", "prompt")
}

func printSums(out io.Writer, columns []string, rows [][]any) error {
	heads := make([]string, len(columns))
	for i, name := range columns {
		heads[i] = strings.ToUpper(name)
	}
	return printTable(out, heads, columns, rows, columns...)
}

func printTable(out io.Writer, heads, columns []string, rows [][]any, names ...string) error {
	if len(rows) == 0 {
		return nil
	}
	w := tabwriter.NewWriter(out, 0, 4, 2, ' ', 0)
	fmt.Fprintln(w, strings.Join(heads, "\t"))
	for _, row := range rows {
		fmt.Fprintln(w, strings.Join(cells(columns, row, names...), "\t"))
	}
	return w.Flush()
}
