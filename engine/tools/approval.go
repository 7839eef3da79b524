package tools

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/llm-cli-gateway/gateway/engine/call"
	"github.com/llm-cli-gateway/gateway/engine/catalog"
	"github.com/llm-cli-gateway/gateway/engine/policy"
	"github.com/llm-cli-gateway/gateway/engine/store"
)

// approval is a decision as callers and the record are told it.
type approval struct {
	ID       string            `json:"id,omitempty"` // of its row; decisions that no policy made have none
	Strategy string            `json:"strategy"`
	Policy   string            `json:"policy,omitempty"`
	Verdict  string            `json:"verdict"`
	By       string            `json:"by"`
	Answer   string            `json:"answer,omitempty"`
	Score    int               `json:"score"`
	Reasons  []catalog.RiskHit `json:"reasons,omitempty"`
	Note     string            `json:"note,omitempty"`
	Catalog  string            `json:"catalog"`
}

const (
	approved = "approved"
	denied   = "denied"
)

// Who decided.
const (
	byPolicy  = "policy"
	byHuman   = "human"
	bySetting = "setting"
)

// Why there is no answer of the person who was to decide.
const (
	noneAsked  = "unavailable" // the client cannot ask
	noneInTime = "timeout"
	noneSaid   = "failed" // the client could not, or would not, ask
	noneLeft   = "abandoned"
)

// brief is a decision in a few words.
func (a *approval) brief() string {
	by := a.By
	if a.Policy != "" {
		by = a.Policy
		if a.By == byHuman {
			by += " and " + byHuman
		}
	}
	return fmt.Sprintf("%s by %s, score %d", a.Verdict, by, a.Score)
}

// shown is a recorded decision, if a result is to tell it. What no policy decided is
// only on record.
func shown(recorded json.RawMessage) *approval {
	var a approval
	if len(recorded) == 0 || json.Unmarshal(recorded, &a) != nil || a.Strategy != catalog.Managed {
		return nil
	}
	return &a
}

// approve decides whether the call may run, asks a person where that is for one to
// decide, and notes the decision in the request. A result that is not nil ends the call.
func (t *Tools) approve(ctx context.Context, c Call, req *call.Request) *Result {
	d := policy.Decide(req.Catalog, req.Bound)
	a := approval{Strategy: d.Strategy, Policy: d.Policy, Verdict: denied, By: byPolicy, Score: d.Score, Reasons: d.Reasons, Note: d.Note, Catalog: req.Catalog.Digest()}
	if d.Strategy != catalog.Managed {
		a.By = bySetting
	}
	switch d.Verdict {
	case policy.Approve:
		a.Verdict = approved
	case policy.Human:
		question, reply := t.consult(ctx, c, req, d)
		if question != nil {
			return &Result{Question: question}
		}
		a.Answer = string(reply)
		if reply != noneAsked {
			a.By = byHuman
		}
		if reply == Accepted {
			a.Verdict = approved
		}
	}
	failure := t.enter(ctx, c, req, &a)
	req.Approval = encode(a)
	if a.Verdict == denied {
		refusal := t.denial(c, req, a)
		if failure != nil {
			refusal.Message += "; " + failure.Message
		}
		return t.refuse(req, a, refusal)
	}
	if failure != nil {
		return t.refuse(req, a, *failure)
	}
	return nil
}

