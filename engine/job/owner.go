package job

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/llm-cli-gateway/gateway/engine/process"
	"github.com/llm-cli-gateway/gateway/engine/store"
)

// A call that has no supervisor ends with its gateway. The gateway is known by a
// file that it holds locked as long as it lives: a lock goes with its process, however
// that dies, and no process id is believed.

const leasePrefix, leaseSuffix, filesPrefix, jobsPrefix = "gateway-", ".lease", "files-", "jobs-"

// owner is the name under which this gateway's calls are recorded; "" where nobody
// could tell whether it lives. The first call makes it.
func (r *Runner) owner() string {
	r.lease.Do(func() {
		if os.MkdirAll(r.Spool, 0o700) != nil { // as in a container without a home
			folder, err := os.MkdirTemp("", "llm-cli-gateway-*")
			if err != nil {
				return
			}
			r.Spool = folder
		}
		name := store.NewID()
		file, err := os.OpenFile(r.leasePath(name), os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
		if err != nil {
			return
		}
		if !lock(file) {
			file.Close()
			os.Remove(file.Name())
			return
		}
		r.leased, r.name = file, name
	})
	return r.name
}

func (r *Runner) leasePath(owner string) string {
	return filepath.Join(r.Spool, leasePrefix+owner+leaseSuffix)
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
	return filepath.Join(r.Spool, jobsPrefix+r.owner())
}

// releaseLease removes the lease of this gateway.
func (r *Runner) releaseLease() {
	r.lease.Do(func() {}) // a call that begins now gets none
	if r.Volatile {
		os.RemoveAll(r.folder())
	}
	if r.leased != nil {
		os.Remove(r.leased.Name())
		r.leased.Close()
		r.leased = nil
	}
}

// ownerDead reports whether the gateway of that name is gone. Its lease is removed then.
func (r *Runner) ownerDead(owner string) bool {
	if owner == r.name || !store.ValidID(owner) {
		return false
	}
	file, err := os.OpenFile(r.leasePath(owner), os.O_RDWR, 0)
	if err != nil {
		return errors.Is(err, os.ErrNotExist)
	}
	defer file.Close()
	return lock(file)
}

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
	r.removeDeadLeases()
	return lost, nil
}

// removeDeadLeases removes the leases and the files of gateways that are gone.
func (r *Runner) removeDeadLeases() {
	entries, err := os.ReadDir(r.Spool)
	if err != nil {
		return
	}
	for _, e := range entries {
		owner := strings.TrimSuffix(strings.TrimPrefix(e.Name(), leasePrefix), leaseSuffix)
		if rest, ok := strings.CutPrefix(e.Name(), filesPrefix); ok {
			owner, _, _ = strings.Cut(rest, "-")
		}
		if rest, ok := strings.CutPrefix(e.Name(), jobsPrefix); ok {
			owner = rest
		}
		if r.ownerDead(owner) {
			os.RemoveAll(filepath.Join(r.Spool, e.Name()))
		}
	}
}
