package job

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/llm-cli-gateway/gateway/engine/budget"
	"github.com/llm-cli-gateway/gateway/engine/job/lease"
	"github.com/llm-cli-gateway/gateway/engine/lang"
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

// turnLockTimeout is how long a turn waits for another gateway that starts one, and turnLockPoll
// the time between two attempts: starting takes a few milliseconds.
const turnLockTimeout, turnLockPoll = 5 * time.Second, time.Millisecond

// lockTurn makes the turns of a session queue in the order of their rows: the one
// that begins it must come first. The lock is held until done is called.
func (r *run) lockTurn(ctx context.Context) (done func()) {
	if r.Bound.Session == "" {
		return func() {}
	}
	if os.MkdirAll(r.Pools, 0o700) != nil {
		return func() {}
	}
	// Not in the pool, which is removed when nobody uses it: some sessions share a file.
	name := "order-" + turnPool(r.Bound.CLI.Name, r.Bound.Session)[len(turnPoolPrefix):][:2]
	file, err := os.OpenFile(filepath.Join(r.Pools, name), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return func() {}
	}
	// A gateway that hangs must not block the others for ever.
	for deadline := time.Now().Add(turnLockTimeout); !lease.Lock(file) && ctx.Err() == nil && time.Now().Before(deadline); {
		time.Sleep(turnLockPoll)
	}
	return func() { file.Close() }
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
	turn, wait := "its first turn", "call again"
	if found, err := r.records.FindSessions(ctx, r.Principal, r.Bound.CLI.Name, r.Bound.Session); err == nil && len(found) > 0 && found[0].Opener != "" {
		turn += ", job " + found[0].Opener + ","
		wait = fmt.Sprintf("wait for the end of that job (llm_job_status with jobId %q and waitMs), then call again", found[0].Opener)
	}
	return &lang.Failure{Class: lang.ClassBusy, Retryable: true,
		Message: fmt.Sprintf("the session %s is in %s and has no id yet, so it cannot be continued; nothing was run", r.Bound.Session, turn),
		Hint:    wait + "; or pass createNewSession"}
}

// sessionWarnings says what is not certain about which conversation an ended job continued.
func (r *Runner) sessionWarnings(row store.Job) []string {
	if row.Mode != string(lang.Latest) || row.Outcome.Ending != store.EndOK {
		return nil
	}
	name := row.CLI
	if cli, ok := r.Current().CLI(row.CLI); ok {
		name = cli.DisplayName()
	}
	native := row.Outcome.NativeSessionID
	if native == "" {
		return []string{name + " does not say which conversation this was, nor whether there was one to continue"}
	}
	records, err := r.Record()
	if err != nil {
		return nil
	}
	found, err := records.FindSessions(context.Background(), row.Principal, row.CLI, native)
	if err != nil || len(found) == 0 || found[0].Opener != row.ID {
		return nil
	}
	return []string{fmt.Sprintf("nothing is known of an earlier turn of the conversation %s: it began outside of the gateway, or %s had none to continue and began a new one", native, name)}
}
