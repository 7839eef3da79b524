package call

import (
	"context"
	"errors"

	"github.com/llm-cli-gateway/gateway/engine/catalog"
	"github.com/llm-cli-gateway/gateway/engine/lang"
	"github.com/llm-cli-gateway/gateway/engine/session"
)

// resolve finds the session of which the call is a turn.
func (s *Service) resolve(ctx context.Context, req *Request) (*lang.Failure, error) {
	return s.turn(ctx, req, Sessions.Resolve)
}

// preview is resolve for a call that is not made.
func (s *Service) preview(ctx context.Context, req *Request) (*lang.Failure, error) {
	return s.turn(ctx, req, Sessions.Preview)
}

func (s *Service) turn(ctx context.Context, req *Request, find func(Sessions, context.Context, string, *catalog.Call, string) (*catalog.Call, error)) (*lang.Failure, error) {
	if s.Sessions == nil {
		return nil, nil
	}
	bound, err := find(s.Sessions, ctx, req.Principal, req.Bound, req.Dir)
	if err != nil {
		return SessionFailure(err), nil
	}
	req.Bound = bound
	return nil, nil
}

// SessionFailure is an error about sessions for callers.
func SessionFailure(err error) *lang.Failure {
	var refusal *session.Refusal
	if errors.As(err, &refusal) {
		return &lang.Failure{Class: lang.ClassUsage, Message: refusal.Text, Hint: refusal.Hint}
	}
	return &lang.Failure{Class: lang.ClassRecord, Message: err.Error()}
}
