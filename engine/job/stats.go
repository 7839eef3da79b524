package job

import (
	"path/filepath"

	"github.com/llm-cli-gateway/gateway/engine/store"
	"github.com/llm-cli-gateway/gateway/engine/supervisor"
)

// Stats counts jobs whose rows have no end, by where they stand.
type Stats struct {
	Queued, Running int
	Ended           int // over, which a gateway is yet to record
	Lost            int // nobody answers for them any more, which is yet to be recorded
	Missing         int // their directories are not there, or cannot be read
}

// Stats looks where the jobs of live rows stand. Unlike all else that looks at jobs it
// records nothing.
func (r *Runner) Stats(rows []store.Job) (c Stats) {
	for _, row := range rows {
		if row.Owner != "" {
			if r.dead(row.Owner) {
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
