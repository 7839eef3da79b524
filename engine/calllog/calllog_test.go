package calllog_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/llm-cli-gateway/gateway/engine/call"
	"github.com/llm-cli-gateway/gateway/engine/calllog"
	"github.com/llm-cli-gateway/gateway/engine/catalog"
	"github.com/llm-cli-gateway/gateway/engine/catalog/extract"
	"github.com/llm-cli-gateway/gateway/engine/lang"
	"github.com/llm-cli-gateway/gateway/engine/lang/langtest"
	"github.com/llm-cli-gateway/gateway/engine/secret"
	"github.com/llm-cli-gateway/gateway/engine/store"
)

const key = "sk" + "-ant-api03-abcdefghijkl"

// logged is a log and what was written to it since the last look.
type logged struct {
	*calllog.Log
	text bytes.Buffer
}

func newLog(t testing.TB, level slog.Level) *logged {
	l := &logged{}
	c := &catalog.Catalog{Secrets: secret.Compile(langtest.Secrets(t), true, lang.NewProblems())}
	l.Log = &calllog.Log{To: slog.New(slog.NewTextHandler(&l.text, &slog.HandlerOptions{Level: level})), Current: func() *catalog.Catalog { return c }, Serving: true}
	return l
}

var volatile = regexp.MustCompile(`time=\S+ |ms=\d+ ?|msg="?`)

// lines is what was written, without what differs from run to run.
func (l *logged) lines() string {
	text := strings.TrimSpace(volatile.ReplaceAllString(l.text.String(), ""))
	l.text.Reset()
	return text
}

// enter begins a call.
func (l *logged) enter(id, prompt string) (*calllog.Entry, *call.Request) {
	req := &call.Request{Tool: "acme_request", Client: call.Client{Name: "script"}}
	e := l.Enter(req)
	if req.OnBound != nil {
		req.Bound = &catalog.Call{CorrelationID: id, Model: "fast", Prompt: prompt}
		req.OnBound(req)
	}
	return e, req
}

func ended(ending store.Ending) store.Job {
	return store.Job{ID: "j", Tool: "acme_request", CorrelationID: "mine", Outcome: store.Outcome{Ending: ending, Response: "done"}}
}

func TestLines(t *testing.T) {
	failure := &lang.Failure{Class: "quota", Message: "it says: a private text", RetryAfterMs: 1500}
	running := call.Job{State: call.Running, Row: store.Job{ID: "j"}}
	for name, c := range map[string]struct {
		out  *call.Outcome
		err  error
		want string
	}{
		"an answer":     {&call.Outcome{Job: call.Job{State: call.Completed, Row: store.Job{ID: "j"}}, Completion: &call.Completion{Answer: extract.Answer{Text: "four", Model: "fast-2"}}}, nil, `level=INFO call ended" tool=acme_request correlationId=mine outcome=completed job=j answerBytes=4 answeredBy=fast-2`},
		"joined":        {&call.Outcome{Job: call.Job{State: call.Completed, Joined: true, Row: store.Job{ID: "j"}}, Completion: &call.Completion{}}, nil, `level=INFO call ended" tool=acme_request correlationId=mine outcome=completed job=j joined=true answerBytes=0`},
		"a failed one":  {&call.Outcome{Job: call.Job{State: call.Failed, Row: store.Job{ID: "j"}}, Completion: &call.Completion{Answer: extract.Answer{Failure: failure}}}, nil, `level=WARN call ended" tool=acme_request correlationId=mine outcome=failed job=j answerBytes=0 class=quota retryAfterMs=1500`},
		"refused":       {&call.Outcome{Refused: true, Failure: failure}, nil, `level=WARN call ended" tool=acme_request correlationId=mine outcome=refused class=quota retryAfterMs=1500`},
		"it goes on":    {&call.Outcome{Job: running}, nil, `level=INFO call ended" tool=acme_request correlationId=mine outcome=running job=j`},
		"more is asked": {nil, &call.InputRequired{Roots: true}, `level=INFO call ended" tool=acme_request correlationId=mine outcome=input_required`},
		"our mistake":   {nil, errors.New("no " + key), `level=ERROR call ended" tool=acme_request correlationId=mine outcome=error error="no [redacted]"`},
	} {
		l := newLog(t, slog.LevelInfo)
		e, req := l.enter("mine", "a private text")
		if got, want := l.lines(), `level=INFO call begins" tool=acme_request correlationId=mine promptBytes=14 model=fast client=script`; got != want {
			t.Errorf("%s: %s\nwant %s", name, got, want)
		}
		if c.out != nil {
			c.out.Request = req
		}
		e.End(req, c.out, c.err)
		if got := l.lines(); got != c.want {
			t.Errorf("%s: %s\nwant %s", name, got, c.want)
		}
	}
}

// What was not understood has both lines, and what is known of it.
func TestNotUnderstood(t *testing.T) {
	l := newLog(t, slog.LevelInfo)
	for args, want := range map[string]string{
		`{"prompt":"a private text","model":"` + key + `","correlationId":"mine"}`: `tool=acme_request correlationId=mine promptBytes=14 model=[redacted]`,
		`{"prompt":12,"correlationId":["mine"]}`:                                   `promptBytes=0`,
		`nonsense`:                                                                 `promptBytes=0`,
		``:                                                                         `promptBytes=0`,
	} {
		req := &call.Request{Tool: "acme_request", Args: json.RawMessage(args)}
		l.Enter(req).End(req, &call.Outcome{Request: req, Refused: true, Failure: &lang.Failure{Class: lang.ClassUsage}}, nil)
		first, second, _ := strings.Cut(l.lines(), "\n")
		id := regexp.MustCompile(`correlationId=\S+`)
		if !strings.Contains(first, want) || !strings.Contains(second, "outcome=refused class=invalid_call") || id.FindString(first) != id.FindString(second) || id.FindString(first) == "" {
			t.Errorf("%s: %s\n%s", args, first, second)
		}
	}
}

