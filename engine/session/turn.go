package session

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/llm-cli-gateway/gateway/engine/catalog"
	"github.com/llm-cli-gateway/gateway/engine/lang"
	"github.com/llm-cli-gateway/gateway/engine/store"
)

// Resolve is the call as a turn of the session it belongs to, in a working directory: of
// the one that it names, else of the active one. A call that belongs to none comes back
// as it is. The error is a *Refusal if the session and the call do not go together.
func (b *Service) Resolve(ctx context.Context, principal string, call *catalog.Call, dir string) (*catalog.Call, error) {
	cli, asked := call.CLI, call.SessionChoice
	named := asked.ID != ""
	if !cli.Converses() || asked.New && !named || asked.Latest && !named && cli.FindsLatest() {
		return call, nil
	}
	records, err := b.open(ctx)
	if err != nil {
		return nil, err
	}
	var s store.Session
	if named {
		s, err = b.named(ctx, records, principal, call)
	} else {
		s, err = b.current(ctx, records, principal, call, dir)
	}
	if err != nil || s.ID == "" {
		return call, err
	}
	if asked.New && s.Begun {
		return call, nil // the CLI says that it has it
	}
	implied := !named && !asked.Continue && !asked.Latest
	apart := func(format string, args ...any) (*catalog.Call, error) {
		call.Notes = append(call.Notes, fmt.Sprintf("this is a new conversation: the active session "+s.ID+" "+format, args...))
		return call, nil
	}
	var notes []string
	if s.Cwd != "" && !sameDir(s.Cwd, dir) {
		switch {
		case cli.Session.Scope == "":
			notes = append(notes, fmt.Sprintf("the session %s began in %s and goes on in %s", s.ID, s.Cwd, dir))
		case implied:
			return apart("belongs to %s and does not go on in %s", s.Cwd, dir)
		default:
			return nil, refuse("pass workingDir "+s.Cwd+", or createNewSession", "the session %s belongs to the directory %s, and the call is made in %s", s.ID, s.Cwd, dir)
		}
	}
	if implied && b.Turns != nil {
		if outer := b.Turns.EnclosingTurn(ctx, cli.Name, s.ID); outer != "" {
			return apart("is in the middle of a turn, job %s, which makes this call", outer)
		}
	}
	turn, err := continueSession(call, s, implied)
	if err == nil {
		turn.Notes = append(turn.Notes, notes...)
	}
	return turn, err
}

// current is the session of a call that names none: the active one of its CLI, or, where
// the newest is asked for and the CLI cannot find it, the one that was used last in the
// directory.
func (b *Service) current(ctx context.Context, records Store, principal string, call *catalog.Call, dir string) (store.Session, error) {
	cli, asked := call.CLI, call.SessionChoice
	if !asked.Latest {
		s, err := records.ActiveSession(ctx, principal, cli.Name)
		if !errors.Is(err, store.ErrNoSession) {
			return s, err
		}
	}
	if cli.FindsLatest() || !asked.Latest && !asked.Continue {
		return store.Session{}, nil
	}
	list, _, err := records.Sessions(ctx, principal, cli.Name, lookBack)
	for _, s := range list {
		if s.Begun && s.Native != "" && sameDir(s.Cwd, dir) {
			return s, nil
		}
	}
	return store.Session{}, err
}

// lookBack is among how many sessions the last one of a directory is looked for.
const lookBack = 500

// named is the session that a call names, if there is one.
func (b *Service) named(ctx context.Context, records Store, principal string, call *catalog.Call) (store.Session, error) {
	cli, id := call.CLI, call.SessionChoice.ID
	s, err := b.find(ctx, records, principal, cli, id)
	var other *Refusal
	switch {
	case errors.As(err, &other) && call.SessionChoice.New: // an id that other CLIs know is as good as any
		return store.Session{}, nil
	case err == nil && s.ID == "" && catalog.OwnID(id) && !call.SessionChoice.New:
		return s, noSession(cli.Name, id)
	}
	return s, err
}

