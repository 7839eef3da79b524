package job

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"time"

	"github.com/llm-cli-gateway/gateway/engine/job/lease"
	"github.com/llm-cli-gateway/gateway/engine/process"
	"github.com/llm-cli-gateway/gateway/engine/store"
)

// owner is the name under which this gateway's calls are recorded; "" where nobody
// could tell whether it lives. The first call makes it: a call that has no supervisor ends
// with its gateway.
func (r *Runner) owner() string {
	r.lease.Do(func() {
		if os.MkdirAll(r.Spool, 0o700) != nil { // as in a container without a home
			folder, err := os.MkdirTemp("", "llm-cli-gateway-*")
			if err != nil {
				return
			}
			r.Spool = folder
		}
		if r.leased = lease.Take(r.Spool); r.leased != nil {
			r.name = r.leased.Name
		}
	})
	return r.name
}

// rowOwner is the owner of the call: this gateway, or "" if it has a supervisor.
func (r *run) rowOwner() string {
	if r.executor().durable() {
		return ""
	}
	return r.owner()
}

// folder is where the directories of jobs are. Those of jobs that nobody would find
// again go with the gateway.
func (r *Runner) folder() string {
	if !r.Volatile {
		return r.Jobs
	}
	return filepath.Join(r.Spool, lease.JobsPrefix+r.owner())
}

// releaseLease removes the lease of this gateway.
func (r *Runner) releaseLease() {
	r.lease.Do(func() {}) // a call that begins now gets none
	if r.Volatile {
		os.RemoveAll(r.folder())
	}
	if r.leased != nil {
		r.leased.Release()
		r.leased = nil
	}
}

// ownerDead reports whether the gateway of that name is gone.
func (r *Runner) ownerDead(owner string) bool { return owner != r.name && lease.Dead(r.Spool, owner) }

// ReapDeadOwners cleans up after gateways that were killed: it ends the processes of
// their calls, completes the rows, and removes the files of calls. Any number
// of gateways may do so at once. It returns how many calls were lost.
func (r *Runner) ReapDeadOwners(ctx context.Context, records Store) (lost int, err error) {
	gone := map[string]bool{}
	f := store.Filter{Principal: store.AnyPrincipal, State: store.Live, Limit: 500}
	for {
		rows, err := records.Jobs(ctx, f)
		if err != nil {
			return lost, err
		}
		for _, row := range rows {
			f.Before = row.ID
			if _, known := gone[row.Owner]; !known {
				gone[row.Owner] = row.Owner != "" && r.ownerDead(row.Owner)
			}
			if !gone[row.Owner] {
				continue
			}
			process.EndOrphans(row.ID)
			row.Outcome = store.Outcome{
				Ending: store.EndLost, Detail: "gateway_died", ErrorClass: "lost",
				ErrorMessage: "the gateway was killed while the call ran", Duration: time.Since(row.Created),
			}
			err := r.finishRow(ctx, records, row)
			if err != nil && !errors.Is(err, store.ErrDone) {
				return lost, err
			}
			lost++
		}
		if len(rows) < f.Limit {
			break
		}
	}
	lease.RemoveDead(r.Spool, r.ownerDead)
	return lost, nil
}
