package job

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"path/filepath"
	"time"

	"github.com/llm-cli-gateway/gateway/engine/call"
	"github.com/llm-cli-gateway/gateway/engine/lang"
	"github.com/llm-cli-gateway/gateway/engine/store"
	"github.com/llm-cli-gateway/gateway/engine/supervisor"
)

// semaphores are those that the job must acquire, the narrowest first: the one of its
// conversation, that of its CLI, and that of all CLIs.
//
// A call that is made from inside a job has pools of its own at each depth: it must
// not wait for a slot that its own caller holds.
func (r *run) semaphores() []supervisor.Semaphore {
	var pools []supervisor.Semaphore
	add := func(size int, name string) {
		if size > 0 {
			pools = append(pools, supervisor.Semaphore{Dir: filepath.Join(r.Pools, name), Size: size})
		}
	}
	cli, depth := r.Bound.CLI, r.depth
	if conversation := r.Bound.Conversation(); conversation != "" || r.Bound.Mode == lang.Latest {
		if conversation == "" {
			conversation = "the newest of " + r.Dir
		}
		add(1, turnPool(cli.Name, conversation))
	}
	if pool := r.treePool(depth); pool != "" {
		add(1, pool)
	}
	add(cli.Concurrency, fmt.Sprintf("cli-%s-%d", cli.Name, depth))
	add(r.Catalog.Settings.Jobs.Concurrency, fmt.Sprintf("all-%d", depth))
	return pools
}

// turnPoolPrefix begins the name of a pool in which a conversation takes turns.
const turnPoolPrefix = "turn-"

// turnPool is the pool in which a conversation takes turns.
func turnPool(cli, conversation string) string {
	sum := sha256.Sum256([]byte(cli + "\x00" + conversation))
	return turnPoolPrefix + hex.EncodeToString(sum[:12])
}

func (r *run) queueTimeout() time.Duration {
	return time.Duration(r.Catalog.Settings.Jobs.QueueMs) * time.Millisecond
}

// position is the place of a queued job among those that wait for the same, from 1.
func (r *Runner) position(ctx context.Context, records Store, job call.Job) int {
	own, err := r.waitsFor(job.Row.ID)
	if err != nil {
		return 0
	}
	ahead := 1
	f := store.Filter{Principal: store.AnyPrincipal, State: store.Live, Before: job.Row.ID, Limit: 500}
	for {
		rows, err := records.Jobs(ctx, f)
		if err != nil {
			return 0
		}
		for _, row := range rows {
			f.Before = row.ID
			if others, err := r.waitsFor(row.ID); err == nil && overlap(own, others) {
				ahead++
			}
		}
		if len(rows) < f.Limit {
			return ahead
		}
	}
}

// waitsFor are the semaphores that a queued job waits for.
func (r *Runner) waitsFor(id string) ([]supervisor.Semaphore, error) {
	x, err := r.executor().find(id)
	if err != nil {
		return nil, err
	}
	return x.semaphores()
}

func overlap(a, b []supervisor.Semaphore) bool {
	for _, p := range a {
		for _, q := range b {
			if p.Dir == q.Dir {
				return true
			}
		}
	}
	return false
}
