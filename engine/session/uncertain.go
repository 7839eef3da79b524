package session

import (
	"context"
	"fmt"

	"github.com/llm-cli-gateway/gateway/engine/lang"
	"github.com/llm-cli-gateway/gateway/engine/store"
)

// Finder finds sessions in the record.
type Finder interface {
	FindSessions(ctx context.Context, principal, cli, id string) ([]store.Session, error)
}

// Uncertain says what is not certain about which conversation an ended job continued, of a CLI
// that people know by the name.
func Uncertain(records Finder, name string, row store.Job) []string {
	if row.Mode != string(lang.Latest) || row.Outcome.Ending != store.EndOK {
		return nil
	}
	native := row.Outcome.NativeSessionID
	if native == "" {
		return []string{name + " does not say which conversation this was, nor whether there was one to continue"}
	}
	found, err := records.FindSessions(context.Background(), row.Principal, row.CLI, native)
	if err != nil || len(found) == 0 || found[0].Opener != row.ID {
		return nil
	}
	return []string{fmt.Sprintf("nothing is known of an earlier turn of the conversation %s: it began outside of the gateway, or %s had none to continue and began a new one", native, name)}
}

// InFirstTurn is the failure of a call that would continue a session which has no id yet.
func InFirstTurn(ctx context.Context, records Finder, principal, cli, session string) *lang.Failure {
	turn, wait := "its first turn", "call again"
	if found, err := records.FindSessions(ctx, principal, cli, session); err == nil && len(found) > 0 && found[0].Opener != "" {
		turn += ", job " + found[0].Opener + ","
		wait = fmt.Sprintf("wait for the end of that job (llm_job_status with jobId %q and waitMs), then call again", found[0].Opener)
	}
	return &lang.Failure{Class: lang.ClassBusy, Retryable: true,
		Message: fmt.Sprintf("the session %s is in %s and has no id yet, so it cannot be continued; nothing was run", session, turn),
		Hint:    wait + "; or pass createNewSession"}
}
