package call

import (
	"cmp"
	"context"
	"fmt"

	"github.com/llm-cli-gateway/gateway/engine/catalog/access"
	"github.com/llm-cli-gateway/gateway/engine/lang"
	"github.com/llm-cli-gateway/gateway/engine/policy"
	"github.com/llm-cli-gateway/gateway/engine/store"
)

// Change is what a tool of the gateway itself would change.
type Change struct {
	Tool   string
	CLI    string       // that it is about; "" for none
	Level  access.Level // what doing it amounts to
	By     string       // the command that a person runs instead
	Client Client
}

// byPerson is how a change can be made that was not.
func byPerson(change Change) string { return "a person can run it in a terminal: " + change.By }

// Permit decides whether a change may be made, by the settings and policies that decide
// about calls; nil if it may. Nobody is asked: who may decide can run the command.
func (s *Service) Permit(ctx context.Context, change Change) *lang.Failure {
	c := s.Catalog()
	ceiling := access.Ceiling{}
	if s.Ceilings != nil {
		var err error
		if ceiling, err = s.Ceilings.Ceiling(ctx); err != nil {
			return &lang.Failure{Class: lang.ClassRecord, Message: "it cannot be found out what may be done here at most: " + err.Error()}
		}
	}
	nested := ceiling
	ceiling = c.Ceiling(ceiling)
	if ceiling.Level != access.None && change.Level > ceiling.Level {
		return &lang.Failure{Class: aboveClass(ceiling, nested), Message: fmt.Sprintf("%s has the level %q, and %s may have at most %q; nothing was done", change.Tool, change.Level, ceiling.From, ceiling.Level), Hint: byPerson(change)}
	}
	d := policy.Decide(c.Approval, c.Settings.Approvals, policy.Question{
		Asked: change.Tool, Hits: c.Approval.Hits(policy.Facts{CLI: change.CLI, Mode: lang.New, Dangers: []string{}, Access: change.Level.String(), Place: policy.Place{Trusted: true}}),
	})
	a := Approval{Strategy: d.Strategy, Policy: d.Policy, Verdict: Denied, By: byPolicy, Score: d.Score, Reasons: d.Reasons, Note: d.Note, Catalog: c.Digest()}
	if d.Strategy != policy.Managed {
		a.By = bySetting
	}
	switch d.Verdict {
	case policy.Approve:
		a.Verdict = Approved
	case policy.Human:
		a.decide(unavailable)
	}
	if a.Strategy == policy.Managed || a.Verdict == Denied {
		a.ID = store.NewID()
		row := a.Row(store.Job{Principal: store.Local, Tool: change.Tool, CLI: cmp.Or(change.CLI, lang.Everything), ClientName: change.Client.Name, ClientVersion: change.Client.Version})
		if err := s.RecordDecision(context.WithoutCancel(ctx), row); err != nil {
			return &lang.Failure{Class: lang.ClassRecord, Message: "the decision cannot be recorded: " + err.Error(), Hint: "what cannot be recorded is not done"}
		}
	}
	if a.Verdict == Approved {
		return nil
	}
	if d.Verdict == policy.Human {
		return &lang.Failure{Class: lang.ClassDenied, Message: "nothing was done: a person has to decide about it" + list(a.Reasons), Hint: byPerson(change)}
	}
	return &lang.Failure{Class: lang.ClassDenied, Message: a.Denial()}
}
