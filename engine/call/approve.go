package call

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/llm-cli-gateway/gateway/engine/lang"
	"github.com/llm-cli-gateway/gateway/engine/policy"
	"github.com/llm-cli-gateway/gateway/engine/store"
	"github.com/llm-cli-gateway/gateway/engine/text"
)

// Approval is a decision about a call, as callers and the record see it.
type Approval struct {
	ID       string       `json:"id,omitempty"` // of its row; decisions that no policy made have none
	Strategy string       `json:"strategy"`
	Policy   string       `json:"policy,omitempty"`
	Verdict  string       `json:"verdict"`
	By       string       `json:"by"`
	Answer   string       `json:"answer,omitempty"`
	Score    int          `json:"score"`
	Reasons  []policy.Hit `json:"reasons,omitempty"`
	Note     string       `json:"note,omitempty"`
	Catalog  string       `json:"catalog"`
}

// Verdicts of an Approval.
const (
	Approved = "approved"
	Denied   = "denied"
)

// Who decided.
const (
	byPolicy  = "policy"
	byHuman   = "human"
	bySetting = "setting"
)

// Why there is no answer of the person who was to decide.
const (
	unavailable = "unavailable" // the client cannot ask
	timedOut    = "timeout"
	askFailed   = "failed" // the client could not, or would not, ask
	abandoned   = "abandoned"
)

// Record is the decision as rows have it; nil for none.
func (a *Approval) Record() json.RawMessage {
	if a == nil {
		return nil
	}
	return text.MustJSON(a)
}

// ReadApproval is a recorded decision, if a policy made it; else nil, because results do
// not show what nobody decided.
func ReadApproval(recorded json.RawMessage) *Approval {
	var a Approval
	if len(recorded) == 0 || json.Unmarshal(recorded, &a) != nil {
		return nil
	}
	return a.ByPolicy()
}

// ByPolicy is the decision if a policy made it, else nil.
func (a *Approval) ByPolicy() *Approval {
	if a == nil || a.Strategy != policy.Managed {
		return nil
	}
	return a
}

// String is a decision in a few words.
func (a *Approval) String() string {
	by := a.By
	if a.Policy != "" {
		by = a.Policy
		if a.By == byHuman {
			by += " and " + byHuman
		}
	}
	return fmt.Sprintf("%s by %s, score %d", a.Verdict, by, a.Score)
}

// approve decides whether the call may run, asks a person where that is for one to
// decide, and notes the decision in the request.
func (s *Service) approve(ctx context.Context, req *Request) (*lang.Failure, error) {
	d := policy.Decide(req.Catalog.Approval, req.Catalog.Settings.Approvals, req.Catalog.Question(req.Bound))
	a := Approval{Strategy: d.Strategy, Policy: d.Policy, Verdict: Denied, By: byPolicy, Score: d.Score, Reasons: d.Reasons, Note: d.Note, Catalog: req.Catalog.Digest()}
	if d.Strategy != policy.Managed {
		a.By = bySetting
	}
	switch d.Verdict {
	case policy.Approve:
		a.Verdict = Approved
	case policy.Human:
		reply, err := s.elicit(ctx, req, d)
		if err != nil {
			return nil, err
		}
		a.Answer = string(reply)
		if reply != unavailable {
			a.By = byHuman
		}
		if reply == Accepted {
			a.Verdict = Approved
		}
	}
	unrecorded := s.record(ctx, req, &a)
	req.Approval = &a
	if a.Verdict == Approved {
		return unrecorded, nil
	}
	failure := denial(req, a)
	if unrecorded != nil {
		failure.Message += "; " + unrecorded.Message
	}
	return failure, nil
}

// record puts a decision into the record and the journal, where a policy made it or it
// denies. A decision that cannot be recorded lets nothing run.
func (s *Service) record(ctx context.Context, req *Request, a *Approval) *lang.Failure {
	if a.Strategy != policy.Managed && a.Verdict == Approved {
		return nil // the row of the call has it
	}
	a.ID = store.NewID()
	row := store.Approval{
		ID: a.ID, Principal: req.Principal, Time: time.Now().UTC(), Tool: req.Tool, CLI: req.Bound.CLI.Name, Strategy: a.Strategy, Policy: a.Policy, Verdict: a.Verdict,
		By: a.By, Answer: a.Answer, Score: int64(a.Score), Note: a.Note, CatalogDigest: a.Catalog,
		CorrelationID: req.Bound.CorrelationID, ClientName: req.Client.Name, ClientVersion: req.Client.Version,
	}
	if len(a.Reasons) > 0 {
		row.Reasons = text.MustJSON(a.Reasons)
	}
	var records Decisions
	var err error
	if s.Decisions != nil {
		records, err = s.Decisions()
	}
	if err == nil && records != nil {
		// A call that was cancelled while somebody was asked is a decision, too.
		err = records.RecordApproval(context.WithoutCancel(ctx), row)
	}
	if s.Journal.Path != "" {
		err = errors.Join(err, s.Journal.Append(row))
	}
	if err != nil {
		return &lang.Failure{Class: lang.ClassRecord, Message: "the decision about the call cannot be recorded: " + err.Error(),
			Hint: "a call about which the decision cannot be recorded is not made"}
	}
	return nil
}

// denial says why a call was not made and how to go on.
func denial(req *Request, a Approval) *lang.Failure {
	f := &lang.Failure{Class: lang.ClassDenied}
	dangers := strings.Join(req.Bound.DangersGiven(), ", ")
	if dangers == "" && req.Bound.Access.Explicit {
		dangers = strings.TrimPrefix(req.Bound.Access.From, "argument ")
	}
	if a.Strategy != policy.Managed {
		f.Message = "nothing was run: " + a.Note
		f.Hint = fmt.Sprintf("leave out %s, or pass approvalStrategy %q, so that a policy decides", dangers, policy.Managed)
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
	if dangers != "" {
		ways[0] = "leave out " + dangers
	}
	switch wider := policy.Wider(req.Catalog.Approval, req.Catalog.Settings.Approvals, req.Catalog.Question(req.Bound)); {
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
	string(Declined):  "the user was asked and declined",
	string(Dismissed): "the user was asked and did not decide",
	unavailable:       "a person has to decide about it, and this client cannot ask one (it declares no elicitation)",
	timedOut:          "the user was asked and did not answer in time (gateway.approvals.askMs, and with the wait for the answer gateway.jobs.syncMs and 5 s)",
	askFailed:         "a person has to decide about it, and the client did not ask one",
	abandoned:         "the call was canceled while the user was asked",
}

// list shows rules that hold, one a line.
func list(reasons []policy.Hit) string {
	var b strings.Builder
	for _, r := range reasons {
		fmt.Fprintf(&b, "\n- %s (%d)", cmp.Or(r.ID, "rule"), r.Score)
		if r.Reason != "" {
			b.WriteString(": " + r.Reason)
		}
	}
	return b.String()
}
