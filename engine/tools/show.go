package tools

import (
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/llm-cli-gateway/gateway/engine/call"
	"github.com/llm-cli-gateway/gateway/engine/catalog"
	"github.com/llm-cli-gateway/gateway/engine/job"
)

// told says where a job stands, and what else there is to say.
func (t *Tools) told(j call.Job, more string) Result {
	s := t.facts(j)
	text := fmt.Sprintf("Job %s of %s is %s.", j.Row.ID, t.heading(j), j.State)
	if j.State.Ended() && s.Error != nil {
		text = fmt.Sprintf("Job %s: ", j.Row.ID) + failureText(t.heading(j), *s.Error)
	}
	if more != "" {
		text += "\n" + more
	}
	for _, call := range s.JoinedBy {
		text += "\n" + call.line()
	}
	if s.Durable != nil && !*s.Durable && !j.State.Ended() {
		text += "\nIt ends when the gateway that started it does: nothing is durable here (gateway.jobs.db)."
	}
	return Result{Text: []string{text, trailer(s)}, Structured: encode(s), Bare: true}
}

// facts are what is told of a job without its output.
func (t *Tools) facts(j call.Job) structured {
	row := j.Row
	s := structured{
		Status: string(j.State), JobID: row.ID, CLI: row.CLI, Model: row.Model, CorrelationID: row.CorrelationID, Warnings: j.Notes,
		Joined: j.Joined, Durable: &j.Durable, Position: j.Position, Pid: j.Pid, Created: row.Created.UTC().Format(time.RFC3339Nano), Canceling: j.Canceling, Printed: &j.Printed,
		Approval: call.ReadApproval(row.Approval), MCP: j.Equipment(), Optimization: optimization(j.Saved(), nil),
	}
	for _, other := range j.Joins {
		s.JoinedBy = append(s.JoinedBy, join{other.Tool, other.CorrelationID, other.ClientName, other.Created.UTC().Format(time.RFC3339Nano)})
	}
	if !j.State.Ended() {
		s.SessionID = row.Session
	}
	took := time.Since(row.Created)
	if j.State.Ended() && !row.Outcome.Ended.IsZero() {
		o := row.Outcome
		s.SessionID, s.ExitCode, s.CostUSD, s.Ended = o.NativeSessionID, o.ExitCode, o.CostUSD, o.Ended.UTC().Format(time.RFC3339Nano)
		took = o.Duration
		if o.ErrorClass != "" {
			s.Error = &catalog.Failure{Class: o.ErrorClass, Message: o.ErrorMessage}
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

// line tells of it in a line for people.
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
		return cli.Heading()
	}
	return j.Row.CLI
}

// output shows a window onto what a job printed; next is where the one after begins.
func (t *Tools) output(res job.Result, next int) Result {
	s := t.facts(res.Job)
	a := res.Outcome.Answer
	if res.State.Ended() {
		s.Usage, s.UsageScope, s.CostScope = a.Usage, a.Scope, a.CostScope
		s.Warnings = append(s.Warnings, res.Outcome.Warnings...)
		s.Optimization = optimization(res.Saved(), a.Saved)
		if a.SessionID != "" {
			s.SessionID = a.SessionID
		}
		if a.Failure != nil {
			s.Error = a.Failure
		}
	}
	total := max(res.Response.Total, res.Stdout.Total, res.Stderr.Total)
	more := res.Response.More || res.Stdout.More || res.Stderr.More
	s.Truncated, s.TotalChars = &more, &total
	if more {
		s.NextOffset = &next
	}
	s.Stdout, s.Stderr = &res.Stdout.Text, &res.Stderr.Text
	r := Result{Response: res.Response.Text, IsError: res.State.Ended() && res.State != call.Completed}
	put := func(title, text string) {
		if text != "" {
			r.Text = append(r.Text, title+text)
		}
	}
	if s.Error != nil {
		put("", failureText(t.heading(res.Job), *s.Error))
	}
	put("", res.Response.Text)
	if strings.TrimSpace(res.Stdout.Text) != strings.TrimSpace(res.Response.Text) {
		put("Standard output:\n", res.Stdout.Text)
	}
	put("Standard error:\n", res.Stderr.Text)
	r.Text = append(r.Text, trailer(s))
	r.Structured = encode(s)
	return r
}

// entry is a job in a list.
type entry struct {
	JobID      string `json:"jobId"`
	Status     string `json:"status"`
	CLI        string `json:"cli"`
	Model      string `json:"model,omitempty"`
	Created    string `json:"created"`
	DurationMs int64  `json:"durationMs"`
	ErrorClass string `json:"errorClass,omitempty"`
	Prompt     string `json:"prompt,omitempty"`
}

// promptChars is how much of a prompt tells one job from another.
const promptChars = 80

// listing is a list of jobs, one a line.
func (t *Tools) listing(jobs []call.Job) Result {
	entries, lines := []entry{}, []string{}
	for _, j := range jobs {
		s := t.facts(j)
		e := entry{JobID: s.JobID, Status: s.Status, CLI: s.CLI, Model: s.Model, Created: s.Created, DurationMs: *s.DurationMs, Prompt: clip(j.Row.Prompt)}
		if s.Error != nil {
			e.ErrorClass = s.Error.Class
		}
		entries = append(entries, e)
		lines = append(lines, fmt.Sprintf("%s %s %s %s %d ms %q", e.JobID, e.Status, e.CLI, e.Created, e.DurationMs, e.Prompt))
	}
	if len(lines) == 0 {
		lines = append(lines, "There is no such job.")
	}
	return Result{Text: []string{strings.Join(lines, "\n")}, Structured: encode(map[string]any{"jobs": entries}), Bare: true}
}

func clip(prompt string) string {
	line := strings.Join(strings.Fields(prompt), " ")
	if utf8.RuneCountInString(line) <= promptChars {
		return line
	}
	return string([]rune(line)[:promptChars-1]) + "…"
}
