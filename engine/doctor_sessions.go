package engine

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"

	"github.com/llm-cli-gateway/gateway/engine/lang"
	"github.com/llm-cli-gateway/gateway/engine/session"
	"github.com/llm-cli-gateway/gateway/engine/store"
	"github.com/llm-cli-gateway/gateway/engine/store/sqlite"
)

// sessionsDetail describes sessions, for programs.
type sessionsDetail struct {
	Total   int               `json:"total"`
	Active  map[string]string `json:"active"`            // ids, by their CLIs
	Stopped []stoppedSession  `json:"stopped,omitempty"` // those that cannot go on
}

type stoppedSession struct {
	CLI       string `json:"cli"`
	SessionID string `json:"sessionId"`
	Why       string `json:"why"`
}

// sessions checks whether the sessions can go on, and looks for those of an
// earlier gateway.
func (d *doctor) sessions(ctx context.Context) []Finding {
	f := Finding{Area: AreaSessions, Name: "sessions", State: FindingOK}
	path := d.engine.record.path
	if path == "" {
		f.State, f.Text, f.Fix = FindingNote, "kept in memory only, and lost when their gateway ends", "set gateway.jobs.db (LLM_GATEWAY_JOBS_DB) to a database"
		return []Finding{f}
	}
	seen, err := sqlite.Inspect(ctx, path)
	if err != nil {
		f.State, f.Text, f.Fix = FindingNote, "cannot be read, because their database cannot be read", "see Databases"
		return []Finding{f}
	}
	detail := sessionsDetail{Total: seen.SessionTotal, Active: map[string]string{}}
	for _, s := range seen.Sessions {
		if s.Active {
			detail.Active[s.CLI] = s.ID
		}
		if why := d.stopped(s, seen.Live); why != "" {
			detail.Stopped = append(detail.Stopped, stoppedSession{s.CLI, s.ID, why})
		}
	}
	f.Text, f.Detail = fmt.Sprintf("%s, %d of them active", count(seen.SessionTotal, "session"), len(detail.Active)), detail
	found := append([]Finding{f}, d.stoppedSessions(detail.Stopped)...)
	return append(found, d.earlier(seen.Imported)...)
}

// stopped says why a session cannot go on; "" if it can.
func (d *doctor) stopped(s store.Session, live []store.Job) string {
	cli, known := d.catalog.CLI(s.CLI)
	gone := false
	if known && cli.Session.Scope != "" && s.Cwd != "" {
		_, err := os.Stat(s.Cwd)
		gone = errors.Is(err, fs.ErrNotExist)
	}
	opening := slices.ContainsFunc(live, func(j store.Job) bool { return j.ID == s.Opener })
	switch {
	case !known:
		return "the CLI " + s.CLI + " no longer exists"
	case !cli.Converses():
		return "conversations of " + cli.DisplayName() + " can no longer be continued"
	case s.Begun && s.Native == "" && !opening:
		return "its first turn ended without an id"
	case s.Native != "" && !cli.AcceptsID(s.Native):
		return cli.DisplayName() + " does not accept its id " + s.Native
	case gone:
		return "its directory " + s.Cwd + " no longer exists"
	}
	return ""
}

// maxListedSessions is how many sessions that cannot go on are reported one by one.
const maxListedSessions = 5

func (d *doctor) stoppedSessions(stopped []stoppedSession) (found []Finding) {
	for i, s := range stopped {
		f := Finding{Area: AreaSessions, Name: s.SessionID, State: FindingNote, Text: "cannot continue: " + s.Why,
			Fix: "gateway sessions delete " + lang.ShellWord(s.SessionID) + " --cli " + s.CLI}
		if i == maxListedSessions {
			f.Name, f.Text, f.Fix = "others", fmt.Sprintf("%d more sessions cannot continue", len(stopped)-i), "`gateway doctor --format json` lists all of them"
			return append(found, f)
		}
		found = append(found, f)
	}
	return found
}

// earlier checks the sessions of an earlier gateway, which are imported once.
func (d *doctor) earlier(imported []string) []Finding {
	path := d.engine.Tools.Sessions.Legacy
	f := Finding{Area: AreaSessions, Name: "earlier gateway", State: FindingOK}
	list, err := session.Earlier(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case slices.Contains(imported, path):
		f.Text = path + ": already imported"
	case err != nil:
		f.State, f.Text, f.Fix = FindingProblem, fmt.Sprintf("%s: its sessions cannot be imported: %v", path, err), "correct the file, or move it away"
	default:
		f.Text = fmt.Sprintf("%s: %s; a gateway imports them when it needs one", path, count(len(list), "session"))
	}
	return []Finding{f}
}
