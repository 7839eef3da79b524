package tools

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/llm-cli-gateway/gateway/engine/call"
	"github.com/llm-cli-gateway/gateway/engine/policy"
)

// defaultAsk is for how long a person is waited for where the settings say nothing.
const defaultAsk = 2 * time.Minute

// consult asks the person in front of the client. With a question the call has to be
// made again; else the reply is theirs, or says why there is none.
func (t *Tools) consult(ctx context.Context, c Call, req *call.Request, d policy.Decision) (*Question, Reply) {
	if c.Ask == nil && !c.AskNextRound {
		return nil, noneAsked
	}
	wait := time.Duration(req.Catalog.Settings.Approvals.AskMs) * time.Millisecond
	if wait <= 0 {
		wait = defaultAsk
	}
	text := t.question(c, req, d)
	about := about(c, req, d)
	if c.AskNextRound {
		if c.Answer != nil {
			switch fits, inTime := t.questions.take(c.Answer.State, about, time.Now()); {
			case fits && inTime:
				return nil, c.Answer.Reply
			case fits:
				return nil, noneInTime
			} // else it is the answer to another question, or given twice
		}
		return &Question{Text: text, State: t.questions.put(about, time.Now().Add(wait))}, ""
	}
	if c.Progress != nil {
		c.Progress("waiting for the user, who is asked whether " + req.Bound.CLI.Heading() + " may be called like this")
	}
	asking, stop := context.WithTimeout(ctx, wait)
	defer stop()
	reply, err := c.Ask(asking, text)
	switch {
	case err == nil:
		return nil, reply
	case ctx.Err() != nil:
		return nil, noneLeft
	case errors.Is(asking.Err(), context.DeadlineExceeded):
		return nil, noneInTime
	}
	return nil, noneSaid
}

// question tells a person what they decide about. The words of the caller stand last,
// and quoted, so that they cannot pass for ours.
func (t *Tools) question(c Call, req *call.Request, d policy.Decision) string {
	var b strings.Builder
	fmt.Fprintf(&b, "May %s be called (%s, in %s)? The policy %s leaves it to you: its risk score is %d.", req.Bound.CLI.Heading(), c.Name, req.Dir, d.Policy, d.Score)
	b.WriteString(list(d.Reasons))
	if dared := req.Bound.Dared(); len(dared) > 0 {
		fmt.Fprintf(&b, "\nIt is given: %s", strings.Join(dared, ", "))
	}
	fmt.Fprintf(&b, "\nPrompt: %q", clip(req.Bound.Prompt))
	return b.String()
}

// about identifies what a question is about, so that an answer lets run what was shown
// and nothing else.
func about(c Call, req *call.Request, d policy.Decision) [sha256.Size]byte {
	var args any
	if json.Unmarshal(c.Args, &args) != nil { // bound before, so it can be read
		args = string(c.Args)
	}
	return sha256.Sum256(encode([]any{c.Name, args, req.Dir, req.Catalog.Digest(), d.Policy, d.Score}))
}

// questions are those to which the answer comes with another call. Each is answered
// once. They are lost with the gateway, and asked again.
type questions struct {
	mu   sync.Mutex
	open map[string]open
}

type open struct {
	about [sha256.Size]byte
	until time.Time
}

const (
	// keepLate is for how long an answer that comes too late is known to be one.
	keepLate = 10 * time.Minute
	// maxQuestions bounds what a client can have us remember.
	maxQuestions = 1000
)

// put makes a question and returns the state by which its answer is known, which
// nobody can guess.
func (q *questions) put(about [sha256.Size]byte, until time.Time) (state string) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.open == nil {
		q.open = map[string]open{}
	}
	oldest, first := "", time.Time{}
	for state, o := range q.open {
		if until.Sub(o.until) > keepLate {
			delete(q.open, state)
		} else if first.IsZero() || o.until.Before(first) {
			oldest, first = state, o.until
		}
	}
	if len(q.open) >= maxQuestions {
		delete(q.open, oldest)
	}
	state = newID()
	q.open[state] = open{about, until}
	return state
}

// take closes a question. It fits if it was about the same, and is not taken again.
func (q *questions) take(state string, about [sha256.Size]byte, now time.Time) (fits, inTime bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	o, ok := q.open[state]
	delete(q.open, state)
	return ok && o.about == about, !now.After(o.until)
}
