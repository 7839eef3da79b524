package job

import (
	"context"
	"fmt"
	"slices"

	"github.com/llm-cli-gateway/gateway/engine/catalog"
	"github.com/llm-cli-gateway/gateway/engine/job/queue"
	"github.com/llm-cli-gateway/gateway/engine/job/worktree"
	"github.com/llm-cli-gateway/gateway/engine/store"
)

// Two jobs that write in one working tree undo each other's work. The setting
// gateway.jobs.sameTree says whether the second is warned of the first, or waits for it.
const treeWarn = "warn"

// warnOfSameTree notes which other job writes in the tree of this one. Jobs in which this
// one runs wait for it and do not count. What cannot be read warns of nothing.
func (r *run) warnOfSameTree(ctx context.Context) {
	if setting := r.Catalog.Settings.Jobs.SameTree; setting != "" && setting != treeWarn || !queue.Writes(&r.Bound.Access) || !r.Bound.CLI.HasLevels() {
		return
	}
	rows, err := r.records.Jobs(ctx, store.Filter{Principal: store.AnyPrincipal, State: store.Live, Before: r.id, Limit: store.MaxLimit})
	if err != nil || len(rows) == 0 {
		return
	}
	outer, own := r.outer(ctx, r.records), worktree.Of(r.Dir)
	for _, row := range rows {
		above := slices.ContainsFunc(outer, func(job store.Job) bool { return job.ID == row.ID })
		if above || !queue.Writes(catalog.AccessIn(row.Args)) || !worktree.Overlap(own, worktree.Of(row.Cwd)) {
			continue
		}
		r.Bound.Notes = append(r.Bound.Notes, fmt.Sprintf("job %s of %s may write in %s at the same time; gateway.jobs.sameTree: %q lets one wait for the other", row.ID, row.CLI, own, queue.TreeWait))
		return
	}
}
