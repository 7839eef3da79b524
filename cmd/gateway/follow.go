package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/llm-cli-gateway/gateway/engine/call"
	"github.com/llm-cli-gateway/gateway/engine/store"
	"github.com/llm-cli-gateway/gateway/engine/tools"
)

func (a *app) jobsFollow() *cobra.Command {
	return &cobra.Command{
		Use: "follow ID", Args: oneJob,
		Short: "Print the output of a job until it ends",
		Long: `Print the output of a job as it appears, from its beginning: its standard output to
standard output, and its standard error to standard error. In a terminal a last line
shows its status. Ctrl-C stops following but does not cancel the job.

Exit codes: 0 completed, 1 failed, canceled or orphaned, 2 invalid command line, 3 still
running.`,
		RunE: func(cmd *cobra.Command, words []string) error {
			e, err := a.open(cmd)
			if err != nil {
				return err
			}
			defer e.Close()
			live := newLive(cmd.ErrOrStderr())
			var tail call.Tail
			j, err := e.Tools.Runner.Follow(cmd.Context(), store.Local, words[0], live.around(cmd.OutOrStdout()), live.around(cmd.ErrOrStderr()), func(j call.Job) {
				if live.w == nil {
					return
				}
				if tail == nil {
					tail = e.Tools.Runner.Tail(j)
				}
				live.show(fmt.Sprintf("%s %s for %s, %d bytes %s", j.Row.CLI, j.State, time.Since(j.Row.Created).Round(time.Second), j.Printed, tail.Look()))
			})
			if tail != nil {
				tail.Close()
			}
			live.end()
			if err != nil {
				return fail(err)
			}
			if !j.State.Ended() {
				return exitCode(stillRunning)
			}
			fmt.Fprintf(cmd.ErrOrStderr(), "Job %s %s.\n", j.Row.ID, tools.StateText(j.State))
			return verdict(string(j.State))
		},
	}
}

// verdict is the exit code of a command that wanted the end of a job.
func verdict(status string) error {
	switch call.State(status) {
	case call.Completed:
		return nil
	case call.Waiting, call.Queued, call.Running, call.Retrying:
		return exitCode(stillRunning)
	}
	return exitCode(1)
}

// live is a line at the bottom of a terminal that is written anew. Elsewhere it is
// nothing.
type live struct {
	w    io.Writer // nil: no terminal
	line string
	open bool // the last line of the output has not ended
}

func newLive(w io.Writer) *live {
	if !terminal(w) {
		w = nil
	}
	return &live{w: w}
}

// Of a line that is wrapped only the last part could be cleared, so it is cut off.
const (
	clearLine = "\r\x1b[K"
	cutLines  = "\x1b[?7l"
	wrapLines = "\x1b[?7h"
)

func (l *live) show(line string) {
	if l.w == nil || l.open || line == l.line {
		return
	}
	text := clearLine
	if line != "" {
		text += cutLines + line + wrapLines
	}
	fmt.Fprint(l.w, text)
	l.line = line
}

// end leaves the terminal to what comes after.
func (l *live) end() {
	l.show("")
	if l.w != nil && l.open {
		fmt.Fprintln(l.w)
	}
}

// around writes what scrolls past above the line.
func (l *live) around(w io.Writer) io.Writer {
	if l.w == nil || !terminal(w) {
		return w
	}
	return above{l, w}
}

type above struct {
	line *live
	w    io.Writer
}

func (a above) Write(b []byte) (int, error) {
	a.line.show("")
	if len(b) > 0 {
		a.line.open = b[len(b)-1] != '\n'
	}
	return a.w.Write(b)
}

// watchEvery is how often a watched list is read again.
const watchEvery = time.Second

// watchJobs prints the list until ctx ends: in a terminal on a page that is redrawn,
// elsewhere once for every change.
func watchJobs(ctx context.Context, out io.Writer, list func() (*tools.JobListOutput, error)) error {
	tick := time.NewTicker(watchEvery)
	defer tick.Stop()
	var last []byte
	for {
		jobs, err := list()
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			return err
		}
		var page bytes.Buffer
		if err := printJobs(&page, nil, jobs, tools.Result{}); err != nil {
			return err
		}
		if page.Len() == 0 {
			page.WriteString("No jobs.\n")
		}
		if !bytes.Equal(page.Bytes(), last) {
			last = page.Bytes()
			text := string(last)
			if terminal(out) {
				text = "\x1b[H\x1b[2J" + text
			}
			if _, err := io.WriteString(out, text); err != nil {
				return err
			}
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return nil
		}
	}
}

func (a *app) jobsGC() *cobra.Command {
	return &cobra.Command{
		Use: "gc", Args: cobra.NoArgs,
		Short: "Finalize lost jobs and delete the files of old ones",
		Long: `Run the periodic maintenance now: finalize jobs whose gateways are gone, restore missing
rows of jobs, and delete what was kept for long enough: the files of finished jobs
(gateway.jobs.retentionDays), the rows of calls (gateway.record.retentionDays), and the
prompts and answers in rows (gateway.record.textDays). Running jobs are not affected. A
job whose files are gone is still in the record, with its answer.`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			e, err := a.open(cmd)
			if err != nil {
				return err
			}
			defer e.Close()
			runner, now := e.Tools.Runner, time.Now()
			if err := runner.Reconcile(cmd.Context()); err != nil {
				return fail(err)
			}
			recorded, err := runner.Import(cmd.Context(), now)
			if err != nil {
				return fail(err)
			}
			if err := e.WriteMetadata(); err != nil {
				return fail(err)
			}
			removed, err := runner.Prune(cmd.Context(), now)
			if err == nil {
				err = runner.IndexTexts(cmd.Context())
			}
			if err != nil {
				return fail(err)
			}
			_, err = fmt.Fprintf(cmd.OutOrStdout(), "Deleted the files of %d jobs, %d rows of calls, and the texts of %d more; restored the rows of %d jobs.\n",
				removed.Jobs, removed.Rows, removed.Texts, recorded)
			return err
		},
	}
}
