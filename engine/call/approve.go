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
	Approved  = "approved"
	Denied    = "denied"
	Undecided = "waiting" // for a person
)

// Who decided.
const (
	byPolicy  = "policy"
	byHuman   = "human"  // a person, who made a choice
	byClient  = "client" // no choice of a person came back from it
	bySetting = "setting"
)

// Why there is no answer of the person who was to decide.
const (
	unavailable Reply = "unavailable" // the client cannot ask, and nobody else can be asked
	askFailed   Reply = "failed"      // the client could not, or would not, ask, and likewise

	TimedOut  Reply = "timeout"
	Abandoned Reply = "abandoned" // the call was canceled meanwhile
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
	return readApproval(recorded).ByPolicy()
}

// readApproval is a recorded decision; zero where there is none.
func readApproval(recorded json.RawMessage) *Approval {
	var a Approval
	if len(recorded) > 0 && json.Unmarshal(recorded, &a) != nil {
		a = Approval{}
	}
	return &a
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
		if s.canAsk(req) {
			a.Verdict, req.Approval = Undecided, &a
			about, prompt := question(req, d)
			req.Asked = &Asked{Question: about + prompt, Recorded: recorded(req, about, prompt), For: milliseconds(req.Catalog.Settings.Approvals.WaitMs, defaultWait)}
			return nil, nil
		}
		a.decide(unavailable)
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

// Answered is the recorded approval of a job about which a person was to decide, with what
// came back of the question.
func Answered(recorded json.RawMessage, reply Reply) *Approval {
	a := readApproval(recorded)
	a.ID = store.NewID()
	a.decide(reply)
	return a
}

// decide notes what came back of a question: only a choice to approve approves.
func (a *Approval) decide(reply Reply) {
	a.Answer, a.By, a.Verdict = string(reply), decidedBy(reply), Denied
	if reply == ChoseApprove {
		a.Verdict = Approved
	}
}

// decidedBy is who decided where a person was to be asked.
func decidedBy(reply Reply) string {
	switch reply {
	case ChoseApprove, ChoseDeny:
		return byHuman
	case unavailable, TimedOut: // without an answer, the policy's is no
		return byPolicy
	}
	return byClient
}

// record puts a decision into the record and the journal, where a policy made it or it
// denies. A decision that cannot be recorded lets nothing run.
func (s *Service) record(ctx context.Context, req *Request, a *Approval) *lang.Failure {
	if a.Strategy != policy.Managed && a.Verdict == Approved {
		return nil // the row of the call has it
	}
	a.ID = store.NewID()
	job := store.Job{Principal: req.Principal, Tool: req.Tool, CLI: req.Bound.CLI.Name, CorrelationID: req.Bound.CorrelationID, ClientName: req.Client.Name, ClientVersion: req.Client.Version}
	// A call that was cancelled meanwhile is a decision, too.
	if err := s.RecordDecision(context.WithoutCancel(ctx), a.Row(job)); err != nil {
		return &lang.Failure{Class: lang.ClassRecord, Message: "the decision about the call cannot be recorded: " + err.Error(),
			Hint: "a call about which the decision cannot be recorded is not made"}
	}
	return nil
}

// Row is the decision as it is recorded, about the call of a job.
func (a *Approval) Row(job store.Job) store.Approval {
	row := store.Approval{
		ID: a.ID, Principal: job.Principal, Time: time.Now().UTC(), Tool: job.Tool, CLI: job.CLI, Strategy: a.Strategy, Policy: a.Policy, Verdict: a.Verdict,
		By: a.By, Answer: a.Answer, Score: int64(a.Score), Note: a.Note, CatalogDigest: a.Catalog,
		CorrelationID: job.CorrelationID, ClientName: job.ClientName, ClientVersion: job.ClientVersion,
	}
	if len(a.Reasons) > 0 {
		row.Reasons = text.MustJSON(a.Reasons)
	}
	return row
}

// RecordDecision puts a decision into the record and the journal, once: of one that is there
// already nothing more is written. What it says has no secrets there.
func (s *Service) RecordDecision(ctx context.Context, row store.Approval) error {
	secrets := s.Catalog().Secrets
	row.Note, row.CorrelationID = secrets.Redact(row.Note), secrets.Redact(row.CorrelationID)
	if len(row.Reasons) > 0 {
		row.Reasons = json.RawMessage(secrets.Redact(string(row.Reasons)))
	}
	var records Decisions
	var err error
	if s.Decisions != nil {
		records, err = s.Decisions()
	}
	if err == nil && records != nil {
		err = records.RecordApproval(ctx, row)
	}
	if errors.Is(err, store.ErrRecorded) {
		return nil
	}
	if s.Journal.Path != "" {
		err = errors.Join(err, s.Journal.Append(row))
	}
	return err
}

// denial says why a call was not made, and how to ask for less. It never names a wider way:
// who denied the call has decided about that, too.
func denial(req *Request, a Approval) *lang.Failure {
	f := &lang.Failure{Class: lang.ClassDenied, Message: a.Denial(), Hint: "ask for less, so that fewer of these rules hold"}
	dangers := strings.Join(req.Bound.DangersGiven(), ", ")
	if dangers == "" && req.Bound.Access.Explicit {
		dangers = strings.TrimPrefix(req.Bound.Access.From, "argument ")
	}
	if dangers != "" {
		f.Hint = "leave out " + dangers
	}
	if reply := Reply(a.Answer); reply == ChoseDeny || reply == Declined {
		f.Hint += "; do not repeat the call as it is"
	}
	return f
}

// Denial says why nothing was run.
func (a *Approval) Denial() string {
	if a.Strategy != policy.Managed {
		return "nothing was run: " + a.Note
	}
	why := fmt.Sprintf("the policy %s denies a call of score %d", a.Policy, a.Score)
	if a.Answer != "" {
		why = answers[Reply(a.Answer)]
	}
	if a.Note != "" {
		why += " (" + a.Note + ")"
	}
	return "nothing was run: " + why + list(a.Reasons)
}

// answers say why a call that was for a person to decide is denied.
var answers = map[Reply]string{
	ChoseDeny:   "the user was asked and denied it",
	NoChoice:    "a person has to decide about it, and the client accepted the question without a choice of a person: it has answered by itself",
	Declined:    "a person has to decide about it, and the client declined the question",
	Dismissed:   "a person has to decide about it, and the client closed the question without a choice",
	TimedOut:    "a person had to decide about it, and nobody did in time (gateway.approvals.waitMs)",
	Abandoned:   "the call was canceled before a person had decided",
	unavailable: "a person has to decide about it, this client cannot ask one (it declares no elicitation), and nobody else can answer where jobs are kept in memory (gateway.jobs.db)",
	askFailed:   "a person has to decide about it, the client did not ask one, and nobody else can answer where jobs are kept in memory (gateway.jobs.db)",
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
