package call

import (
	"context"
	"encoding/json"
	"time"

	"github.com/llm-cli-gateway/gateway/engine/catalog"
	"github.com/llm-cli-gateway/gateway/engine/catalog/access"
	"github.com/llm-cli-gateway/gateway/engine/lang"
	"github.com/llm-cli-gateway/gateway/engine/policy"
)

// Alternative is a call that is made instead if the one before it failed for good.
type Alternative struct {
	Bound *catalog.Call
	Args  json.RawMessage // by which it was bound
	On    []string        // classes of failure; nil for those that may pass
}

// instead finds who is asked if the call fails, while nothing depends on it yet. Each is bound,
// placed and approved for itself, and may do no more than the call; a person is asked for
// none of them.
func (s *Service) instead(ctx context.Context, req *Request) (*lang.Failure, error) {
	req.Instead = nil
	for _, rule := range req.Bound.CLI.Fallback {
		if alternative, _ := s.alternative(ctx, req, rule); alternative != nil {
			req.Instead = append(req.Instead, *alternative)
		}
	}
	return nil, nil
}

// alternative is the call that a rule names, or why there is none.
func (s *Service) alternative(ctx context.Context, req *Request, rule lang.FallbackSpec) (*Alternative, string) {
	bound := req.Bound
	if bound.GivenModel() && !rule.Named {
		return nil, "the call names its model"
	}
	cli := bound.CLI
	if rule.CLI != "" {
		other, ok := req.Catalog.CLI(rule.CLI)
		switch {
		case !ok:
			return nil, "there is no CLI " + rule.CLI
		case bound.Mode != lang.New:
			return nil, "the conversation is one of " + cli.DisplayName()
		case cli.HasLevels() && bound.Access.Words != bound.Access.Level:
			return nil, "what the call may do there is left to " + cli.DisplayName()
		}
		cli = s.Installed(ctx, req.Catalog, other)
	}
	args, err := argumentsFor(req, rule)
	if err != nil {
		return nil, err.Error()
	}
	other := &Request{Principal: req.Principal, Tool: cli.Tool(), Args: args, Client: req.Client, Catalog: req.Catalog, Dir: req.Dir, Place: req.Place, Roots: req.Roots}
	failure, err := s.bind(ctx, other)
	if failure == nil && err == nil && rule.CLI == "" && bound.Mode == lang.Resume {
		turn, wrong := other.Bound.InConversation(bound.Session, bound.Mode, bound.SessionID, bound.Inherited())
		if wrong != nil {
			return nil, wrong.Error()
		}
		other.Bound = turn
	}
	if failure == nil && err == nil {
		failure, err = s.grant(ctx, other)
	}
	switch {
	case err != nil:
		return nil, err.Error()
	case failure != nil:
		return nil, failure.Message
	case access.Named(other.Bound.Access.Level) > access.Named(bound.Access.Level):
		return nil, "it could do more than the call may"
	}
	if d := policy.Decide(req.Catalog.Approval, req.Catalog.Settings.Approvals, req.Catalog.Question(other.Bound)); d.Verdict != policy.Approve {
		return nil, "the policy does not approve it by itself"
	}
	other.Bound.CorrelationID = bound.CorrelationID
	return &Alternative{other.Bound, args, rule.On}, ""
}

// argumentsFor are the arguments of the call that a rule names: those of the call with another
// model, or for another CLI what all of them understand.
func argumentsFor(req *Request, rule lang.FallbackSpec) (json.RawMessage, error) {
	args := map[string]any{}
	if rule.CLI == "" {
		if len(req.Args) > 0 {
			if err := json.Unmarshal(req.Args, &args); err != nil {
				return nil, err
			}
		} else {
			args[catalog.ParamPrompt] = req.Bound.Prompt
		}
	} else {
		args[catalog.ParamPrompt] = req.Bound.Prompt
		if req.Bound.CLI.HasLevels() {
			args[catalog.ParamAccess] = req.Bound.Access.Level
		}
		for name, d := range map[string]time.Duration{catalog.ParamTimeout: req.Bound.Wall, catalog.ParamIdleTimeout: req.Bound.Idle} {
			if d > 0 {
				args[name] = d.Milliseconds()
			}
		}
	}
	if delete(args, catalog.ParamModel); rule.Model != "" {
		args[catalog.ParamModel] = rule.Model
	}
	return json.Marshal(args)
}