// A job has a line of its own when no call waits for it.
func TestJobs(t *testing.T) {
	const line = `level=INFO job ended" tool=acme_request correlationId=mine job=j outcome=completed answerBytes=4`
	l := newLog(t, slog.LevelInfo)
	running, completed := call.Job{State: call.Running, Row: store.Job{ID: "j"}}, call.Job{State: call.Completed, Row: store.Job{ID: "j"}}

	l.JobEnded(ended(store.EndOK)) // of another gateway
	if got := l.lines(); got != line {
		t.Errorf("%s\nwant %s", got, line)
	}
	e, req := l.enter("mine", "")
	l.JobEnded(ended(store.EndOK))
	e.End(req, &call.Outcome{Request: req, Job: completed, Completion: &call.Completion{}}, nil)
	if got := l.lines(); strings.Contains(got, "job ended") {
		t.Errorf("told twice: %s", got)
	}
	e, req = l.enter("mine", "")
	other, same := l.enter("mine", "") // with the same id
	e.End(req, &call.Outcome{Request: req, Job: running}, nil)
	other.End(same, &call.Outcome{Request: same, Job: running}, nil)
	l.lines()
	failed := ended(store.EndError)
	failed.Outcome.ErrorClass = "quota"
	l.JobEnded(failed)
	if got, want := l.lines(), `level=WARN job ended" tool=acme_request correlationId=mine job=j outcome=failed class=quota answerBytes=4`; got != want {
		t.Errorf("%s\nwant %s", got, want)
	}
	e, req = l.enter("mine", "")
	l.JobEnded(ended(store.EndOK)) // just when the call does not wait any more
	e.End(req, &call.Outcome{Request: req, Job: running}, nil)
	if got := l.lines(); !strings.HasSuffix(got, line) {
		t.Errorf("not told: %s", got)
	}
}

func TestAttempts(t *testing.T) {
	l := newLog(t, slog.LevelInfo)
	l.AttemptFailed(ended(""), store.Attempt{N: 1, Next: store.NextRetry, Wait: 1500 * time.Millisecond, Breaker: store.BreakerOpen, Outcome: store.Outcome{ErrorClass: "quota", ErrorMessage: "a private text"}})
	if got, want := l.lines(), `level=WARN attempt failed" tool=acme_request correlationId=mine job=j attempt=1 class=quota next=retry waitMs=1500 breaker=open`; got != want {
		t.Errorf("%s\nwant %s", got, want)
	}
}

// Texts are for debugging only, and without secrets then.
func TestTexts(t *testing.T) {
	l := newLog(t, slog.LevelDebug)
	e, req := l.enter("mine "+key, "with "+key)
	e.End(req, &call.Outcome{Request: req, Job: call.Job{State: call.Failed}, Completion: &call.Completion{Answer: extract.Answer{Text: "four " + key, Failure: &lang.Failure{Class: "quota", Message: "no " + key}}}}, nil)
	l.Builtin("llm_job_list", time.Millisecond, false)
	got := l.lines()
	for _, want := range []string{`prompt="with [redacted]"`, `answer="four [redacted]"`, `error="no [redacted]"`, `correlationId="mine [redacted]"`, "llm_job_list"} {
		if !strings.Contains(got, want) {
			t.Errorf("no %s in %s", want, got)
		}
	}
	if strings.Contains(got, key) {
		t.Error(got)
	}
}

func TestNothingIsWritten(t *testing.T) {
	l := newLog(t, slog.LevelInfo)
	l.Serving = false // a command shows its result itself
	e, req := l.enter("mine", "x")
	e.End(req, &call.Outcome{Request: req, Failure: &lang.Failure{}}, nil)
	l.JobEnded(ended(store.EndError))
	l.Builtin("llm_job_list", 0, true)
	if got := l.lines(); got != "" || e != nil {
		t.Error(got)
	}
	(*calllog.Log)(nil).Enter(req).End(req, nil, nil)
	(*calllog.Log)(nil).JobEnded(store.Job{})
	(*calllog.Log)(nil).AttemptFailed(store.Job{}, store.Attempt{})
	(*calllog.Log)(nil).Builtin("", 0, true)
}

func BenchmarkCall(b *testing.B) {
	l := newLog(b, slog.LevelInfo)
	l.To = slog.New(slog.NewTextHandler(io.Discard, nil))
	prompt := strings.Repeat("a word ", 15_000)
	out := &call.Outcome{Job: call.Job{State: call.Completed, Row: store.Job{ID: "j"}}, Completion: &call.Completion{Answer: extract.Answer{Text: prompt}}}
	if !l.To.Enabled(context.Background(), slog.LevelInfo) {
		b.Fatal("nothing is written")
	}
	for b.Loop() {
		e, req := l.enter("c39702b8-9eb7-4a05-866b-6f70eab7cd01", prompt)
		out.Request = req
		e.End(req, out, nil)
	}
}