// continueSession is the call as the first turn of a session, or a later one.
func continueSession(call *catalog.Call, s store.Session, implied bool) (*catalog.Call, error) {
	mode, id := lang.Resume, s.Native
	if !s.Begun || id == "" {
		// If it has begun, its first turn is running and reports the id at its end. Whoever
		// makes the same call joins that; for others there is no place yet.
		mode, id = lang.New, firstID(call.CLI, s)
	}
	turn, wrong := call.InConversation(s.ID, mode, id, keptBy(s))
	if wrong != nil {
		hint := "correct the arguments and call again; nothing was run"
		if implied {
			hint = "the session " + s.ID + " is active and would go on; createNewSession starts another conversation"
		}
		return nil, &Refusal{Text: wrong.Error(), Hint: hint}
	}
	return turn, nil
}

// keptBy is what a session has kept. Nothing is known of one that an earlier gateway began.
func keptBy(s store.Session) (kept catalog.Kept) {
	if len(s.Kept) == 0 || json.Unmarshal(s.Kept, &kept) != nil {
		return catalog.Kept{}
	}
	return kept
}

// Stale reports whether a turn failed because its CLI has the conversation where it
// seemed not to, or the other way round, as is possible as long as none was answered.
// Nothing was done then, and the call can be made again.
func (b *Service) Stale(ctx context.Context, principal string, call *catalog.Call, class string) bool {
	if class != lang.ClassSession || call.Session == "" {
		return false
	}
	s, err := b.Get(ctx, principal, call.CLI.Name, call.Session)
	return err == nil && s.Turns == 0 && s.Begun == (call.Mode == lang.New)
}

// Preview is Resolve for a call that is not made: where there is no record, none is created.
func (b *Service) Preview(ctx context.Context, principal string, call *catalog.Call, dir string) (*catalog.Call, error) {
	if !b.exists() {
		return call, nil
	}
	return b.Resolve(ctx, principal, call, dir)
}

// sameDir reports whether two paths name one directory.
func sameDir(a, b string) bool {
	if filepath.Clean(a) == filepath.Clean(b) {
		return true
	}
	one, err := os.Stat(a)
	if err != nil {
		return false
	}
	other, err := os.Stat(b)
	return err == nil && os.SameFile(one, other)
}

// Ended is what the end of a job means for its session; nil if nothing. The CLI is nil
// where there is no spec of it any more.
func Ended(cli *catalog.CLI, job store.Job) *store.Turn {
	if job.Session == "" && (cli == nil || !cli.Converses()) {
		return nil
	}
	o := job.Outcome
	t := &store.Turn{Principal: job.Principal, CLI: job.CLI, Session: job.Session, Cwd: job.Cwd}
	ok, mode := o.Ending == store.EndOK, lang.Mode(job.Mode)
	if mode == lang.New {
		t.Kept = catalog.KeptIn(job.Args)
	}
	if cli != nil && cli.AcceptsID(o.NativeSessionID) {
		t.Native = o.NativeSessionID
	}
	if !ok && mode == lang.Resume && !strings.EqualFold(t.Native, job.SessionID) {
		t.Native = "" // the answer was given in another conversation
	}
	known := t.Native != "" || job.SessionID != ""
	t.Answered = ok && known
	switch {
	case t.Answered || t.Native != "":
		t.Began = true
	case mode == lang.New && job.SessionID != "" && (o.ErrorClass == lang.ClassSession || ended(o)):
		t.Began = true // the id is in use, or the CLI had time to begin
	case mode == lang.New || o.ErrorClass == lang.ClassSession:
		t.Undone = true
		switch creates := cli != nil && cli.Creates(); {
		case creates && mode == lang.New:
			t.Reset = job.SessionID
		case creates: // there may be enough of it left to be in the way
			t.Reset = NewID()
		}
	}
	return t
}

// ended reports whether a program that ran was ended by us.
func ended(o store.Outcome) bool {
	return o.Ending == store.EndCanceled || o.Ending == store.EndTimeout || o.Ending == store.EndOutputCap
}
