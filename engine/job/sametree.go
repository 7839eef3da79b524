package job

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"

	"github.com/llm-cli-gateway/gateway/engine/catalog"
	"github.com/llm-cli-gateway/gateway/engine/catalog/access"
	"github.com/llm-cli-gateway/gateway/engine/job/worktree"
	"github.com/llm-cli-gateway/gateway/engine/store"
)

// Two jobs that write in one working tree undo each other's work. The setting
// gateway.jobs.sameTree says whether the second is warned of the first, or waits for it.
const (
	treeWarn = "warn"
	treeWait = "wait"
)

// treePoolPrefix begins the name of a pool in which jobs that write in a tree take turns.
const treePoolPrefix = "tree-"

// writes reports whether the agent of a job may write by what is recorded of it.
func writes(a *access.Access) bool { return a != nil && access.Named(a.Words) >= access.Edit }

// treePool is the pool in which the job takes turns with others that write in its tree; ""
// if it does not. Jobs of another depth have another one, so that none waits for its caller.
func (r *run) treePool(depth int) string {
	if r.Catalog.Settings.Jobs.SameTree != treeWait || !writes(&r.Bound.Access) {
		return ""
	}
	sum := sha256.Sum256([]byte(worktree.Of(r.Dir)))
	return fmt.Sprintf("%s%s-%d", treePoolPrefix, hex.EncodeToString(sum[:12]), depth)
}

// warnOfSameTree notes which other job writes in the tree of this one. Jobs in which this
// one runs wait for it and do not count. What cannot be read warns of nothing.
func (r *run) warnOfSameTree(ctx context.Context) {
	if setting := r.Catalog.Settings.Jobs.SameTree; setting != "" && setting != treeWarn || !writes(&r.Bound.Access) || !r.Bound.CLI.HasLevels() {
		return
	}
	rows, err := r.records.Jobs(ctx, store.Filter{Principal: store.AnyPrincipal, State: store.Live, Before: r.id, Limit: store.MaxLimit})
	if err != nil || len(rows) == 0 {
		return
	}
	outer, own := r.outer(ctx, r.records), worktree.Of(r.Dir)
	for _, row := range rows {
		above := slices.ContainsFunc(outer, func(job store.Job) bool { return job.ID == row.ID })
		if above || !writes(catalog.AccessIn(row.Args)) || !worktree.Overlap(own, worktree.Of(row.Cwd)) {
			continue
		}
		r.Bound.Notes = append(r.Bound.Notes, fmt.Sprintf("job %s of %s may write in %s at the same time; gateway.jobs.sameTree: %q lets one wait for the other", row.ID, row.CLI, own, treeWait))
		return
	}
}
