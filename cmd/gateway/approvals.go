package main

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/llm-cli-gateway/gateway/engine/call"
	"github.com/llm-cli-gateway/gateway/engine/text"
	"github.com/llm-cli-gateway/gateway/engine/tools"
)

func (a *app) approvals() *cobra.Command {
	var format, cli string
	var limit int
	cmd := &cobra.Command{
		Use: "approvals", GroupID: "use", Args: cobra.NoArgs,
		Short: "List approval decisions, and decide about calls that wait",
		Long: `List the calls that wait for a person, with their questions, and approval decisions,
newest first: the decisions of policies and people (approvalStrategy mcp_managed), and the
calls that the settings denied.`,
		Example: `  $ gateway approvals answer 01m7yxwwn9b7n2y9ydtm5g01xf approve
  $ gateway approvals --limit 5
  $ gateway explain acme_request prompt=hi --format text   # the verdict of each policy`,
	}
	cmd.Flags().StringVar(&format, "format", "text", "print the list as `FORMAT`: text or json")
	cmd.Flags().StringVar(&cli, "cli", "", "only decisions about calls of this `CLI`")
	cmd.Flags().IntVar(&limit, "limit", 50, "show at most `N` decisions")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		return runTool(a, cmd, format, tools.ApprovalListTool, tools.ApprovalListInput{CLI: cli, Limit: limit}, printApprovals)
	}
	cmd.AddCommand(a.approvalsAnswer())
	return cmd
}

func (a *app) approvalsAnswer() *cobra.Command {
	var format string
	cmd := &cobra.Command{
		Use: "answer ID approve|deny", Args: oneDecision,
		Short: "Decide about a job that waits for a person",
		Long: `Decide about a job that waits for a person. An approved job is started, by the gateway
that accepted its call or, if that is gone, by this command; a denied one ends. The
first answer counts. Inside a job this command is refused: only a person may decide.`,
	}
	cmd.Flags().StringVar(&format, "format", "text", "print the result as `FORMAT`: text or json")
	cmd.RunE = func(cmd *cobra.Command, words []string) error {
		in := tools.ApprovalAnswerInput{JobRef: tools.JobRef{JobID: words[0]}, Decision: call.Reply(words[1])}
		return runTool(a, cmd, format, tools.ApprovalAnswerTool, in, printAll)
	}
	return cmd
}

// oneDecision wants the id of a job, and what is decided about it.
func oneDecision(_ *cobra.Command, words []string) error {
	if len(words) != 2 || !call.Reply(words[1]).Chosen() {
		return errors.New("give the id of one job, and approve or deny; `gateway approvals` lists the jobs that wait")
	}
	return nil
}

// printApprovals writes a table of decisions.
func printApprovals(out, _ io.Writer, list *tools.ApprovalListOutput, _ tools.Result) error {
	for _, w := range list.Waiting {
		fmt.Fprintf(out, "%s waits for a person until %s.\n%s\nDecide: gateway approvals answer %s approve|deny\n\n", w.JobID, w.Until.Local().Format(time.DateTime), text.WithoutControls([]byte(w.Question)), w.JobID)
	}
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
