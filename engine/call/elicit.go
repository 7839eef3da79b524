package call

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/llm-cli-gateway/gateway/engine/lang"
	"github.com/llm-cli-gateway/gateway/engine/policy"
	"github.com/llm-cli-gateway/gateway/engine/session"
	"github.com/llm-cli-gateway/gateway/engine/store"
	"github.com/llm-cli-gateway/gateway/engine/text"
)

// defaultAsk is how long a client shows a question, and defaultWait how long a call waits for
// a decision, where the settings say nothing.
const defaultAsk, defaultWait = 2 * time.Minute, time.Hour

func milliseconds(ms int64, otherwise time.Duration) time.Duration {
	if ms <= 0 {
		return otherwise
	}
	return time.Duration(ms) * time.Millisecond
}

// promptChars is how much of a prompt a person is shown who decides about it.
const promptChars = 80

// canAsk reports whether a person can be asked about the call: by its client, or by anybody who
// sees the job that waits.
func (s *Service) canAsk(req *Request) bool {
	return req.Ask != nil || req.AskNextRound || s.Jobs.Answerable()
}

// ask has the person in front of the client decide about a call whose job waits for that. A
// client that cannot ask, or whose person takes longer than the caller waits, leaves the job
// to whoever answers first.
func (s *Service) ask(next Handler) Handler {
	return HandlerFunc(func(ctx context.Context, req *Request) (*Outcome, error) {
		if req.Asked == nil {
			return next.Call(ctx, req)
		}
		about := subject(req)
		if req.AskNextRound && req.Answer != nil {
			if job, fits := s.questions.take(req.Answer.State, about); fits {
				return s.answered(ctx, req, job)
			} // else it is the answer to another question, or given twice
		}
		out, err := next.Call(ctx, req)
		if err != nil || out.Job.State != Waiting {
			return out, err
		}
		switch {
		case req.AskNextRound:
			state := s.questions.put(about, out.Job, time.Now().Add(req.Asked.For))
			return nil, &InputRequired{Question: &Question{Text: req.Asked.Question, State: state}}
		case req.Ask != nil:
			out.Job = s.elicit(ctx, req, out.Job)
		}
		return s.decided(req, out.Job), nil
	})
}

// answered decides about a job by the answer that came with another round of its call.
func (s *Service) answered(ctx context.Context, req *Request, job Job) (*Outcome, error) {
	answered, err := s.Jobs.Answer(ctx, job.Row.Principal, job.Row.ID, req.Answer.Reply)
	if err != nil { // somebody else was first, or nobody in time
		if answered, err = s.Jobs.Decided(ctx, job, time.Millisecond); err != nil {
			return nil, err
		}
	}
	answered.Joined = job.Joined
	return s.decided(req, answered), nil
}

// decided is the outcome of a call about whose job a person was to decide.
func (s *Service) decided(req *Request, job Job) *Outcome {
	out := &Outcome{Request: req, Job: job}
	if job.State == Waiting {
		return out
	}
	a := readApproval(job.Row.Approval)
	req.Approval = a
	switch end := job.Row.Outcome; {
	case a.Verdict == Denied:
		out.Refused, out.Failure = true, denial(req, *a)
		if end.ErrorClass != "" {
			out.Failure.Class, out.Failure.Message = end.ErrorClass, end.ErrorMessage
		}
	case end.Ending == store.EndStartFailed:
		out.Failure = &lang.Failure{Class: end.ErrorClass, Message: end.ErrorMessage}
	}
	return out
}

