package main

import (
	"encoding/json"
	"fmt"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"
)

func (a *app) tools() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use: "tools", GroupID: "use", Args: cobra.NoArgs,
		Short: "List the tools that clients see",
		Long: `List the tools that clients see, with the size of each in the listing, and the tools that
can be called without being listed. With --json, print the listing as tools/list returns
it.`,
	}
	a.listing(cmd)
	cmd.Flags().BoolVar(&asJSON, "json", false, "print the listing as JSON, with schemas")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		e, err := a.open(cmd)
		if err != nil {
			return err
		}
		defer e.Close()
		if asJSON {
			enc := json.NewEncoder(cmd.OutOrStdout())
			enc.SetEscapeHTML(false)
			enc.SetIndent("", "  ")
			listing := []json.RawMessage{}
			for _, t := range e.Tools.List() {
				listing = append(listing, t.Listing())
			}
			return enc.Encode(map[string]any{"tools": listing})
		}
		w := tabwriter.NewWriter(cmd.OutOrStdout(), 0, 4, 2, ' ', 0)
		total := 0
		hidden := map[string][]string{}
		reasons := []string{}
		for _, t := range e.Tools.Offers() {
			if t.Why != "" {
				if hidden[t.Why] == nil {
					reasons = append(reasons, t.Why)
				}
				hidden[t.Why] = append(hidden[t.Why], t.Name)
				continue
			}
			n := len(t.Listing())
			total += n
			first, _, _ := strings.Cut(t.Description, ". ")
			fmt.Fprintf(w, "%s\t%d bytes\t%s\n", t.Name, n, strings.TrimSuffix(first, ".")+".")
		}
		fmt.Fprintf(w, "\t%d bytes\tin total\n", total)
		if err := w.Flush(); err != nil {
			return err
		}
		for _, why := range reasons {
			fmt.Fprintf(cmd.OutOrStdout(), "not listed, but can be called: %s (%s)\n", strings.Join(hidden[why], ", "), why)
		}
		return nil
	}
	return cmd
}
