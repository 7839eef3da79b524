package tools

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/llm-cli-gateway/gateway/engine/call"
	"github.com/llm-cli-gateway/gateway/engine/catalog/access"
	"github.com/llm-cli-gateway/gateway/engine/catalog/mcpservers"
	"github.com/llm-cli-gateway/gateway/engine/catalog/optimize"
	"github.com/llm-cli-gateway/gateway/engine/lang"
)

// structured is a result for programs, ids first and the answer last: clients that
// shorten results keep their heads. The answer is Result.Response.
type structured struct {
	Status        string                `json:"status"`
	JobID         string                `json:"jobId,omitempty"`
	Joined        bool                  `json:"joined,omitempty"`      // the call did not start the job
	AnswerAgeMs   int64                 `json:"answerAgeMs,omitempty"` // of the answer of a job that had ended when the call joined it
	CLI           string                `json:"cli,omitempty"`
	Model         string                `json:"model,omitempty"`
	SessionID     string                `json:"sessionId,omitempty"`
	CorrelationID string                `json:"correlationId,omitempty"`
	ExitCode      *int                  `json:"exitCode,omitempty"`
	DurationMs    *int64                `json:"durationMs,omitempty"`
	Usage         map[string]int64      `json:"usage,omitempty"`
	UsageScope    string                `json:"usageScope,omitempty"`
	CostUSD       *float64              `json:"costUsd,omitempty"`
	CostScope     string                `json:"costScope,omitempty"`
	Approval      *call.Approval        `json:"approval,omitempty"`
	MCP           *mcpservers.Selection `json:"mcpServers,omitempty"`
	Access        *access.Access        `json:"access,omitempty"`
	Cwd           string                `json:"cwd,omitempty"` // in which it runs

	Optimization *optimize.Savings `json:"optimization,omitempty"`

	Asked    string        `json:"asked,omitempty"`    // the CLI that was asked, where another one answered
	Attempts []attempt     `json:"attempts,omitempty"` // of a call that had more than one
	Warnings []string      `json:"warnings,omitempty"`
	Error    *lang.Failure `json:"error,omitempty"`

	// Of jobs only.
	Question   string `json:"question,omitempty"`   // of one that waits for a person
	WaitsUntil string `json:"waitsUntil,omitempty"` // likewise
	Durable    *bool  `json:"durable,omitempty"`
	Position   int    `json:"position,omitempty"`
	Pid        int    `json:"pid,omitempty"`
	Created    string `json:"created,omitempty"`
	Ended      string `json:"ended,omitempty"`
	NextAt     string `json:"nextAt,omitempty"` // when the next attempt starts
	Canceling  bool   `json:"canceling,omitempty"`
	JoinedBy   []join `json:"joinedBy,omitempty"` // further calls that it answers, newest first
	Printed    *int64 `json:"outputBytes,omitempty"`
	Truncated  *bool  `json:"truncated,omitempty"`
	TotalChars *int   `json:"totalChars,omitempty"`
	NextOffset *int   `json:"nextOffset,omitempty"`

	StdoutChars *int    `json:"stdoutChars,omitempty"` // of all of it
	StderrChars *int    `json:"stderrChars,omitempty"`
	Stderr      *string `json:"stderr,omitempty"`
	Stdout      *string `json:"stdout,omitempty"`
}

func hintText(f lang.Failure) string {
	if f.Hint == "" {
		return ""
	}
	return "\nHint: " + f.Hint
}

func failureText(heading string, f lang.Failure) string {
	text := fmt.Sprintf("%s failed (%s): %s", heading, f.Class, f.Message) + hintText(f)
	if f.Retryable {
		text += "\nThe same call may succeed later."
		if f.RetryAfterMs > 0 {
			text = strings.TrimSuffix(text, ".") + fmt.Sprintf(", after %d ms.", f.RetryAfterMs)
		}
	}
	return text
}

