package session

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"time"

	"github.com/llm-cli-gateway/gateway/engine/catalog"
	"github.com/llm-cli-gateway/gateway/engine/store"
)

// maxLegacy is the most that is read of a file of sessions, in bytes.
const maxLegacy = 16 << 20

// legacy is the file in which an earlier gateway kept its sessions.
type legacy struct {
	Sessions map[string]struct {
		CLI         string
		Description string
		CreatedAt   time.Time
		LastUsedAt  time.Time
	}
	ActiveSession map[string]*string
}

// importLegacy takes the sessions of an earlier gateway over, if no gateway has yet. The file
// stays as it is. What that gateway called a session was seldom the id of a conversation,
// so that the first call begins it; if its CLI has it, it says so, and the next goes on.
func (b *Service) importLegacy(ctx context.Context, records Store) error {
	if _, err := os.Stat(b.Legacy); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if done, err := records.Imported(ctx, b.Legacy); done || err != nil {
		return err
	}
	list, err := Earlier(b.Legacy)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("the sessions of an earlier gateway in %s could not be imported: %w; repair the file or move it away", b.Legacy, err)
	}
	return records.ImportSessions(ctx, b.Legacy, list)
}

// Earlier reads the file in which an earlier gateway kept its sessions; those used last
// come last.
func Earlier(path string) ([]store.Session, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	text, err := io.ReadAll(io.LimitReader(file, maxLegacy+1))
	if err != nil {
		return nil, err
	}
	if len(text) > maxLegacy {
		return nil, fmt.Errorf("it has more than %d bytes", maxLegacy)
	}
	var old legacy
	if err := json.Unmarshal(text, &old); err != nil {
		return nil, err
	}
	now := time.Now()
	var list []store.Session
	for id, was := range old.Sessions {
		if id == "" || was.CLI == "" {
			continue
		}
		s := store.Session{Principal: store.Local, CLI: was.CLI, ID: id, Description: was.Description, Created: was.CreatedAt, Used: was.LastUsedAt}
		if active := old.ActiveSession[was.CLI]; active != nil {
			s.Active = *active == id
		}
		if s.Used.IsZero() {
			s.Used = now
		}
		if s.Created.IsZero() {
			s.Created = s.Used
		}
		list = append(list, s)
	}
	slices.SortFunc(list, func(a, b store.Session) int { return a.Used.Compare(b.Used) })
	return list, nil
}

// firstID is the id under which the CLI begins a session that it does not have yet; "" if
// it chooses one itself.
func firstID(cli *catalog.CLI, s store.Session) string {
	switch {
	case !cli.Creates():
		return ""
	case s.Native != "":
		return s.Native
	case cli.AcceptsID(s.ID):
		return s.ID
	}
	return NewID()
}
