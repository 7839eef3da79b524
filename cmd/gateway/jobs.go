package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/llm-cli-gateway/gateway/engine/call"
	"github.com/llm-cli-gateway/gateway/engine/tools"
)

// stillRunning is the exit code of a command that wanted the end of a job.
const stillRunning = 3

func (a *app) jobs() *cobra.Command {
	cmd := &cobra.Command{
		Use: "jobs <command>", GroupID: "use", Args: cobra.NoArgs,
		Short: "List, read, follow and cancel jobs",
		Long: `List, read and cancel jobs. Every call is one: it goes on when the client or the
gateway that started it is gone, and any gateway knows it.`,
		Example: `  $ gateway call acme_request_async prompt="Mend the build"
  $ gateway jobs list --state running
  $ gateway jobs result 01m7yxwwn9b7n2y9ydtm5g01xf --wait 10m`,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(a.jobsList(), a.jobsShow(), a.jobsResult(), a.jobsFollow(), a.jobsCancel(), a.jobsGC())
	return cmd
}

// jobTool calls a tool about jobs, and prints its result in one of two formats.
func (a *app) jobTool(cmd *cobra.Command, format, tool string, args map[string]any, text func(out, errOut io.Writer, r tools.Result) error) (status string, err error) {
	if format != "text" && format != "json" {
		return "", fmt.Errorf("--format must be text or json, not %q", format)
	}
	e, err := a.open(cmd)
	if err != nil {
		return "", err
	}
	defer e.Close()
	raw, err := json.Marshal(args)
	if err != nil {
		return "", err
	}
	// The tool waits for a bounded time; a command for as long as it is told to.
	wait, _ := args["waitMs"].(int64)
	for left := wait; ; left -= maxToolWait {
		if wait > 0 {
			args["waitMs"] = min(left, maxToolWait)
			if raw, err = json.Marshal(args); err != nil {
				return "", err
			}
		}
		r := e.Tools.Call(cmd.Context(), call.Request{Tool: tool, Args: raw, Client: call.Client{Name: "gateway jobs", Version: release()}})
		var told struct{ Status, JobID string }
		if err := json.Unmarshal(r.Structured, &told); err != nil {
			return "", fail(err)
		}
		if left > maxToolWait && (told.Status == string(call.Queued) || told.Status == string(call.Running)) && cmd.Context().Err() == nil {
			continue
		}
		if told.JobID == "" && r.IsError { // the question was wrong, not the job
			return "", fail(errors.New(r.Text[0]))
		}
		if format == "json" {
			err = printJSON(cmd.OutOrStdout(), r)
		} else {
			err = text(cmd.OutOrStdout(), cmd.ErrOrStderr(), r)
		}
		if err != nil {
			return "", fail(err)
		}
		return told.Status, nil
	}
}

// maxToolWait is the longest wait of one call of a tool, in milliseconds.
const maxToolWait = 60_000

// printAll writes all that a tool says, for commands whose answer that is.
func printAll(out, _ io.Writer, r tools.Result) error {
	_, err := fmt.Fprintln(out, strings.Join(r.Text, "\n"))
	return err
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
	cmd.Flags().StringVar(&state, "state", "", "only jobs in this `STATE`: queued, running, completed, failed, canceled or orphaned")
	cmd.Flags().IntVar(&limit, "limit", 20, "at most `N` jobs")
	cmd.Flags().BoolVar(&watch, "watch", false, "show it anew as it changes, until interrupted")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		args := map[string]any{"limit": limit}
		if cli != "" {
			args["cli"] = cli
		}
		if state != "" {
			args["state"] = state
		}
		if !watch {
			_, err := a.jobTool(cmd, format, tools.JobList, args, printJobs)
			return err
		}
		if format != "text" {
			return errors.New("--watch shows a page for people; leave --format out")
		}
		e, err := a.open(cmd)
		if err != nil {
			return err
		}
		defer e.Close()
		raw, err := json.Marshal(args)
		if err != nil {
			return err
		}
		return watchJobs(cmd.Context(), cmd.OutOrStdout(), func() (tools.Result, error) {
			r := e.Tools.Call(cmd.Context(), call.Request{Tool: tools.JobList, Args: raw})
			if r.IsError {
				return r, fail(errors.New(r.Text[0]))
			}
			return r, nil
		})
	}
	return cmd
}

// printJobs writes a table of jobs.
func printJobs(out, _ io.Writer, r tools.Result) error {
	var list struct {
		Jobs []struct {
			JobID, Status, CLI, ErrorClass, Prompt string
			Created                                time.Time
			DurationMs                             int64
		}
	}
	if err := json.Unmarshal(r.Structured, &list); err != nil {
		return err
	}
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
		Short: "Show where a job stands",
	}
	cmd.Flags().StringVar(&format, "format", "text", "print it as `FORMAT`: text or json")
	cmd.RunE = func(cmd *cobra.Command, words []string) error {
		_, err := a.jobTool(cmd, format, tools.JobStatus, map[string]any{"jobId": words[0]}, printAll)
		return err
	}
	return cmd
}

func (a *app) jobsResult() *cobra.Command {
	var format string
	var wait time.Duration
	cmd := &cobra.Command{
		Use: "result ID", Args: oneJob,
		Short: "Print the answer of a job",
		Long: `Print the answer of a job to standard output and all else to standard error; of a job
that still runs, its output so far.

Exit codes: 0 completed, 1 failed, canceled or lost, 2 not understood, 3 it runs.`,
	}
	cmd.Flags().StringVar(&format, "format", "text", "print it as `FORMAT`: text or json")
	cmd.Flags().DurationVar(&wait, "wait", 0, "wait for its end, for a `TIME` such as 90s or 10m")
	cmd.RunE = func(cmd *cobra.Command, words []string) error {
		args := map[string]any{"jobId": words[0], "maxChars": 1_000_000}
		if wait > 0 {
			args["waitMs"] = max(1, wait.Milliseconds())
		}
		status, err := a.jobTool(cmd, format, tools.JobResult, args, printText)
		if err != nil {
			return err
		}
		return verdict(status)
	}
	return cmd
}

func (a *app) jobsCancel() *cobra.Command {
	var format string
	cmd := &cobra.Command{
		Use: "cancel ID", Args: oneJob,
		Short: "End a job and all that it started",
	}
	cmd.Flags().StringVar(&format, "format", "text", "print what became of it as `FORMAT`: text or json")
	cmd.RunE = func(cmd *cobra.Command, words []string) error {
		_, err := a.jobTool(cmd, format, tools.JobCancel, map[string]any{"jobId": words[0]}, printAll)
		return err
	}
	return cmd
}

// oneJob wants the id of a job.
func oneJob(cmd *cobra.Command, words []string) error {
	if len(words) != 1 {
		return errors.New("which job? `gateway jobs list` lists them")
	}
	return nil
}
