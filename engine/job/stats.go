package job

import (
	"path/filepath"

	"github.com/llm-cli-gateway/gateway/engine/store"
	"github.com/llm-cli-gateway/gateway/engine/supervisor"
)

// Stats counts jobs whose rows have no end, by their status.
type Stats struct {
	Queued, Running int
	Waiting         int // for a person
	Ended           int // ended, but not recorded yet
	Lost            int // without a process or supervisor, but not recorded yet
	Missing         int // their directories are not there, or cannot be read
}

// Stats reads the status of the jobs of live rows. Unlike all other methods that do so it
// records nothing.
func (r *Runner) Stats(rows []store.Job) (c Stats) {
	for _, row := range rows {
		if !row.Waiting.Until.IsZero() {
			c.Waiting++
			continue
		}
		if row.Owner != "" {
			if r.ownerDead(row.Owner) {
				c.Lost++
			} else {
				c.Running++
			}
			continue
		}
		var s supervisor.State
		dir, err := supervisor.Open(filepath.Join(r.Jobs, row.ID))
		if err == nil {
			s, err = dir.State()
		}
		switch {
		case err != nil:
			c.Missing++
		case s.Phase == supervisor.Queued:
			c.Queued++
		case s.Phase == supervisor.Ended:
			c.Ended++
		case s.Phase == supervisor.Lost:
			c.Lost++
		default:
			c.Running++
		}
	}
	return c
}
