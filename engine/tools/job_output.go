package tools

import (
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/llm-cli-gateway/gateway/engine/call"
	"github.com/llm-cli-gateway/gateway/engine/catalog"
	"github.com/llm-cli-gateway/gateway/engine/lang"
)

// JobOutput is the status of a job: the output of the tools that report it.
type JobOutput struct {
	structured

	heading string // of the CLI
	note    string // one more sentence; "" if there is nothing to add
}

func (t *Tools) jobOutput(j call.Job, note string) JobOutput {
	if j.State == call.Retrying {
		note = strings.ToUpper(call.Again(j)[:1]) + call.Again(j)[1:] + "." + strings.TrimSuffix("\n"+note, "\n")
	}
	if j.State == call.Waiting {
		note = t.waitingNote(j) + strings.TrimSuffix("\n"+note, "\n")
	}
	return JobOutput{structured: t.facts(j), heading: t.heading(j), note: note}
}

func renderJob(o JobOutput) []string {
	state := call.State(o.Status)
	text := fmt.Sprintf("Job %s of %s %s.", o.JobID, o.heading, StateText(state))
	if state.Ended() && o.Error != nil {
		text = fmt.Sprintf("Job %s: ", o.JobID) + failureText(o.heading, *o.Error)
	}
	if o.note != "" {
		text += "\n" + o.note
	}
	for _, call := range o.JoinedBy {
		text += "\n" + call.line()
	}
	if o.Durable != nil && !*o.Durable && !state.Ended() {
		text += "\nIt ends when the gateway that started it does: nothing is durable here (gateway.jobs.db)."
	}
	return []string{text, trailer(o.structured)}
}

// waitingNote says how a job that waits can be decided about. It is for the user: a model
// that decides about its own calls would be nobody's decision.
func (t *Tools) waitingNote(j call.Job) string {
	until := j.Row.Waiting.Until.Local().Format(time.DateTime)
	if j.Row.Waiting.Released {
		return "It was approved, and is about to start."
	}
	if !t.Runner.Answerable() {
		return "Only the user may decide, in the client that asks, until " + until + "."
	}
	return fmt.Sprintf("Only the user may decide, in a terminal: `gateway approvals answer %s approve`, or deny, until %s. %s with this jobId and waitMs waits for it.", j.Row.ID, until, JobStatus)
}

// StateText is the state of a job as the predicate of a sentence.
func StateText(s call.State) string {
	switch s {
	case call.Waiting:
		return "waits for a person to decide whether it runs"
	case call.Queued, call.Running, call.Retrying:
		return "is " + string(s)
	case call.Canceled, call.Orphaned:
		return "was " + string(s)
	}
	return string(s) // completed, failed
}

// facts are the structured status of a job, without its output.
func (t *Tools) facts(j call.Job) structured {
	row := j.Row
	s := structured{
		Status: string(j.State), JobID: row.ID, CLI: row.CLI, Model: row.Model, CorrelationID: row.CorrelationID, Warnings: slices.Concat(j.Notes, j.Equipment().Notes()),
		Joined: j.Joined, AnswerAgeMs: j.Age.Milliseconds(), Durable: &j.Durable, Position: j.Position, Pid: j.Pid, Created: row.Created.UTC().Format(time.RFC3339Nano), Canceling: j.Canceling, Printed: &j.Printed,
		Approval: call.ReadApproval(row.Approval), MCP: j.Equipment(), Access: catalog.AccessIn(row.Args), Cwd: row.Cwd, Optimization: optimization(j.Saved(), nil),
	}
	for _, other := range j.Joins {
		s.JoinedBy = append(s.JoinedBy, join{other.Tool, other.CorrelationID, other.ClientName, other.Created.UTC().Format(time.RFC3339Nano)})
	}
	if !j.State.Ended() {
		s.SessionID = row.Session
	}
	s.Attempts, s.Asked = t.attemptsOf(j), row.Asked
	s.Warnings = append(s.Warnings, t.went(j)...)
	if j.State == call.Retrying {
		s.NextAt = row.Next.UTC().Format(time.RFC3339)
	}
	if j.State == call.Waiting {
		s.Question, s.WaitsUntil = row.Waiting.Question, row.Waiting.Until.UTC().Format(time.RFC3339)
	}
	took := time.Since(row.Created)
	if j.State.Ended() && !row.Outcome.Ended.IsZero() {
		o := row.Outcome
		s.SessionID, s.ExitCode, s.CostUSD, s.Ended = o.NativeSessionID, o.ExitCode, o.CostUSD, o.Ended.UTC().Format(time.RFC3339Nano)
		took = o.Duration
		if o.ErrorClass != "" {
			s.Error = &lang.Failure{Class: o.ErrorClass, Message: o.ErrorMessage}
		}
	}
	ms := took.Milliseconds()
	s.DurationMs = &ms
	return s
}

// join is a call that a job answers and that did not start it.
type join struct {
	Tool          string `json:"tool"`
	CorrelationID string `json:"correlationId,omitempty"`
	Client        string `json:"client,omitempty"`
	Created       string `json:"created"`
}

// line is the call as a sentence.
func (j join) line() string {
	text := "Joined at " + j.Created + " by " + j.Tool
	if j.Client != "" {
		text += fmt.Sprintf(" of %q", j.Client)
	}
	if j.CorrelationID != "" {
		text += fmt.Sprintf(", correlationId %q", j.CorrelationID)
	}
	return text
}

// heading is the human name of the program of a job.
func (t *Tools) heading(j call.Job) string {
	if cli, ok := t.Catalog().CLI(j.Row.CLI); ok {
		return cli.DisplayName()
	}
	return j.Row.CLI
}

// promptChars is how much of a prompt a list shows.
const promptChars = 80

// clip is the beginning of a text on one line.
func clip(prompt string) string {
	line := strings.Join(strings.Fields(prompt), " ")
	if utf8.RuneCountInString(line) <= promptChars {
		return line
	}
	return string([]rune(line)[:promptChars-1]) + "…"
}
