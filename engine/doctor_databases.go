package engine

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"github.com/llm-cli-gateway/gateway/engine/host"
	"github.com/llm-cli-gateway/gateway/engine/lang"
	"github.com/llm-cli-gateway/gateway/engine/store"
	"github.com/llm-cli-gateway/gateway/engine/store/sqlite"
	"github.com/llm-cli-gateway/gateway/engine/tools"
)

// databaseDetail describes a database, for programs.
type databaseDetail struct {
	Path   string `json:"path"`
	Exists bool   `json:"exists"`
	Bytes  int64  `json:"bytes"`
	Mode   string `json:"mode,omitempty"` // octal
	Schema string `json:"schema,omitempty"`
	Rows   int    `json:"rows"` // of calls; -1 if they could not be counted in time
	Live   int    `json:"live"` // of these, without an end
	Lost   int    `json:"lost"` // of these, without a process or supervisor
}

// databases checks the record of calls and that of jobs, which often is the same.
func (d *doctor) databases(ctx context.Context) (found []Finding) {
	calls, jobs := d.engine.log.path, d.engine.record.path
	if calls == "" {
		found = append(found, Finding{Area: AreaDatabases, Name: "record", State: FindingNote, Text: "calls are not recorded, because the settings turn the record off",
			Fix: "set gateway.logsDb (LLM_GATEWAY_LOGS_DB) to a database"})
	} else {
		found = append(found, d.database(ctx, "record", calls, calls == jobs)...)
	}
	if jobs != "" && jobs != calls {
		found = append(found, d.database(ctx, "jobs", jobs, true)...)
	}
	return found
}

func (d *doctor) database(ctx context.Context, name, path string, withJobs bool) []Finding {
	seen, err := sqlite.Inspect(ctx, path)
	detail := databaseDetail{Path: seen.Path, Exists: seen.File != nil, Bytes: seen.Size, Schema: seen.Schema, Rows: seen.Jobs, Live: len(seen.Live)}
	f := Finding{Area: AreaDatabases, Name: name, State: FindingOK}
	if seen.File != nil {
		detail.Mode = fmt.Sprintf("%04o", seen.File.Mode().Perm())
	}
	var broken *sqlite.FileError
	switch {
	case errors.As(err, &broken):
		f.State, f.Text, f.Fix = FindingProblem, broken.Path+": "+broken.Problem, broken.Fix
		if broken.Err != nil {
			f.Text += fmt.Sprintf(" (%v)", broken.Err)
		}
	case err != nil:
		f.State, f.Text, f.Fix = FindingProblem, fmt.Sprintf("%s: cannot be read (%v)", cmp.Or(seen.Path, path), err), "make the file readable, and try again"
	case seen.File == nil:
		f.Text = seen.Path + ": does not exist yet; the first call creates it"
	case host.Exposed(seen.File, 0o077) != "":
		f.State, f.Text, f.Fix = FindingProblem, seen.Path+": "+host.Exposed(seen.File, 0o077), "chmod 600 "+lang.ShellWord(seen.Path)
	default:
		f.Text = fmt.Sprintf("%s: %s, %s", seen.Path, rowsText(seen.Jobs), sizeText(seen.Size))
	}
	found := []Finding{f}
	if err == nil && withJobs && len(seen.Live) > 0 {
		live, lost := d.live(seen.Live)
		detail.Lost = lost
		found = append(found, live)
	}
	found[0].Detail = detail
	for _, b := range seen.Breakers {
		if f, open := breakerFinding(b, time.Now()); open {
			found = append(found, f)
		}
	}
	return found
}

// live reports the status of the jobs without an end.
func (d *doctor) live(rows []store.Job) (Finding, int) {
	c := statsOf(rows, d.engine.Tools.Runner.Jobs, d.engine.Tools.Runner.Spool)
	f := Finding{Area: AreaDatabases, Name: "live jobs", State: FindingOK}
	parts := []string{}
	for _, p := range []struct {
		n    int
		what string
	}{{c.Running, "running"}, {c.Queued, "queued"}, {c.Waiting, "waiting for a person or for their next attempt"}, {c.Ended, "finished, not yet recorded"}, {c.Lost, "lost"}, {c.Missing, "without a directory"}} {
		if p.n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", p.n, p.what))
		}
	}
	f.Text = strings.Join(parts, ", ")
	if c.Lost > 0 {
		f.State, f.Fix = FindingNote, "nobody observed the end of the lost jobs; `gateway jobs list` finalizes them"
	}
	if c.Missing > 0 {
		f.State = FindingNote
		f.Fix = strings.TrimPrefix(f.Fix+"; ", "; ") + "job directories are expected in " + filepath.Join(StateDir(), "jobs") + ": they were created by another user or for another home, or removed"
	}
	return f, c.Lost
}

// breakerFinding tells of a breaker that keeps calls out.
func breakerFinding(b store.Breaker, now time.Time) (f Finding, open bool) {
	text := tools.BreakerText(b, now)
	return Finding{Area: AreaDatabases, Name: "breaker", State: FindingNote, Text: text, Fix: "`gateway breaker reset " + b.Key + "` lets calls through at once"}, b.State != store.BreakerClosed
}

func rowsText(n int) string {
	if n < 0 {
		return "too many calls to count in time"
	}
	return count(n, "call")
}

// sizeText is a number of bytes for people.
func sizeText(bytes int64) string {
	switch {
	case bytes < 1<<10:
		return fmt.Sprintf("%d bytes", bytes)
	case bytes < 1<<20:
		return fmt.Sprintf("%d KiB", bytes>>10)
	}
	return fmt.Sprintf("%.1f MiB", float64(bytes)/(1<<20))
}
