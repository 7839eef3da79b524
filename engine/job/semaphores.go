package job

import (
	"context"
	"time"

	"github.com/llm-cli-gateway/gateway/engine/call"
	"github.com/llm-cli-gateway/gateway/engine/job/queue"
	"github.com/llm-cli-gateway/gateway/engine/store"
	"github.com/llm-cli-gateway/gateway/engine/supervisor"
)

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
			if others, err := r.waitsFor(row.ID); err == nil && queue.Overlap(own, others) {
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