// trailer is the structure as one line, for clients that show only text. What a CLI
// or a caller chose is quoted where it could be taken for a part of the line.
func trailer(s structured) string {
	var b strings.Builder
	put := func(name, v string) {
		if v == "" {
			return
		}
		if b.Len() > 0 {
			b.WriteByte(' ')
		}
		if strings.ContainsFunc(v, func(c rune) bool { return !strconv.IsGraphic(c) || strings.ContainsRune(" []=\"", c) }) {
			v = strconv.Quote(v)
		}
		b.WriteString(name + "=" + v)
	}
	put("status", s.Status)
	put("jobId", s.JobID)
	if s.Joined {
		put("joined", "true")
	}
	if s.AnswerAgeMs > 0 {
		put("answerAgeMs", strconv.FormatInt(s.AnswerAgeMs, 10))
	}
	if s.Position > 0 {
		put("position", strconv.Itoa(s.Position))
	}
	if n := len(s.Attempts); n > 0 {
		put("attempts", strconv.Itoa(n))
	}
	put("asked", s.Asked)
	put("cli", s.CLI)
	put("model", s.Model)
	put("sessionId", s.SessionID)
	put("correlationId", s.CorrelationID)
	if s.ExitCode != nil {
		put("exitCode", strconv.Itoa(*s.ExitCode))
	}
	if s.DurationMs != nil {
		put("durationMs", strconv.FormatInt(*s.DurationMs, 10))
	}
	for _, name := range slices.Sorted(maps.Keys(s.Usage)) {
		put(name, strconv.FormatInt(s.Usage[name], 10))
	}
	put("usageScope", s.UsageScope)
	if s.CostUSD != nil {
		put("costUsd", strconv.FormatFloat(*s.CostUSD, 'f', -1, 64))
	}
	put("costScope", s.CostScope)
	if s.Access != nil {
		put("access", granted(*s.Access))
	}
	put("cwd", s.Cwd)
	if s.MCP != nil {
		put("mcp", strings.Join(s.MCP.Enabled, ","))
		put("mcpMissing", strings.Join(s.MCP.Missing, ","))
	}
	if o := s.Optimization; o != nil {
		put("promptSaved", saved(o.Prompt))
		put("responseSaved", saved(o.Response))
	}
	if s.Error != nil {
		put("errorClass", s.Error.Class)
	}
	if s.Approval != nil {
		put("approval", s.Approval.String())
	}
	if s.Durable != nil && !*s.Durable {
		put("durable", "false")
	}
	if s.Canceling {
		put("canceling", "true")
	}
	if len(s.JoinedBy) > 0 {
		put("joinedBy", strconv.Itoa(len(s.JoinedBy)))
	}
	if s.TotalChars != nil {
		put("totalChars", strconv.Itoa(*s.TotalChars))
	}
	if s.NextOffset != nil {
		put("nextOffset", strconv.Itoa(*s.NextOffset))
	}
	line := "[" + b.String() + "]"
	for _, w := range slices.Concat(s.Warnings, s.Optimization.Notes()) {
		line += "\nWarning: " + strings.ReplaceAll(w, "\n", " ")
	}
	return line
}

// granted is what a call may do, and why unless that is the default.
func granted(a access.Access) string {
	text := a.Level
	if a.Words != a.Level {
		text += ", program " + a.Words
	}
	if a.From != access.FromDefault {
		text += " (" + a.From + ")"
	}
	return text
}

// optimization tells of what was shortened, nil if nothing was to be.
func optimization(prompt, response *optimize.Saving) *optimize.Savings {
	if prompt == nil && response == nil {
		return nil
	}
	return &optimize.Savings{Prompt: prompt, Response: response}
}

// saved is how many characters were saved of how many.
func saved(s *optimize.Saving) string {
	if s == nil {
		return ""
	}
	return fmt.Sprintf("%d/%d", s.Before-s.After, s.Before)
}

// encode is json.Marshal without the escapes that only HTML needs: a model would
// be shown them.
func encode(v any) json.RawMessage {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		panic("tools: results are plain data and always encode: " + err.Error())
	}
	return bytes.TrimRight(b.Bytes(), "\n")
}

// Object is the whole structure as one object, with the response as its last member.
func (r Result) Object() json.RawMessage {
	if r.Bare {
		return r.Structured
	}
	return slices.Concat(bytes.TrimSuffix(r.Structured, []byte("}")), []byte(`,"response":`), encode(r.Response), []byte("}"))
}
