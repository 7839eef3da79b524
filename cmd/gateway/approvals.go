package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/llm-cli-gateway/gateway/engine/tools"
)

func (a *app) approvals() *cobra.Command {
	var format, cli string
	var limit int
	cmd := &cobra.Command{
		Use: "approvals", GroupID: "use", Args: cobra.NoArgs,
		Short: "List approval decisions, newest first",
		Long: `List approval decisions, newest first: the decisions of policies and people
(approvalStrategy mcp_managed), and the calls that the settings denied.`,
		Example: `  $ gateway approvals --limit 5
  $ gateway explain acme_request prompt=hi --format text   # the verdict of each policy`,
	}
	cmd.Flags().StringVar(&format, "format", "text", "print the list as `FORMAT`: text or json")
	cmd.Flags().StringVar(&cli, "cli", "", "only decisions about calls of this `CLI`")
	cmd.Flags().IntVar(&limit, "limit", 50, "show at most `N` decisions")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		return runTool(a, cmd, format, tools.ApprovalListTool, tools.ApprovalListInput{CLI: cli, Limit: limit}, printApprovals)
	}
	return cmd
}

// printApprovals writes a table of decisions.
func printApprovals(out, _ io.Writer, list *tools.ApprovalListOutput, _ tools.Result) error {
	if len(list.Approvals) == 0 {
		return nil
	}
	w := tabwriter.NewWriter(out, 0, 4, 2, ' ', 0)
	fmt.Fprintln(w, "DECIDED\tCLI\tVERDICT\tBY\tANSWER\tSCORE\tRULES")
	for _, a := range list.Approvals {
		by := a.By
		if a.Policy != "" {
			by += " " + a.Policy
		}
		var reasons []struct{ ID string }
		if len(a.Reasons) > 0 {
			if err := json.Unmarshal(a.Reasons, &reasons); err != nil {
				return err
			}
		}
		rules := ""
		for _, r := range reasons {
			rules += " " + r.ID
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%d\t%s\n", a.Time.Local().Format(time.DateTime), a.CLI, a.Verdict, by, cmp.Or(a.Answer, "-"), a.Score, cmp.Or(rules, " -")[1:])
	}
	return w.Flush()
}
