package session

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"

	"github.com/google/uuid"

	"github.com/llm-cli-gateway/gateway/engine/catalog"
	"github.com/llm-cli-gateway/gateway/engine/store"
)

// Turns knows the turns of conversations that are under way.
type Turns interface {
	// EnclosingTurn is the job in which this gateway itself runs and that is a turn of the
	// conversation, by the CLI's name and the session's id; "" if there is none.
	EnclosingTurn(ctx context.Context, cli, session string) string
}

// Service is where sessions are written down. Its methods may be called from any goroutine.
type Service struct {
	Record func() (Store, error) // the open record of jobs
	Place  string                // the record's file; "" for one in memory
	Legacy string                // the sessions of an earlier gateway, taken over once; "": none

	Turns Turns // under way; nil: this gateway runs in none

	mu       sync.Mutex
	imported Store // whose import was seen to
	problem  error // with it
}

// NewID makes a new unique id: a UUID.
func NewID() string { return uuid.NewString() }

// Refusal says why a request is refused, and what to do.
type Refusal struct{ Text, Hint string }

func (r *Refusal) Error() string { return r.Text }

func refuse(hint, format string, args ...any) error {
	return &Refusal{Text: fmt.Sprintf(format, args...), Hint: hint}
}

// List is a page of sessions.
type List struct {
	Sessions []store.Session   // the last used first
	Total    int               // also those that are not on the page
	Active   map[string]string // ids of the active ones, by their CLIs
}

// Create makes a session of a CLI. Its first call begins the conversation.
func (b *Service) Create(ctx context.Context, principal string, cli *catalog.CLI, description string, active bool) (store.Session, error) {
	if !cli.Converses() {
		return store.Session{}, refuse("call it without a session", "%s has no conversations that can be continued", cli.DisplayName())
	}
	s := store.Session{Principal: principal, CLI: cli.Name, ID: NewID(), Description: description, Active: active}
	if cli.Creates() {
		s.Native = s.ID
	} else {
		s.ID = catalog.OwnPrefix + s.ID
	}
	records, err := b.open(ctx)
	if err != nil {
		return store.Session{}, err
	}
	if err := records.CreateSession(ctx, s); err != nil {
		return store.Session{}, err
	}
	return b.Get(ctx, principal, cli.Name, s.ID)
}

// List returns the sessions of a principal for a CLI, or for all if cli is empty.
func (b *Service) List(ctx context.Context, principal, cli string, limit int) (List, error) {
	records, err := b.open(ctx)
	if err != nil {
		return List{}, err
	}
	list := List{Active: map[string]string{}}
	if list.Sessions, list.Total, err = records.Sessions(ctx, principal, cli, limit); err != nil {
		return List{}, err
	}
	active, err := records.ActiveSessions(ctx, principal)
	for _, s := range active {
		if cli == "" || cli == s.CLI {
			list.Active[s.CLI] = s.ID
		}
	}
	return list, err
}

// Get returns the session of a principal that has an id, as callers or as its CLI name it; with an
// empty cli, of any CLI. The error is a *Refusal if there is none, or more than one.
func (b *Service) Get(ctx context.Context, principal, cli, id string) (store.Session, error) {
	records, err := b.open(ctx)
	if err != nil {
		return store.Session{}, err
	}
	found, err := records.FindSessions(ctx, principal, cli, id)
	switch {
	case err != nil:
		return store.Session{}, err
	case len(found) == 0:
		return store.Session{}, noSession(cli, id)
	}
	for _, s := range found[1:] {
		if s.CLI != found[0].CLI {
			return store.Session{}, refuse("pass cli", "both %s and %s have a session %s", found[0].CLI, s.CLI, id)
		}
	}
	return found[0], nil
}

func noSession(cli, id string) error {
	of := ""
	if cli != "" {
		of = " of " + cli
	}
	return refuse("session_list lists them; unused ones are removed after a time (gateway.sessions.retentionDays)", "there is no session %q%s", id, of)
}

// Activate makes a session the active one of its CLI. With an empty id none is.
func (b *Service) Activate(ctx context.Context, principal string, cli *catalog.CLI, id string) (store.Session, error) {
	records, err := b.open(ctx)
	if err != nil {
		return store.Session{}, err
	}
	if id == "" {
		return store.Session{Principal: principal, CLI: cli.Name}, records.ActivateSession(ctx, principal, cli.Name, "")
	}
	s, err := b.find(ctx, records, principal, cli, id)
	if err != nil {
		return store.Session{}, err
	}
	if s.ID == "" {
		return store.Session{}, noSession(cli.Name, id)
	}
	err = records.ActivateSession(ctx, principal, cli.Name, s.ID)
	if errors.Is(err, store.ErrNoSession) { // deleted meanwhile
		err = noSession(cli.Name, id)
	}
	s.Active = true
	return s, err
}

// find is the session of a CLI that has an id, if there is one. That of another CLI is a
// *Refusal.
func (b *Service) find(ctx context.Context, records Store, principal string, cli *catalog.CLI, id string) (store.Session, error) {
	found, err := records.FindSessions(ctx, principal, "", id)
	if err != nil || len(found) == 0 {
		return store.Session{}, err
	}
	for _, s := range found {
		if s.CLI == cli.Name {
			return s, nil
		}
	}
	return store.Session{}, refuse("name a session of "+cli.Name+"; session_list lists them", "the session %s belongs to %s, not to %s", id, found[0].CLI, cli.Name)
}

// Delete removes a session from the record. The conversation stays with its CLI.
func (b *Service) Delete(ctx context.Context, principal, cli, id string) (store.Session, error) {
	s, err := b.Get(ctx, principal, cli, id)
	if err != nil {
		return s, err
	}
	records, err := b.open(ctx)
	if err != nil {
		return s, err
	}
	return s, records.DeleteSession(ctx, principal, s.CLI, s.ID)
}

// DeleteAll removes the sessions of a CLI, or all if cli is empty.
func (b *Service) DeleteAll(ctx context.Context, principal, cli string) (removed int, err error) {
	records, err := b.open(ctx)
	if err != nil {
		return 0, err
	}
	return records.DeleteSessions(ctx, principal, cli)
}

// open opens the record, with what an earlier gateway left in it.
func (b *Service) open(ctx context.Context) (Store, error) {
	records, err := b.Record()
	if err != nil {
		return nil, err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.imported == records || b.Legacy == "" || records.Volatile() {
		return records, nil
	}
	b.problem = b.importLegacy(ctx, records)
	b.imported = records
	return records, nil
}

// Problem says why the sessions of an earlier gateway could not be imported; nil if
// they were, or there are none. It is tried again by the next gateway.
func (b *Service) Problem() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.problem
}

// exists reports whether there can be any sessions.
func (b *Service) exists() bool {
	if b.Place == "" {
		return true
	}
	_, err := os.Stat(b.Place)
	return err == nil
}
