package call

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/llm-cli-gateway/gateway/engine/policy"
	"github.com/llm-cli-gateway/gateway/engine/session"
	"github.com/llm-cli-gateway/gateway/engine/text"
)

// defaultAsk is how long a person's answer is waited for where the settings say nothing.
const defaultAsk = 2 * time.Minute

// promptChars is how much of a prompt a person is shown who decides about it.
const promptChars = 80

// elicit asks the person in front of the client. The reply is theirs, or says why there
// is none; the error is an *InputRequired where the call has to be made again.
func (s *Service) elicit(ctx context.Context, req *Request, d policy.Decision) (Reply, error) {
	if req.Ask == nil && !req.AskNextRound {
		return unavailable, nil
	}
	wait := time.Duration(req.Catalog.Settings.Approvals.AskMs) * time.Millisecond
	if wait <= 0 {
		wait = defaultAsk
	}
	message := question(req, d)
	if req.AskNextRound {
		subject := subject(req, d)
		if req.Answer != nil {
			switch fits, inTime := s.questions.take(req.Answer.State, subject, time.Now()); {
			case fits && inTime:
				return req.Answer.Reply, nil
			case fits:
				return timedOut, nil
			} // else it is the answer to another question, or given twice
		}
		return "", &InputRequired{Question: &Question{Text: message, State: s.questions.put(subject, time.Now().Add(wait))}}
	}
	if req.Progress != nil {
		req.Progress("waiting for the user, who is asked whether " + req.Bound.CLI.DisplayName() + " may be called like this")
	}
	asking, stop := context.WithTimeout(ctx, req.within(wait))
	defer stop()
	reply, err := req.Ask(asking, message)
	switch {
	case err == nil:
		return reply, nil
	case ctx.Err() != nil:
		return abandoned, nil
	case errors.Is(asking.Err(), context.DeadlineExceeded):
		return timedOut, nil
	}
	return askFailed, nil
}

// question says to a person what they decide about. The words of the caller stand last,
// and quoted, so that they cannot pass for ours.
func question(req *Request, d policy.Decision) string {
	var b strings.Builder
	fmt.Fprintf(&b, "May %s be called (%s, in %s)? The policy %s leaves it to you: its risk score is %d.", req.Bound.CLI.DisplayName(), req.Tool, req.Dir, d.Policy, d.Score)
	b.WriteString(list(d.Reasons))
	if dangers := req.Bound.DangersGiven(); len(dangers) > 0 {
		fmt.Fprintf(&b, "\nIt is given: %s", strings.Join(dangers, ", "))
	}
	fmt.Fprintf(&b, "\nPrompt: %q", text.Head(strings.Join(strings.Fields(req.Bound.Prompt), " "), promptChars))
	return b.String()
}

// subject identifies what a question is about, so that an answer lets run what was shown
// and nothing else.
func subject(req *Request, d policy.Decision) [sha256.Size]byte {
	var args any
	if json.Unmarshal(req.Args, &args) != nil { // bound before, so it can be read
		args = string(req.Args)
	}
	return sha256.Sum256(text.MustJSON([]any{req.Tool, args, req.Dir, req.Catalog.Digest(), d.Policy, d.Score}))
}

// questions are those to which the answer comes with another round of the call. Each is
// answered once. They are lost with the gateway, and asked again.
type questions struct {
	mu   sync.Mutex
	open map[string]pending
}

type pending struct {
	subject [sha256.Size]byte
	until   time.Time
}

const (
	// keepLate is how long an answer that comes too late is known to be one.
	keepLate = 10 * time.Minute
	// maxQuestions bounds what a client can have us remember.
	maxQuestions = 1000
)

// put adds a question and returns the state by which its answer is known, which nobody
// can guess.
func (q *questions) put(subject [sha256.Size]byte, until time.Time) (state string) {
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
	q.open[state] = pending{subject, until}
	return state
}

// take removes a question. It fits if it was about the same, and is not taken again.
func (q *questions) take(state string, subject [sha256.Size]byte, now time.Time) (fits, inTime bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	p, ok := q.open[state]
	delete(q.open, state)
	return ok && p.subject == subject, !now.After(p.until)
}