// elicit shows the question to the person in front of the client, and waits for a decision
// until the caller wants a result; the client goes on showing it. It returns the job as it
// stands then.
func (s *Service) elicit(ctx context.Context, req *Request, job Job) Job {
	if req.Progress != nil {
		req.Progress("waiting for the user, who is asked whether " + req.Bound.CLI.DisplayName() + " may be called like this")
	}
	wait := min(milliseconds(req.Catalog.Settings.Approvals.AskMs, defaultAsk), req.Asked.For)
	// The question outlives the call, and ends when it is answered, here or elsewhere.
	asking, stop := context.WithTimeout(context.WithoutCancel(ctx), wait)
	waiting, given := context.WithCancel(ctx)
	defer given()
	go func() {
		defer stop()
		_, _ = s.Jobs.Decided(asking, job, 0)
	}()
	go func() {
		defer given() // without an answer there is nothing to wait for
		defer stop()
		reply, err := req.Ask(asking, req.Asked.Question)
		if err != nil {
			if s.Jobs.Answerable() || asking.Err() == context.Canceled {
				return // the job goes on waiting for others, or somebody has decided
			}
			if reply = askFailed; asking.Err() != nil {
				reply = TimedOut
			}
		}
		// An error says that somebody else was first, or that the next one who looks at the
		// job has to try again.
		_, _ = s.Jobs.Answer(asking, job.Row.Principal, job.Row.ID, reply)
	}()
	decided, err := s.Jobs.Decided(waiting, job, req.within(wait))
	if err == nil && ctx.Err() != nil {
		decided, err = s.Jobs.Abandon(ctx, decided)
	} else if err == nil && decided.State == Waiting {
		decided, err = s.Jobs.Decided(ctx, decided, time.Millisecond) // as the answer left it
	}
	if err != nil {
		job.Notes = append(job.Notes, "its state cannot be read: "+err.Error())
		return job
	}
	return decided
}

// question says to a person what they decide about. The words of the caller stand last,
// and quoted, so that they cannot pass for ours.
func question(req *Request, d policy.Decision) (about, prompt string) {
	var b strings.Builder
	fmt.Fprintf(&b, "May %s be called (%s, in %s)? The policy %s leaves it to you: its risk score is %d.", req.Bound.CLI.DisplayName(), req.Tool, req.Dir, d.Policy, d.Score)
	b.WriteString(list(d.Reasons))
	if dangers := req.Bound.DangersGiven(); len(dangers) > 0 {
		fmt.Fprintf(&b, "\nIt is given: %s", strings.Join(dangers, ", "))
	}
	secrets := req.Catalog.Secrets
	prompt = fmt.Sprintf("\nPrompt: %q", text.Head(strings.Join(strings.Fields(secrets.Redact(req.Bound.Prompt)), " "), promptChars))
	return secrets.Redact(b.String()), prompt
}

// recorded is what the record keeps of a question, where a person finds it who is not in front
// of the client.
func recorded(req *Request, about, prompt string) string {
	if lang.Redaction(req.Catalog.Settings.Redact.Prompts) == lang.RedactDrop {
		prompt = "\nThe prompt is not recorded (gateway.redact.prompts)."
	}
	return about + prompt
}

// subject identifies what a question is about, so that an answer lets run what was shown
// and nothing else.
func subject(req *Request) [sha256.Size]byte {
	var args any
	if json.Unmarshal(req.Args, &args) != nil { // bound before, so it can be read
		args = string(req.Args)
	}
	return sha256.Sum256(text.MustJSON([]any{req.Tool, args, req.Dir, req.Catalog.Digest(), req.Approval.Policy, req.Approval.Score}))
}

// questions are those to which the answer comes with another round of the call. Each is
// answered once. They are lost with the gateway, and asked again; their jobs are not.
type questions struct {
	mu   sync.Mutex
	open map[string]pending
}

type pending struct {
	subject [sha256.Size]byte
	job     Job
	until   time.Time
}

const (
	// keepLate is how long an answer that comes too late is known to be one.
	keepLate = 10 * time.Minute
	// maxQuestions bounds what a client can have us remember.
	maxQuestions = 1000
)

// put adds a question about a job and returns the state by which its answer is known, which
// nobody can guess.
func (q *questions) put(subject [sha256.Size]byte, job Job, until time.Time) (state string) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.open == nil {
		q.open = map[string]pending{}
	}
	oldest, first := "", time.Time{}
	for state, p := range q.open {
		if until.Sub(p.until) > keepLate {
			delete(q.open, state)
		} else if first.IsZero() || p.until.Before(first) {
			oldest, first = state, p.until
		}
	}
	if len(q.open) >= maxQuestions {
		delete(q.open, oldest)
	}
	state = session.NewID()
	q.open[state] = pending{subject, job, until}
	return state
}

// take removes a question. It fits if it was about the same, and is not taken again.
func (q *questions) take(state string, subject [sha256.Size]byte) (job Job, fits bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	p, ok := q.open[state]
	delete(q.open, state)
	return p.job, ok && p.subject == subject
}
