// Package calllog writes a line to the log when a call begins and one when it ends, one when
// a job ends for which no call waits any more, and one when an attempt fails that is repeated.
//
// It hides which facts these lines have, and that a call and its job end apart. Below the level of
// debugging it must not write what a prompt or an answer says. It must not know where the log goes.
package calllog

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/llm-cli-gateway/gateway/engine/call"
	"github.com/llm-cli-gateway/gateway/engine/catalog"
	"github.com/llm-cli-gateway/gateway/engine/lang"
	"github.com/llm-cli-gateway/gateway/engine/store"
	"github.com/llm-cli-gateway/gateway/engine/text"
)

// Log writes about calls and jobs. A nil one writes nothing. Its methods may be called from any
// goroutine.
type Log struct {
	To      *slog.Logger
	Current func() *catalog.Catalog // finds secrets
	Serving bool                    // else lines are written for debugging only; set before the first call

	mu   sync.Mutex
	open map[string][]*Entry // calls that have not ended, by their correlation ids
}

// Entry is a call that has begun.
type Entry struct {
	log   *Log
	begun time.Time
	tool  string
	id    string     // correlation id
	ended *store.Job // the job that ended while the call waited
	told  bool       // that it begins
}

// Enter is for a call that arrives: it has a line once its arguments are bound. The caller calls
// End. nil if nothing is to be written.
func (l *Log) Enter(req *call.Request) *Entry {
	if !l.writes() {
		return nil
	}
	e := &Entry{log: l, begun: time.Now(), tool: req.Tool}
	req.OnBound = e.bound
	return e
}

// bound writes that a call begins.
func (e *Entry) bound(req *call.Request) {
	b := req.Bound
	e.begins(req, b.CorrelationID, b.Model, b.Prompt)
	e.log.mu.Lock()
	defer e.log.mu.Unlock()
	if e.log.open == nil {
		e.log.open = map[string][]*Entry{}
	}
	e.log.open[e.id] = append(e.log.open[e.id], e)
}

func (e *Entry) begins(req *call.Request, id, model, prompt string) {
	e.told, e.id = true, text.Head(e.clean(id), longest)
	if e.id == "" {
		e.id = store.NewID()
	}
	attrs := e.attrs()
	attrs = append(attrs, slog.Int("promptBytes", len(prompt)))
	attrs = add(attrs, "model", text.Head(e.clean(model), longest))
	attrs = add(attrs, "client", text.Head(req.Client.Name, longest))
	e.write(slog.LevelInfo, "call begins", e.debugging(attrs, "prompt", prompt))
}

// End writes what became of a call. The outcome may be nil if there is an error.
func (e *Entry) End(req *call.Request, out *call.Outcome, err error) {
	if e == nil {
		return
	}
	if !e.told { // its arguments are not understood
		var given struct{ CorrelationID, Model, Prompt any }
		_ = json.Unmarshal(req.Args, &given)
		e.begins(req, textOf(given.CorrelationID), textOf(given.Model), textOf(given.Prompt))
	}
	level, attrs := e.outcome(out, err)
	e.write(level, "call ended", append(attrs, slog.Int64("ms", time.Since(e.begun).Milliseconds())))
	e.leave(out)
}

func textOf(v any) string { s, _ := v.(string); return s }

// outcome is how a call ended, and how grave that is.
func (e *Entry) outcome(out *call.Outcome, err error) (slog.Level, []slog.Attr) {
	attrs := e.attrs()
	var more *call.InputRequired
	switch {
	case errors.As(err, &more):
		return slog.LevelInfo, append(attrs, slog.String("outcome", "input_required"))
	case err != nil:
		return slog.LevelError, append(attrs, slog.String("outcome", "error"), slog.String("error", e.clean(err.Error())))
	case out.Failure != nil:
		state := call.Failed
		if out.Refused {
			state = "refused"
		}
		attrs = append(attrs, slog.String("outcome", string(state)))
		attrs = add(attrs, "job", out.Job.Row.ID)
		attrs = e.failure(attrs, out.Failure)
		if a := out.Request.Approval.ByPolicy(); a != nil {
			attrs = append(attrs, slog.String("policy", a.Policy), slog.Int("score", a.Score))
		}
		return slog.LevelWarn, attrs
	}
	attrs = append(attrs, slog.String("outcome", string(out.Job.State)), slog.String("job", out.Job.Row.ID))
	if out.Job.Joined {
		attrs = append(attrs, slog.Bool("joined", true))
	}
	if out.Completion == nil {
		return slog.LevelInfo, attrs
	}
	answer := out.Completion.Answer
	attrs = append(attrs, slog.Int("answerBytes", len(answer.Text)))
	attrs = add(attrs, "answeredBy", e.clean(answer.Model))
	if attrs = e.debugging(attrs, "answer", answer.Text); answer.Failure == nil {
		return slog.LevelInfo, attrs
	}
	return slog.LevelWarn, e.failure(attrs, answer.Failure)
}