// enter records a decision, in the record and in the journal, where a policy made it or
// it denies. A decision that cannot be recorded lets nothing run.
func (t *Tools) enter(ctx context.Context, c Call, req *call.Request, a *approval) *catalog.Failure {
	if a.Strategy != catalog.Managed && a.Verdict == approved {
		return nil // the row of the call tells it
	}
	a.ID = store.NewID()
	row := store.Approval{
		ID: a.ID, Time: time.Now().UTC(), Tool: c.Name, CLI: req.Bound.CLI.Name, Strategy: a.Strategy, Policy: a.Policy, Verdict: a.Verdict,
		By: a.By, Answer: a.Answer, Score: int64(a.Score), Note: a.Note, CatalogDigest: a.Catalog,
		CorrelationID: req.Bound.CorrelationID, ClientName: c.Client.Name, ClientVersion: c.Client.Version,
	}
	if len(a.Reasons) > 0 {
		row.Reasons = encode(a.Reasons)
	}
	records, err := t.decisions()
	if err == nil && records != nil {
		// A call that was cancelled while somebody was asked is a decision, too.
		err = records.Approve(context.WithoutCancel(ctx), row)
	}
	if t.Journal.Path != "" {
		err = errors.Join(err, t.Journal.Append(row))
	}
	if err != nil {
		return &catalog.Failure{Class: catalog.ClassRecord, Message: "the decision about the call cannot be recorded: " + err.Error(),
			Hint: "a call about which the decision cannot be recorded is not made"}
	}
	return nil
}

// refuse is the result of a call that was not allowed to run.
func (t *Tools) refuse(req *call.Request, a approval, f catalog.Failure) *Result {
	s := structured{Status: string(call.Failed), CLI: req.Bound.CLI.Name, CorrelationID: req.Bound.CorrelationID, Error: &f, Approval: &a}
	return &Result{Text: []string{failureText(req.Bound.CLI.Heading(), f), trailer(s)}, Structured: encode(s), IsError: true}
}

// denial says why a call was not made and how to go on.
func (t *Tools) denial(c Call, req *call.Request, a approval) catalog.Failure {
	f := catalog.Failure{Class: catalog.ClassDenied}
	dared := strings.Join(req.Bound.Dared(), ", ")
	if a.Strategy != catalog.Managed {
		f.Message = "nothing was run: " + a.Note
		f.Hint = fmt.Sprintf("leave out %s, or pass approvalStrategy %q, so that a policy decides", dared, catalog.Managed)
		return f
	}
	why := fmt.Sprintf("the policy %s denies a call of score %d", a.Policy, a.Score)
	if a.Answer != "" {
		why = answers[a.Answer]
	}
	f.Message = "nothing was run: " + why
	if a.Note != "" {
		f.Message += " (" + a.Note + ")"
	}
	f.Message += list(a.Reasons)
	ways := []string{"ask for less, so that fewer of these rules hold"}
	if dared != "" {
		ways[0] = "leave out " + dared
	}
	switch wider := policy.Wider(req.Catalog, req.Bound); {
	case a.Answer == string(Declined):
		ways = append(ways, "do not repeat the call as it is")
	case len(wider) > 0:
		ways = append(ways, fmt.Sprintf("or, if the user agrees, pass approvalPolicy %q", wider[0]))
	}
	f.Hint = strings.Join(ways, "; ")
	return f
}

// answers say why a call that was for a person to decide is denied.
var answers = map[string]string{
	string(Declined): "the user was asked and declined",
	string(Dropped):  "the user was asked and did not decide",
	noneAsked:        "a person has to decide about it, and this client cannot ask one (it declares no elicitation)",
	noneInTime:       "the user was asked and did not answer in time (gateway.approvals.askMs)",
	noneSaid:         "a person has to decide about it, and the client did not ask one",
	noneLeft:         "the call was canceled while the user was asked",
}

// list tells rules that hold, one a line.
func list(reasons []catalog.RiskHit) string {
	var b strings.Builder
	for _, r := range reasons {
		fmt.Fprintf(&b, "\n- %s (%d)", cmp.Or(r.ID, "rule"), r.Score)
		if r.Reason != "" {
			b.WriteString(": " + r.Reason)
		}
	}
	return b.String()
}

// decisions is the record of decisions, nil if there is none.
func (t *Tools) decisions() (*store.Store, error) {
	if t.Decisions == nil {
		return nil, nil
	}
	return t.Decisions()
}
