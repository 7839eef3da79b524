package engine

import (
	"path/filepath"

	"github.com/llm-cli-gateway/gateway/engine/job/lease"
	"github.com/llm-cli-gateway/gateway/engine/store"
	"github.com/llm-cli-gateway/gateway/engine/supervisor"
)

// jobStats counts jobs whose rows have no end, by their status.
type jobStats struct {
	Queued, Running int
	Waiting         int // for a person
	Ended           int // ended, but not recorded yet
	Lost            int // without a process or supervisor, but not recorded yet
	Missing         int // their directories are not there, or cannot be read
}

// statsOf reads the status of the jobs of live rows, from the folder of their directories and
// that of the leases of gateways. Unlike a look at a job it records nothing.
func statsOf(rows []store.Job, jobs, leases string) (c jobStats) {
	for _, row := range rows {
		if !row.Waiting.Until.IsZero() || row.Between() {
			c.Waiting++
			continue
		}
		if row.Owner != "" {
			if lease.Dead(leases, row.Owner) {
				c.Lost++
			} else {
				c.Running++
			}
			continue
		}
		var s supervisor.State
		dir, err := supervisor.Open(filepath.Join(jobs, row.ID))
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
