package main

import (
	"errors"
	"fmt"
	"io"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/llm-cli-gateway/gateway/engine/call"
	"github.com/llm-cli-gateway/gateway/engine/tools"
)

// maxToolWait is the longest wait of one call of a tool.
const maxToolWait = time.Minute

// stillRunning is the exit code of a command that wanted the end of a job.
const stillRunning = 3

func (a *app) jobs() *cobra.Command {
	cmd := &cobra.Command{
		Use: "jobs <command>", GroupID: "use", Args: cobra.NoArgs,
		Short: "List, read, follow and cancel jobs",
		Long: `List, read and cancel jobs. Every call is a job: it continues when the client or the
gateway that started it is gone, and any gateway can report on it.`,
		Example: `  $ gateway call acme_request_async prompt="Fix the build"
  $ gateway jobs list --state running
  $ gateway jobs result 01m7yxwwn9b7n2y9ydtm5g01xf --wait 10m`,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(a.jobsList(), a.jobsShow(), a.jobsResult(), a.jobsFollow(), a.jobsCancel(), a.jobsGC())
	return cmd
}

func (a *app) jobsList() *cobra.Command {
	var format, cli, state string
	var limit int
	var watch bool
	cmd := &cobra.Command{
		Use: "list", Args: cobra.NoArgs,
		Short: "List jobs, newest first",
	}
	cmd.Flags().StringVar(&format, "format", "text", "print the list as `FORMAT`: text or json")
	cmd.Flags().StringVar(&cli, "cli", "", "only jobs of this `CLI`")
	cmd.Flags().StringVar(&state, "state", "", "only jobs in this `STATE`: waiting, queued, running, retrying, completed, failed, canceled or orphaned")
	cmd.Flags().IntVar(&limit, "limit", 20, "show at most `N` jobs")
	cmd.Flags().BoolVar(&watch, "watch", false, "update the list as it changes, until interrupted")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		in := tools.JobListInput{CLI: cli, State: call.State(state), Limit: limit}
		if !watch {
			return runTool(a, cmd, format, tools.JobListTool, in, printJobs)
		}
		if format != "text" {
			return errors.New("--watch cannot be combined with --format json")
		}
		e, err := a.open(cmd)
		if err != nil {
			return err
		}
		defer e.Close()
		return watchJobs(cmd.Context(), cmd.OutOrStdout(), func() (*tools.JobListOutput, error) {
			o, r := tools.JobListTool.Call(cmd.Context(), e.Tools, callerOf(cmd), in)
			if o == nil {
				return nil, fail(errors.New(r.Text[0]))
			}
			return o, nil
		})
	}
	return cmd
}

// printJobs writes a table of jobs.
func printJobs(out, _ io.Writer, list *tools.JobListOutput, _ tools.Result) error {
	if len(list.Jobs) == 0 {
		return nil
	}
	w := tabwriter.NewWriter(out, 0, 4, 2, ' ', 0)
	fmt.Fprintln(w, "ID\tSTATE\tCLI\tSTARTED\tTOOK\tPROMPT")
	for _, j := range list.Jobs {
		state := j.Status
		if j.ErrorClass != "" && j.ErrorClass != state {
			state += " (" + j.ErrorClass + ")"
		}
		took := time.Duration(j.DurationMs) * time.Millisecond
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\n", j.JobID, state, j.CLI, j.Created.Local().Format(time.DateTime), took.Round(100*time.Millisecond), j.Prompt)
	}
	return w.Flush()
}

func (a *app) jobsShow() *cobra.Command {
	var format string
	cmd := &cobra.Command{
		Use: "show ID", Args: oneJob,
		Short: "Show the status of a job",
	}
	cmd.Flags().StringVar(&format, "format", "text", "print the result as `FORMAT`: text or json")
	cmd.RunE = func(cmd *cobra.Command, words []string) error {
		in := tools.JobStatusInput{JobRef: tools.JobRef{JobID: words[0]}}
		return runTool(a, cmd, format, tools.JobStatusTool, in, printAll)
	}
	return cmd
}

func (a *app) jobsResult() *cobra.Command {
	var format string
	var include []string
	var wait time.Duration
	cmd := &cobra.Command{
		Use: "result ID", Args: oneJob,
		Short: "Print the answer of a job",
		Long: `Print the answer of a job to standard output and everything else to standard error. A
running job has no answer yet: --include shows what its program has printed so far.

Exit codes: 0 completed, 1 failed, canceled or orphaned, 2 invalid command line, 3 still
running.`,
	}
	cmd.Flags().StringVar(&format, "format", "text", "print the result as `FORMAT`: text or json")
	cmd.Flags().StringSliceVar(&include, "include", nil, "print also what the program printed to these `STREAMS`: stdout, stderr")
	cmd.Flags().DurationVar(&wait, "wait", 0, "wait up to `TIME` for the job to end, for example 90s or 10m")
	cmd.RunE = func(cmd *cobra.Command, words []string) error {
		if err := checkFormat(format); err != nil {
			return err
		}
		e, err := a.open(cmd)
		if err != nil {
			return err
		}
		defer e.Close()
		in := tools.JobResultInput{JobRef: tools.JobRef{JobID: words[0]}, MaxChars: 1_000_000, Include: include}
		if wait > 0 {
			wait = max(wait, time.Millisecond) // a tool counts in those
		}
		// One call of the tool waits for a bounded time; the command for as long as asked.
		for {
			in.WaitMs = int(max(0, min(wait, maxToolWait)).Milliseconds())
			o, r := tools.JobResultTool.Call(cmd.Context(), e.Tools, callerOf(cmd), in)
			if wait -= maxToolWait; o != nil && wait > 0 && !call.State(o.Status).Ended() && cmd.Context().Err() == nil {
				continue
			}
			if err := printTool(cmd, format, o, r, printAnswer); err != nil {
				return err
			}
			return verdict(o.Status)
		}
	}
	return cmd
}

func (a *app) jobsCancel() *cobra.Command {
	var format string
	cmd := &cobra.Command{
		Use: "cancel ID", Args: oneJob,
		Short: "Cancel a job and end every process it started",
	}
	cmd.Flags().StringVar(&format, "format", "text", "print the result as `FORMAT`: text or json")
	cmd.RunE = func(cmd *cobra.Command, words []string) error {
		return runTool(a, cmd, format, tools.JobCancelTool, tools.JobRef{JobID: words[0]}, printAll)
	}
	return cmd
}

// oneJob wants the id of a job.
func oneJob(cmd *cobra.Command, words []string) error {
	if len(words) != 1 {
		return errors.New("give the id of one job; `gateway jobs list` lists the jobs")
	}
	return nil
}

// printAnswer writes the answer of a job and its notes.
func printAnswer(out, errOut io.Writer, _ *tools.JobResultOutput, r tools.Result) error {
	return printText(out, errOut, r)
}