// failure is what went wrong, without words that a prompt may have.
func (e *Entry) failure(attrs []slog.Attr, f *lang.Failure) []slog.Attr {
	attrs = append(attrs, slog.String("class", f.Class))
	if f.RetryAfterMs > 0 {
		attrs = append(attrs, slog.Int64("retryAfterMs", f.RetryAfterMs))
	}
	return e.debugging(attrs, "error", f.Message)
}

// leave ends the wait of a call. If its job has not ended, or did just now, that is told later.
func (e *Entry) leave(out *call.Outcome) {
	l := e.log
	l.mu.Lock()
	if rest := slices.DeleteFunc(l.open[e.id], func(other *Entry) bool { return other == e }); len(rest) > 0 {
		l.open[e.id] = rest
	} else {
		delete(l.open, e.id)
	}
	ended := e.ended
	l.mu.Unlock()
	if ended != nil && out != nil && out.Failure == nil && !out.Job.State.Ended() {
		l.jobEnded(*ended)
	}
}

// JobEnded is for a job whose end was recorded by this gateway. A call that waits for it tells it
// itself.
func (l *Log) JobEnded(row store.Job) {
	if !l.writes() {
		return
	}
	l.mu.Lock()
	waiting := l.open[row.CorrelationID]
	for _, e := range waiting {
		e.ended = &row
	}
	l.mu.Unlock()
	if len(waiting) == 0 {
		l.jobEnded(row)
	}
}

// Builtin is for a call of a tool of the gateway itself, which begins nothing that lasts: it has
// a line for debugging, and one in any case if it failed.
func (l *Log) Builtin(tool string, took time.Duration, failed bool) {
	if !l.writes() {
		return
	}
	level, outcome := slog.LevelDebug, call.Completed
	if failed {
		level, outcome = slog.LevelWarn, call.Failed
	}
	l.To.LogAttrs(context.Background(), level, "tool used", slog.String("tool", tool), slog.String("outcome", string(outcome)), slog.Int64("ms", took.Milliseconds()))
}

// writes reports whether anything is written about calls.
func (l *Log) writes() bool {
	return l != nil && (l.Serving || l.To.Enabled(context.Background(), slog.LevelDebug))
}

// AttemptFailed is for an attempt of a job that is followed by another one.
func (l *Log) AttemptFailed(row store.Job, a store.Attempt) {
	if !l.writes() {
		return
	}
	attrs := []slog.Attr{slog.String("tool", row.Tool), slog.String("correlationId", row.CorrelationID), slog.String("job", row.ID), slog.Int("attempt", a.N), slog.String("class", a.Outcome.ErrorClass), slog.String("next", a.Next), slog.Int64("waitMs", a.Wait.Milliseconds())}
	l.To.LogAttrs(context.Background(), slog.LevelWarn, "attempt failed", add(attrs, "breaker", string(a.Breaker))...)
}

func (l *Log) jobEnded(row store.Job) {
	o, level := row.Outcome, slog.LevelInfo
	attrs := []slog.Attr{slog.String("tool", row.Tool), slog.String("correlationId", row.CorrelationID), slog.String("job", row.ID), slog.String("outcome", string(call.StateOf(o.Ending)))}
	if o.Ending != store.EndOK {
		level = slog.LevelWarn
		attrs = add(attrs, "class", o.ErrorClass)
	}
	attrs = add(attrs, "answeredBy", cmp.Or(o.Model, row.Model))
	attrs = append(attrs, slog.Int("answerBytes", len(o.Response)), slog.Int64("ms", o.Duration.Milliseconds()))
	l.To.LogAttrs(context.Background(), level, "job ended", attrs...)
}

func (e *Entry) attrs() []slog.Attr {
	return append(make([]slog.Attr, 0, 12), slog.String("tool", text.Head(e.clean(e.tool), longest)), slog.String("correlationId", e.id))
}

// add adds an attribute that is not empty.
func add(attrs []slog.Attr, name, value string) []slog.Attr {
	if value == "" {
		return attrs
	}
	return append(attrs, slog.String(name, value))
}

const (
	shown   = 500 // characters of a text that is logged for debugging
	longest = 200 // of a name that callers choose
)

// debugging adds the beginning of a text at the level of debugging.
func (e *Entry) debugging(attrs []slog.Attr, name, value string) []slog.Attr {
	if !e.log.To.Enabled(context.Background(), slog.LevelDebug) {
		return attrs
	}
	return add(attrs, name, text.Head(e.clean(value), shown))
}

// clean is a text without secrets.
func (e *Entry) clean(s string) string { return e.log.Current().Secrets.Redact(s) }

func (e *Entry) write(level slog.Level, what string, attrs []slog.Attr) {
	e.log.To.LogAttrs(context.Background(), level, what, attrs...)
}
