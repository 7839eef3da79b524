package job

import (
	"context"
	"errors"
	"strings"

	"github.com/llm-cli-gateway/gateway/engine/budget"
	"github.com/llm-cli-gateway/gateway/engine/lang"
	"github.com/llm-cli-gateway/gateway/engine/session"
	"github.com/llm-cli-gateway/gateway/engine/store"
)

// EnclosingTurn is the job in which this gateway runs and that is a turn of the conversation,
// "" if there is none: such a conversation cannot go on before we have answered.
func (r *Runner) EnclosingTurn(ctx context.Context, cli, conversation string) string {
	records, err := r.Record()
	if err != nil { // the call itself will say so
		return ""
	}
	return r.enclosingTurn(ctx, records, cli, conversation)
}

func (r *Runner) enclosingTurn(ctx context.Context, records Store, cli, conversation string) string {
	for _, outer := range r.outer(ctx, records) {
		if outer.CLI == cli && (strings.EqualFold(outer.Session, conversation) || strings.EqualFold(outer.SessionID, conversation)) {
			return outer.ID
		}
	}
	return ""
}

// beginFailure says why there is no row: it does not fit into a budget, or another call may have
// begun the session first.
func (r *run) beginFailure(ctx context.Context, err error) *lang.Failure {
	if exceeded := (*budget.Exceeded)(nil); errors.As(err, &exceeded) {
		return exceeded.Decision.Failure()
	}
	if !errors.Is(err, store.ErrSessionBegun) {
		return r.recordFailure(ctx, err)
	}
	return session.InFirstTurn(ctx, r.records, r.Principal, r.Bound.CLI.Name, r.Bound.Session)
}
