// Package nesting finds the jobs inside which a gateway runs: a CLI that we called may call us.
// Without a guard two CLIs could call each other for ever, or one could let another do what it
// may not do itself.
//
// It hides how a job is found in the environment and among the ancestors of a process. It must
// not know what follows from it.
package nesting

import (
	"context"
	"path/filepath"
	"slices"
	"sync"

	"github.com/llm-cli-gateway/gateway/engine/job/jobdir"
	"github.com/llm-cli-gateway/gateway/engine/store"
	"github.com/llm-cli-gateway/gateway/engine/supervisor"
)

// Jobs knows the jobs inside which this gateway runs.
type Jobs struct {
	mu    sync.Mutex
	known bool

	look   sync.Once // at the ancestors, of which there are many: no call waits for a second look
	inside bool
	jobs   []store.Job // the nearest first
}

// MaxDepth bounds the walk along the parents of rows.
const MaxDepth = 32

// Rows is the record of jobs.
type Rows interface {
	Job(ctx context.Context, principal, id string) (store.Job, error)
}

// Outer are the jobs in which this gateway runs, the nearest first. They are found in its
// environment, which names the parent, and where that was cleaned in its ancestors. Of a job of
// another record only the id is known.
func (n *Jobs) Outer(ctx context.Context, records Rows, parent string) []store.Job {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.known {
		return n.jobs
	}
	var above []string
	for _, dir := range supervisor.EnclosingJobs() {
		above = append(above, jobdir.Job(filepath.Base(dir)))
	}
	if len(above) == 0 && parent != "" {
		above = []string{jobdir.Job(parent)}
	}
	var jobs []store.Job
	for len(above) > 0 && len(jobs) < MaxDepth {
		row, err := records.Job(ctx, store.AnyPrincipal, above[0])
		if err != nil {
			row = store.Job{ID: above[0]}
		}
		jobs, above = append(jobs, row), above[1:]
		if len(above) == 0 && row.ParentID != "" && !slices.ContainsFunc(jobs, func(j store.Job) bool { return j.ID == row.ParentID }) {
			above = []string{row.ParentID}
		}
	}
	n.jobs, n.known = jobs, ctx.Err() == nil
	return jobs
}

// Inside reports whether this gateway runs inside a job, without a look at the record.
func (n *Jobs) Inside(parent string) bool {
	n.look.Do(func() { n.inside = parent != "" || len(supervisor.EnclosingJobs()) > 0 })
	return n.inside
}
